"""Embeddings under the real `openai` client, against a real server on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from loopback import faults
from loopback.faults import Fault
from loopback.server import LoopbackServer

from pytest_promptgate.core.embeddings import embedding_request, unpacked
from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.types import Completion, Json, ModelPin
from pytest_promptgate.errors import AccountStopped, CallError, RequestRefused, TransportFault, WrongModel
from pytest_promptgate.models.openai import OpenAIAccount
from pytest_promptgate.models.retries import RetryPolicy

MODEL = "text-embedding-3-small"
ODD = "If it stays so, look at base_url: a proxy or another service may be answering."
HASTY = RetryPolicy(overloaded_tries=3, broken_tries=2, first_s=0.001, unreachable_s=0.01)
Start: TypeAlias = Callable[..., LoopbackServer]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "sk-very-secret-0123456789")


pytestmark = pytest.mark.usefixtures("key")


def spec(base_url: str, **settings: Any) -> ProviderSpec:
    given: dict[str, Any] = {"name": "desk", "kind": "openai", "family": "openai", "api_key_env": "DESK_KEY"}
    return ProviderSpec(base_url=base_url, **(given | settings))


def embed(provider: ProviderSpec, text: str = "Café", **parameters: Json) -> Completion | CallError:
    """The vector of one text, or what is raised instead."""

    async def run() -> Completion | CallError:
        account = OpenAIAccount(provider, 8, policy=HASTY, seed=0)
        try:
            pin = ModelPin(provider="desk", name=MODEL, parameters=parameters)
            return await account.ask(embedding_request(pin, text))
        except CallError as error:
            return error
        finally:
            await account.close()

    return asyncio.run(run())


def test_a_text_is_posted_and_its_vector_read(loopback: Start) -> None:
    server = loopback(vectors=lambda _: [0.25, -1.0, 0.0])

    got = embed(spec(server.base_url), dimensions=3)

    assert isinstance(got, Completion)
    assert (got.text, unpacked(got.embedding)) == ("", (0.25, -1.0, 0.0))
    assert (got.tokens_in, got.tokens_out, got.served_model) == (1, 0, MODEL)
    recorded = server.requests[0]
    assert recorded.path == "/v1/embeddings"
    assert recorded.body == {"model": MODEL, "input": "Café", "encoding_format": "float", "dimensions": 3}


def test_azure_embeds_at_the_deployment(loopback: Start) -> None:
    server = loopback()
    azure = spec(
        server.origin, kind="azure", family="azure", deployments={MODEL: "my-vectors"}, api_version="2024-10-21"
    )

    assert isinstance(embed(azure), Completion)

    assert server.requests[0].path == "/openai/deployments/my-vectors/embeddings?api-version=2024-10-21"


def test_another_model_than_the_pin_is_told(loopback: Start) -> None:
    told = embed(spec(loopback(model="text-embedding-3-large").base_url))

    assert isinstance(told, WrongModel)
    assert str(told).splitlines()[0] == (
        "desk/text-embedding-3-small: asked for text-embedding-3-small, answered by text-embedding-3-large"
    )


def reply(body: bytes) -> Fault:
    return Fault(status=200, body=body)


NOT_FINITE = f"desk/{MODEL}: the vector that came back holds something that is no finite number"


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"embedding": [1.0, NaN]}]}',
        b'{"data": [{"embedding": [1.0, Infinity]}]}',
        b'{"data": [{"embedding": [1.0, 1e999]}]}',
        b'{"data": [{"embedding": [1.0, 1e39]}]}',
        b'{"data": [{"embedding": [1.0, "2"]}]}',
        b'{"data": [{"embedding": [true]}]}',
        b'{"data": [{"embedding": [1' + b"0" * 400 + b"]}]}",
    ],
)
def test_what_is_no_finite_number_is_not_asked_again(loopback: Start, body: bytes) -> None:
    server = loopback(faults=lambda _number, _body: reply(body))

    told = embed(spec(server.base_url))

    assert isinstance(told, RequestRefused)
    assert str(told) == NOT_FINITE
    assert server.count == 1


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (faults.html(), "the reply is an HTML page, not JSON"),
        (Fault(cut=True), "the reply is no complete JSON (147 bytes)"),
        (reply(b"[]"), "the reply is not a whole answer: JSON, but list in place of an object"),
        (reply(b"{}"), "the reply is not a whole answer: a reply without data"),
        (reply(b'{"data": []}'), "the reply is not a whole answer: 0 embeddings of one text"),
        (reply(b'{"data": [{}, {}]}'), "the reply is not a whole answer: 2 embeddings of one text"),
        (
            reply(b'{"data": [{"embedding": []}]}'),
            "the reply is not a whole answer: an embedding that is no list of numbers",
        ),
        (
            reply(b'{"data": [{"embedding": "AACAPw=="}]}'),
            "the reply is not a whole answer: an embedding that is no list of numbers",
        ),
    ],
)
def test_what_is_no_vector_is_asked_again_and_then_told(loopback: Start, fault: Fault, what: str) -> None:
    server = loopback(faults=lambda _number, _body: fault)

    told = embed(spec(server.base_url))

    assert isinstance(told, TransportFault)
    assert str(told) == f"desk/{MODEL}: {what}; gave up after 2 tries\n  {ODD}"
    assert server.count == 2


def test_an_error_with_status_200_is_told(loopback: Start) -> None:
    told = embed(spec(loopback(faults=lambda _number, _body: reply(b'{"error": {"message": "busy"}}')).base_url))

    assert str(told) == (
        f"desk/{MODEL}: the provider failed with status 200: busy; gave up after 2 tries\n"
        "  What was answered is stored: run again, and only what is missing is asked."
    )


def test_a_text_that_is_too_long_is_refused_at_once(loopback: Start) -> None:
    body = b'{"error": {"message": "This model\'s maximum context length is 8192 tokens.", "code": null}}'
    server = loopback(faults=lambda _number, _body: Fault(status=400, body=body))

    told = embed(spec(server.base_url), "x" * 1_000_000)

    assert isinstance(told, RequestRefused)
    assert str(told) == (
        f"desk/{MODEL}: the provider refused this request (status 400): This model's maximum context length is 8192 tokens"
    )
    assert server.count == 1


def test_a_server_without_embeddings_is_told(loopback: Start) -> None:
    server = loopback(faults=lambda _number, _body: Fault(status=404, body=b'{"error": {"message": "no such path"}}'))

    told = embed(spec(server.base_url))

    assert isinstance(told, AccountStopped)
    assert str(told) == (
        f"desk/{MODEL}: there are no embeddings at {server.base_url} (status 404)\n  Look at base_url: most end in /v1."
    )
