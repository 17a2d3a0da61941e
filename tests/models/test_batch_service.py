"""The Batch endpoint's client, where it differs between providers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from loopback.batches import BatchEndpoint
from loopback.faults import quota_exhausted, unauthorized

from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.types import Completion, Message, ModelPin, Request
from pytest_promptgate.errors import AccountStopped
from pytest_promptgate.models.batch import OpenAIBatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.faults import Fault
    from loopback.server import LoopbackServer

PIN = ModelPin(provider="p", name="gpt-4o-2024-11-20")
REQUEST = Request(pin=PIN, messages=(Message(role="user", content="hi"),), parameters={"max_output_tokens": 5})
NAME = f"subject-{'ab' * 16}-0"


def roundtrip(spec: ProviderSpec) -> list[tuple[str, object]]:
    """Submit one request, and collect it."""
    service = OpenAIBatches(spec)
    file = service.upload("x.jsonl", service.line(NAME, REQUEST))
    begun = service.create(file, "tag")
    assert service.find("file-none", "tag") == begun
    assert service.find("file-none", "other") is None
    found = list(service.results(service.status(begun.batch), PIN))
    service.close()
    return list(found)


def test_azure_gets_its_own_path_and_the_deployment(
    loopback: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = BatchEndpoint(model="gpt-4o-2024-11-20")
    server = loopback(batches=endpoint)
    monkeypatch.setenv("EU_KEY", "sk-azure-secret")
    spec = ProviderSpec(
        name="eu",
        kind="azure",
        family="azure",
        base_url=server.origin,
        api_key_env="EU_KEY",
        deployments={"gpt-4o-2024-11-20": "my-gpt4o"},
    )

    [(name, answer)] = roundtrip(spec)

    assert name == NAME
    assert isinstance(answer, Completion)
    assert (answer.text, answer.latency_s) == ("hi", None)  # nobody timed it
    line = json.loads(endpoint.files["file-0"])
    assert line["url"] == "/chat/completions"
    assert line["body"] == {
        "model": "my-gpt4o",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 5,
    }


def test_a_server_without_a_key_gets_none(
    loopback: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-elses")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    endpoint = BatchEndpoint()
    spec = ProviderSpec(name="local", kind="openai", family="vllm", base_url=loopback(batches=endpoint).base_url)

    [(_, answer)] = roundtrip(spec)

    assert isinstance(answer, Completion)
    assert all(b"sk-somebody" not in head and b"org-secret" not in head for head in endpoint.heads)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (unauthorized("sk-of-mine"), "p: the provider refused the key in P_KEY"),
        (quota_exhausted(), "p: the quota is exhausted (status 429)"),
    ],
)
def test_a_refused_account_is_told_without_its_key(
    fault: Fault, said: str, loopback: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P_KEY", "sk-of-mine")
    endpoint = BatchEndpoint(refuses=fault)
    url = loopback(batches=endpoint).base_url
    service = OpenAIBatches(ProviderSpec(name="p", kind="openai", family="openai", base_url=url, api_key_env="P_KEY"))

    with pytest.raises(AccountStopped) as caught:
        service.create("file-0", "tag")
    service.close()

    assert str(caught.value).startswith(said)
    assert "sk-of-mine" not in str(caught.value)
