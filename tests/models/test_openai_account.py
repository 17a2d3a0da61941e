"""The account under the real `openai` client, against a real server on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from loopback import faults
from loopback.answers import Answer
from loopback.server import LoopbackServer, closed_port

from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.types import Completion, Json, Message, ModelPin, Request, ToolCall
from pytest_promptgate.errors import (
    AccountStopped,
    CallError,
    RequestRefused,
    TransportFault,
    WrongModel,
)
from pytest_promptgate.models.openai import OpenAIAccount
from pytest_promptgate.models.retries import RetryPolicy

MODEL = "gpt-4o-2024-11-20"
KEY = "sk-very-secret-0123456789"
HASTY = RetryPolicy(overloaded_tries=3, broken_tries=2, first_s=0.001, unreachable_s=0.01)
Start: TypeAlias = Callable[..., LoopbackServer]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DESK_KEY", KEY)


pytestmark = pytest.mark.usefixtures("key")


def spec(base_url: str, **settings: Any) -> ProviderSpec:
    given: dict[str, Any] = {"name": "desk", "kind": "openai", "family": "openai", "api_key_env": "DESK_KEY"}
    return ProviderSpec(base_url=base_url, **(given | settings))


def request(text: str = "hello", *, model: str = MODEL, **parts: Any) -> Request:
    given: dict[str, Any] = {"messages": (Message(role="user", content=text),), "parameters": {}}
    return Request(pin=ModelPin(provider="desk", name=model), **(given | parts))


def ask(
    provider: ProviderSpec, *requests: Request, policy: RetryPolicy | None = HASTY
) -> list[Completion | BaseException]:
    """All requests at once; answers and errors in their order."""

    async def run() -> list[Completion | BaseException]:
        account = OpenAIAccount(provider, 64, policy=policy, seed=0)
        try:
            return await asyncio.gather(*(account.ask(each) for each in requests), return_exceptions=True)
        finally:
            await account.close()

    return asyncio.run(run())


def answer(provider: ProviderSpec, asked: Request, *, policy: RetryPolicy = HASTY) -> Completion:
    (got,) = ask(provider, asked, policy=policy)
    assert isinstance(got, Completion), got
    return got


def error(provider: ProviderSpec, asked: Request, kind: type[CallError]) -> str:
    (got,) = ask(provider, asked)
    assert type(got) is kind, got
    assert KEY not in f"{got} {got!r}"
    return str(got)


def always(fault: faults.Fault) -> Callable[[int, dict[str, Any]], faults.Fault]:
    return lambda _number, _body: fault


def test_an_answer_carries_text_model_tokens_latency_and_reason(loopback: Start) -> None:
    server = loopback(answers={"hello": Answer(text="hi there")}, latency=0.01)

    got = answer(spec(server.base_url), request())

    assert (got.text, got.served_model, got.fingerprint) == ("hi there", MODEL, "fp_loopback")
    assert (got.tokens_in, got.tokens_out, got.tokens_cached, got.finish_reason) == (1, 2, 0, "stop")
    assert got.latency_s is not None
    assert got.latency_s >= 0.01


def test_parameters_travel_under_the_names_that_the_family_knows(loopback: Start) -> None:
    server = loopback()
    parameters: Mapping[str, Json] = {
        "temperature": 0,
        "max_output_tokens": 16,
        "top_k": 5,
        "additionalProperties": {"min_p": 0.1},
    }
    answer(spec(server.base_url), request(parameters=parameters))
    answer(spec(server.base_url, family="vllm", models={}), request(parameters=parameters))

    common = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
    common |= {"temperature": 0, "top_k": 5, "min_p": 0.1}  # type: ignore[dict-item]
    assert [recorded.body for recorded in server.requests] == [
        {**common, "max_completion_tokens": 16},
        {**common, "max_tokens": 16},
    ]


def test_tools_and_response_format_are_sent_and_tool_calls_come_back(loopback: Start) -> None:
    call = Answer(tool_calls=(("find", '{"id": 1}'),))
    server = loopback(answers=lambda _body: call)
    tool = {"type": "function", "function": {"name": "find", "parameters": {}}}

    got = answer(spec(server.base_url), request(tools=(tool,), response_format={"type": "json_object"}))

    assert (got.text, got.tool_calls) == ("", (ToolCall(name="find", arguments='{"id": 1}'),))
    body = server.requests[0].body
    assert (body["tools"], body["response_format"]) == ([tool], {"type": "json_object"})


def test_azure_is_asked_at_the_deployment_with_its_own_header(loopback: Start) -> None:
    server = loopback(model=MODEL)
    azure = spec(server.origin, kind="azure", family="azure", deployments={MODEL: "my-gpt4o"}, api_version="2024-10-21")

    assert answer(azure, request()).text == "hello"

    recorded = server.requests[0]
    assert recorded.path == "/openai/deployments/my-gpt4o/chat/completions?api-version=2024-10-21"
    assert recorded.headers["api-key"] == KEY
    assert "authorization" not in recorded.headers


def test_headers_of_the_entry_are_filled_from_the_environment(loopback: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "support")
    server = loopback()

    answer(spec(server.base_url, headers={"X-Team": "${TEAM}"}), request())

    assert server.requests[0].headers["x-team"] == "support"


def test_another_provider_gets_nothing_of_the_openai_account(loopback: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-own-key")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway-Key: abc\nAuthorization: Bearer sk-ambient")
    server = loopback()

    answer(spec(server.base_url, api_key_env=""), request())

    headers = server.requests[0].headers
    assert not {"authorization", "openai-organization", "openai-project", "x-gateway-key"} & set(headers)


def test_a_missing_key_is_told_before_any_call(loopback: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_KEY")
    server = loopback()

    assert error(spec(server.base_url), request(), AccountStopped) == (
        "desk: DESK_KEY is not set\n  Put the provider's key there: export DESK_KEY=… (or run with --prompt-offline)."
    )
    assert server.count == 0


def test_a_missing_endpoint_variable_is_told_before_any_call() -> None:
    assert error(spec("", base_url_env="DESK_URL"), request(), AccountStopped) == (
        "desk: DESK_URL is not set\n  It holds the endpoint's URL: export DESK_URL=https://…"
    )


def test_a_provider_without_an_address_is_told() -> None:
    assert error(spec(""), request(), AccountStopped) == (
        "desk: it has no base_url\n  Add `base_url` to its entry in promptgate.yaml."
    )


def test_a_missing_header_variable_is_told() -> None:
    entry = spec("http://127.0.0.1:9/v1", headers={"X-Team": "${NO_SUCH_TEAM}"})
    assert error(entry, request(), AccountStopped) == (
        "desk: NO_SUCH_TEAM is not set, and the header X-Team needs it\n"
        "  Set NO_SUCH_TEAM, or take the header out of promptgate.yaml."
    )


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("http://me:pa55word@127.0.0.1/v1", "holds a user or password"),
        ("http://127.0.0.1/v1?key=pa55word", "holds a query or fragment"),
        ("127.0.0.1/v1", "does not begin with https:// or http:// and a host"),
        ("http://[::1/v1", "does not begin with https:// or http:// and a host"),
    ],
)
def test_an_address_with_more_than_an_address_is_refused(
    address: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_URL", address)
    entry = spec("", base_url_env="DESK_URL")
    assert error(entry, request(), AccountStopped) == (
        f"desk: the address in DESK_URL {what}\n"
        "  Write scheme, host and path only; keys stand in api_key_env or headers."
    )
    assert "pa55word" not in OpenAIAccount(entry, 1).endpoint


def test_a_refused_key_is_named_by_its_variable_only(loopback: Start) -> None:
    server = loopback(faults=always(faults.unauthorized(KEY)))
    assert error(spec(server.base_url), request(), AccountStopped) == (
        f"desk: the provider refused the key in DESK_KEY\n  Put a valid key for {server.base_url} into DESK_KEY."
    )


def test_a_provider_that_wants_a_key_is_told_as_such(loopback: Start) -> None:
    server = loopback(faults=always(faults.unauthorized()))
    assert error(spec(server.base_url, api_key_env=""), request(), AccountStopped) == (
        "desk: the provider wants a key\n  Add `api_key_env`, the name of its variable, in promptgate.yaml."
    )


def test_denied_access_names_status_and_reason(loopback: Start) -> None:
    server = loopback(faults=always(faults.forbidden()))
    assert error(spec(server.base_url), request(), AccountStopped) == (
        "desk: the provider denies access to the key in DESK_KEY (status 403): "
        f"Country, region, or territory not supported\n  Look at what {server.base_url} allows it."
    )


def test_an_exhausted_quota_is_not_asked_again(loopback: Start) -> None:
    server = loopback(faults=always(faults.quota_exhausted()))
    assert error(spec(server.base_url), request(), AccountStopped) == (
        "desk: the quota is exhausted (status 429): You exceeded your current quota, please check your plan and "
        "billing details\n"
        "  Top it up or raise the limit at the provider, then run again: stored answers are not asked again."
    )
    assert server.count == 1


def test_an_unknown_model_stops_its_own_trials_and_no_others(loopback: Start) -> None:
    server = loopback(models=(MODEL,))
    unknown = "gpt-4o-2031-01-01"

    first, second, known = ask(spec(server.base_url), request(model=unknown), request("b", model=unknown), request())

    assert str(first) == (
        f"desk/{unknown}: the provider does not know the model '{unknown}': The model `{unknown}` does not exist or "
        "you do not have access to it\n"
        "  Look at its spelling, and whether the key has access to it."
    )
    assert str(second) == str(first)
    assert isinstance(known, Completion)


def test_an_unknown_deployment_names_the_line_to_write(loopback: Start) -> None:
    missing = {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}
    fault = faults.Fault(status=404, body=faults.json_value(missing).body)
    server = loopback(faults=always(fault))
    assert error(spec(server.origin, kind="azure", family="azure"), request(), AccountStopped) == (
        f"desk/{MODEL}: the provider does not know the model '{MODEL}': The API deployment does not exist\n"
        f"  Write its deployment in promptgate.yaml: providers: desk: deployments: {{{MODEL}: …}}."
    )


def test_a_wrong_path_is_told_apart_from_an_unknown_model(loopback: Start) -> None:
    server = loopback(faults=always(faults.html(404)))
    assert error(spec(server.base_url), request(), AccountStopped) == (
        f"desk/{MODEL}: there are no chat completions at {server.base_url} (status 404)\n"
        "  Look at base_url: most end in /v1."
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            faults.context_length(),
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens",
        ),
        (
            faults.content_filter(),
            "The response was filtered due to the prompt triggering the content management policy",
        ),
        (faults.unsupported_parameter("top_k"), "Unsupported parameter: 'top_k' is not supported with this model"),
    ],
)
def test_a_400_is_that_requests_own_and_asked_once(fault: faults.Fault, said: str, loopback: Start) -> None:
    server = loopback(faults=always(fault))
    assert error(spec(server.base_url), request(), RequestRefused) == (
        f"desk/{MODEL}: the provider refused this request (status 400): {said}"
    )
    assert server.count == 1


def test_what_a_provider_says_is_shown_without_secrets_and_control_characters(loopback: Start) -> None:
    said = {"error": {"message": f"bad \x1b[31mkey {KEY}"}}
    server = loopback(faults=always(faults.Fault(status=400, body=faults.json_value(said).body)))
    assert error(spec(server.base_url), request(), RequestRefused) == (
        f"desk/{MODEL}: the provider refused this request (status 400): bad \\x1b[31mkey [secret]"
    )


AGAIN = "\n  What was answered is stored: run again, and only what is missing is asked."
ODD = "\n  If it stays so, look at base_url: a proxy or another service may be answering."


@pytest.mark.parametrize(
    ("fault", "what", "tries"),
    [
        (faults.rate_limited(), "the rate limit was reached (status 429): Rate limit reached for requests", 3),
        (faults.server_error(), "the provider failed (status 500): The server had an error", 2),
        (faults.server_error(503), "the provider failed (status 503): The server had an error", 3),
        (faults.server_error(408), "the provider failed (status 408): The server had an error", 2),
        (faults.server_error(409), "the provider failed (status 409): The server had an error", 2),
        (faults.html(502), "the provider failed (status 502)", 2),
        (faults.html(), "the reply is an HTML page, not JSON", 2),
        (faults.TRUNCATED, "the reply is no complete JSON (200 bytes)", 2),
        (faults.json_value([]), "the reply is not a whole answer: JSON, but list in place of an object", 2),
        (faults.json_value({}), "the reply is not a whole answer: a reply without choices", 2),
        (
            faults.json_value({"choices": [{"message": {"content": None}, "finish_reason": "stop"}]}),
            "the reply is not a whole answer: a message without content",
            2,
        ),
        (
            faults.json_value({"error": {"message": "upstream is gone", "code": 502}}),
            "the provider failed with status 200: upstream is gone",
            2,
        ),
    ],
)
def test_a_fault_is_retried_and_then_told(fault: faults.Fault, what: str, tries: int, loopback: Start) -> None:
    server = loopback(faults=always(fault))
    hint = ODD if what.startswith("the reply") else AGAIN
    assert error(spec(server.base_url), request(), TransportFault) == (
        f"desk/{MODEL}: {what}; gave up after {tries} tries{hint}"
    )
    assert server.count == tries


@pytest.mark.parametrize("fault", [faults.DROPPED, faults.CLOSED])
def test_a_dropped_connection_is_not_called_a_time_out(fault: faults.Fault, loopback: Start) -> None:
    server = loopback(faults=always(fault))
    assert error(spec(server.base_url), request(), TransportFault) == (
        f"desk/{MODEL}: the connection to {server.base_url} was dropped before the answer was complete; "
        f"gave up after 2 tries{AGAIN}"
    )


def test_a_server_that_hangs_is_left(loopback: Start) -> None:
    server = loopback(faults=always(faults.HUNG))
    assert error(spec(server.base_url, timeout_s=0.1), request(), TransportFault) == (
        f"desk/{MODEL}: no answer within 0.1 s; gave up after 2 tries{AGAIN}"
    )


def test_a_wait_beyond_the_time_granted_is_not_begun(loopback: Start) -> None:
    server = loopback(faults=always(faults.rate_limited(3600)))
    assert error(spec(server.base_url), request(), TransportFault) == (
        f"desk/{MODEL}: the rate limit was reached (status 429): Rate limit reached for requests; gave up after "
        f"1 try, for it wants 3600 s of patience and 120 s are granted{AGAIN}"
    )


def test_the_time_granted_to_retries_is_the_providers_own(loopback: Start) -> None:
    server = loopback(faults=always(faults.server_error()))
    (told,) = ask(spec(server.base_url, retry_for_s=0.0), request(), policy=None)
    assert str(told) == (
        f"desk/{MODEL}: the provider failed (status 500): The server had an error; gave up after 1 try{AGAIN}"
    )
    assert server.count == 1


def test_a_provider_that_says_not_to_retry_is_believed(loopback: Start) -> None:
    server = loopback(faults=always(faults.server_error(500, x_should_retry="false")))
    assert error(spec(server.base_url), request(), RequestRefused) == (
        f"desk/{MODEL}: the provider refused this request (status 500): The server had an error"
    )
    assert server.count == 1


def test_every_fault_that_passes_leaves_an_answer_behind(loopback: Start) -> None:
    passing = [
        faults.rate_limited(0.01),
        faults.server_error(),
        faults.html(),
        faults.TRUNCATED,
        faults.DROPPED,
        faults.CLOSED,
    ]
    server = loopback(faults=passing)
    patient = RetryPolicy(broken_tries=20, first_s=0.001)

    assert answer(spec(server.base_url), request(), policy=patient).text == "hello"
    assert server.count == len(passing) + 1


def test_a_refused_connection_stops_the_account_with_its_address() -> None:
    address = f"http://127.0.0.1:{closed_port()}/v1"
    assert error(spec(address), request(), AccountStopped) == (
        f"desk: nobody answers at {address}: the connection was refused\n"
        "  Is the server running, and is base_url of desk right?"
    )


def test_a_refused_connection_after_an_answer_is_one_requests_fault(loopback: Start) -> None:
    server = loopback()

    async def run() -> BaseException | Completion:
        account = OpenAIAccount(spec(server.base_url), 64, policy=HASTY, seed=0)
        await account.ask(request())
        server.close()
        (second,) = await asyncio.gather(account.ask(request("again")), return_exceptions=True)
        await account.close()
        return second

    second = asyncio.run(run())
    assert type(second) is TransportFault
    assert str(second) == (
        f"desk/{MODEL}: nobody answers at {server.base_url}: the connection was refused; gave up after 2 tries\n"
        "  Is the server running, and is base_url of desk right?"
    )


def test_an_account_that_never_answers_is_stopped_after_ten_requests(loopback: Start) -> None:
    server = loopback(faults=always(faults.server_error()))
    told = [str(each) for each in ask(spec(server.base_url), *(request(str(number)) for number in range(12)))]
    assert told[9] == (
        "desk: 10 requests in a row were not answered; the last: the provider failed (status 500): "
        "The server had an error"
    )


def test_a_moved_model_is_an_error(loopback: Start) -> None:
    server = loopback(model="gpt-4o-2024-08-06")
    assert error(spec(server.base_url), request(), WrongModel) == (
        f"desk/{MODEL}: asked for {MODEL}, answered by gpt-4o-2024-08-06\n"
        "  The provider moved this name, or a deployment serves another model. Pin the one that answers."
    )


def test_an_echoing_provider_is_noted_once(loopback: Start) -> None:
    server = loopback()

    async def run() -> tuple[str, ...]:
        account = OpenAIAccount(spec(server.base_url, family="mistral"), 64, seed=0)
        await account.ask(request("a", model="mistral-large-2411"))
        await account.ask(request("b", model="mistral-large-2411"))
        await account.close()
        return account.notes

    assert asyncio.run(run()) == ("desk/mistral-large-2411: served model not verifiable",)


def test_an_answer_withheld_by_the_filter_or_the_limit_is_that_requests_own(loopback: Start) -> None:
    reasons = {"filter": "content_filter", "limit": "length"}
    server = loopback(answers=lambda body: Answer(finish_reason=reasons[body["messages"][0]["content"]]))
    assert error(spec(server.base_url), request("filter"), RequestRefused) == (
        f"desk/{MODEL}: the provider's content filter withheld the answer"
    )
    assert error(spec(server.base_url), request("limit"), RequestRefused) == (
        f"desk/{MODEL}: the token limit was reached before the first word of the answer\n"
        "  Raise maxOutputTokens; a reasoning model spends it on thinking first."
    )


def test_a_refusal_is_an_answer(loopback: Start) -> None:
    server = loopback(answers=lambda _body: Answer(refusal="I cannot help with that."))
    got = answer(spec(server.base_url), request())
    assert (got.text, got.finish_reason) == ("I cannot help with that.", "refusal")


def test_one_in_four_faults_lose_no_request(loopback: Start) -> None:
    shares = {faults.rate_limited(0.01): 0.1, faults.server_error(): 0.05, faults.DROPPED: 0.05, faults.html(): 0.05}
    server = loopback(faults=faults.Chance(shares=shares, seed=3))
    patient = RetryPolicy(broken_tries=12, first_s=0.002)

    got = ask(spec(server.base_url), *(request(f"question {number}") for number in range(300)), policy=patient)

    assert [each.text for each in got if isinstance(each, Completion)] == [f"question {n}" for n in range(300)]


def test_no_more_connections_than_allowed(loopback: Start) -> None:
    server = loopback(latency=0.005)

    async def run() -> None:
        account = OpenAIAccount(spec(server.base_url), 3, seed=0)
        await asyncio.gather(*(account.ask(request(str(number))) for number in range(30)))
        await account.close()

    asyncio.run(run())
    assert server.most_at_once <= 3


def test_a_slow_request_is_hedged_where_that_is_allowed(loopback: Start) -> None:
    seen: set[str] = set()

    def hang_once(_number: int, body: dict[str, Any]) -> faults.Fault | None:
        text = body["messages"][0]["content"]
        slow = text == "slow" and text not in seen
        seen.add(text)
        return faults.HUNG if slow else None

    server = loopback(faults=hang_once, latency=0.002)

    async def run() -> Completion:
        account = OpenAIAccount(spec(server.base_url, hedge=True), 64, seed=0)
        await asyncio.gather(*(account.ask(request(str(number))) for number in range(40)))
        got = await account.ask(request("slow"))
        await account.close()
        return got

    got = asyncio.run(run())
    assert (got.text, got.requests) == ("slow", 2)
