"""Providers that do not answer as they should, over real HTTP: told once, red, and nothing paid is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from front_project import RIGHT, ROWS, Project, asked, lines_of, section
from front_refusals import clean, failures, told_below
from loopback import faults
from loopback.server import LoopbackServer, closed_port

Start: TypeAlias = Callable[..., LoopbackServer]
MANY = [(f"c-{number:02}", f"message {number}", "billing") for number in range(60)]
KEY = "sk-very-secret-0123456789"
GATE = "triage@v1::gate:accuracy[small-1]"


def after(answers: int, fault: faults.Fault) -> Callable[[int, dict[str, Any]], faults.Fault | None]:
    """A server that answers so often, and then does this."""
    return lambda number, _body: fault if number >= answers else None


def served(project: Project, base_url: str, *, more: str = "", rows: Sequence[tuple[str, str, str]] = ROWS) -> Project:
    """The project on a model behind HTTP that is asked once for each answer."""
    project.served(base_url)
    project.server(base_url, more=f", retry_for_s: 0{more}")
    project.dataset(rows)
    return project


def gate_lines(told: str, *, rows: int = 10) -> list[str]:
    """What FAILURES shows if every case failed for this: the gate, and no case."""
    return [
        GATE,
        f"accuracy cannot be judged: {told}",
        (
            f"no baseline can be written from this run: {rows} of {rows} trials failed or were not asked, "
            f"first {'c-01' if rows == 10 else 'c-00'}: {told}"
        ),
    ]


# --- what concerns a whole account -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "more", "what", "mend"),
    [
        pytest.param(
            faults.unauthorized(KEY),
            ", api_key_env: DESK_KEY",
            "local: the provider refused the key in DESK_KEY",
            "Put a valid key for {url} into DESK_KEY.",
            id="401",
        ),
        pytest.param(
            faults.unauthorized(),
            "",
            "local: the provider wants a key",
            "Add `api_key_env`, the name of its variable, in promptgate.yaml.",
            id="401 without a key",
        ),
        pytest.param(
            faults.forbidden(),
            "",
            "local: the provider denies access (status 403): Country, region, or territory not supported",
            "Look at what {url} allows it.",
            id="403",
        ),
        pytest.param(
            faults.quota_exhausted(),
            "",
            "local: the quota is exhausted (status 429): You exceeded your current quota, please check your plan and "
            "billing details",
            "Top it up or raise the limit at the provider, then run again: stored answers are not asked again.",
            id="no quota",
        ),
        pytest.param(
            faults.unknown_model("small-1"),
            "",
            "local/small-1: the provider does not know the model 'small-1': The model `small-1` does not exist or you "
            "do not have access to it",
            "Look at its spelling, and whether the key has access to it.",
            id="404 of the model",
        ),
        pytest.param(
            faults.html(404),
            "",
            "local/small-1: there are no chat completions at {url} (status 404)",
            "Look at base_url: most end in /v1.",
            id="404 of the path",
        ),
    ],
)
def test_what_stops_an_account_is_told_once_and_sixty_cases_take_a_line_each(
    project: Project,
    loopback: Start,
    monkeypatch: pytest.MonkeyPatch,
    fault: faults.Fault,
    more: str,
    what: str,
    mend: str,
) -> None:
    monkeypatch.setenv("DESK_KEY", KEY)
    server = loopback(faults=after(0, fault))
    what, mend = what.format(url=server.base_url), mend.format(url=server.base_url)

    result = clean(served(project, server.base_url, more=more, rows=MANY).evals())

    result.assert_outcomes(failed=61)
    assert failures(result) == gate_lines(what, rows=60)
    assert told_below(result) == [what, f"  {mend}"]
    text = "\n".join((*result.outlines, *result.errlines))
    assert text.count(mend) == 1
    assert len(lines_of(result, "UNANSWERED ")) == 60
    assert len(result.outlines) < 90
    assert server.count <= 20
    assert KEY not in text


def test_no_key_is_told_once_and_nothing_is_asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    project.standard().prompt("v1", model="gpt-4o-2024-11-20")

    result = clean(project.evals())

    result.assert_outcomes(failed=11)
    assert told_below(result) == [
        "openai: OPENAI_API_KEY is not set",
        "  Put the provider's key there: export OPENAI_API_KEY=… (or run with --prompt-offline).",
    ]
    assert failures(result)[:2] == [
        "triage@v1::gate:accuracy[gpt-4o-2024-11-20]",
        "accuracy cannot be judged: openai: OPENAI_API_KEY is not set",
    ]


def test_a_refused_connection_is_told_once(project: Project) -> None:
    url = f"http://127.0.0.1:{closed_port()}/v1"
    what = f"local: nobody answers at {url}: the connection was refused"

    result = clean(served(project, url).evals())

    result.assert_outcomes(failed=11)
    assert failures(result) == gate_lines(what)
    assert told_below(result) == [what, "  Is the server running, and is base_url of local right?"]


def test_the_address_of_openai_is_taken_from_the_environment_and_told(
    project: Project, loopback: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = loopback(faults=after(0, faults.unauthorized(KEY)))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    project.standard().prompt("v1", model="gpt-4o-2024-11-20")

    assert told_below(clean(project.evals())) == [
        "openai: the provider refused the key in OPENAI_API_KEY",
        f"  Put a valid key for {server.base_url} into OPENAI_API_KEY.",
    ]


def test_a_model_that_moved_is_told_once_asked_no_more_and_cannot_be_compared(
    project: Project, loopback: Start
) -> None:
    server = loopback(answers=RIGHT)
    served(project, server.base_url, rows=MANY).accept()
    server.model = "small-9"
    project.dataset([(case, f"{message}?", queue) for case, message, queue in MANY])

    result = clean(project.evals())

    what = "local/small-1: asked for small-1, answered by small-9"
    assert failures(result)[:2] == [GATE, f"accuracy cannot be compared: {what}"]
    assert told_below(result) == [
        what,
        "  The provider moved this name, or a deployment serves another model. Pin the one that answers.",
    ]
    assert len(lines_of(result, "UNANSWERED ")) == 60
    assert server.count <= 80


# --- what concerns one request ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "what", "mend"),
    [
        pytest.param(
            faults.html(),
            "the reply is an HTML page, not JSON",
            "If it stays so, look at base_url: a proxy or another service may be answering.",
            id="HTML",
        ),
        pytest.param(
            faults.json_value([]),
            "the reply is not a whole answer: JSON, but list in place of an object",
            "If it stays so, look at base_url: a proxy or another service may be answering.",
            id="other JSON",
        ),
        pytest.param(
            faults.server_error(),
            "the provider failed (status 500): The server had an error",
            "What was answered is stored: run again, and only what is missing is asked.",
            id="500",
        ),
        pytest.param(
            faults.DROPPED,
            "the connection to {url} was dropped before the answer was complete",
            "What was answered is stored: run again, and only what is missing is asked.",
            id="dropped",
        ),
    ],
)
def test_what_fails_the_same_way_is_told_by_the_first_case(
    project: Project, loopback: Start, fault: faults.Fault, what: str, mend: str
) -> None:
    server = loopback(faults=after(0, fault))
    told = f"local/small-1: {what.format(url=server.base_url)}; gave up after 1 try"

    result = clean(served(project, server.base_url, rows=ROWS[:4]).evals())

    result.assert_outcomes(failed=5)
    assert failures(result)[:5] == [
        "triage@v1::c-01[small-1]",
        f"c-01 could not be answered: {told}",
        f"  {mend}",
        GATE,
        f"accuracy cannot be judged: {told}",
    ]
    assert told_below(result) == []
    assert len(lines_of(result, "UNANSWERED ")) == 4


def test_truncated_json_is_told_by_the_first_case(project: Project, loopback: Start) -> None:
    server = loopback(faults=after(0, faults.TRUNCATED))
    rows = [(case, "same length", "billing") for case, _, _ in ROWS[:4]]

    result = clean(served(project, server.base_url, rows=rows).evals())

    told, mend = failures(result)[1:3]
    assert told.startswith("c-01 could not be answered: local/small-1: the reply is no complete JSON (")
    assert told.endswith(" bytes); gave up after 1 try")
    assert mend == "  If it stays so, look at base_url: a proxy or another service may be answering."


def test_a_request_that_is_too_long_leaves_its_case_unscored_and_said(project: Project, loopback: Start) -> None:
    def script(_number: int, body: dict[str, Any]) -> faults.Fault | None:
        return faults.context_length() if "courier did" in str(body["messages"][-1]) else None

    server = loopback(faults=script, answers=RIGHT)

    result = clean(served(project, server.base_url).evals())

    result.assert_outcomes(passed=10, failed=1)
    assert failures(result)[:2] == [
        GATE,
        "accuracy cannot be judged: 1 of 10 trials have no score (1 unscored), more than 2 %",
    ]
    assert told_below(result) == [
        (
            "  unscored: c-04: provider refused: the provider refused this request (status 400): This model's maximum "
            "context length is 8192 tokens. However, your messages resulted in 9001 tokens"
        )
    ]


def test_two_percent_of_refused_requests_are_green_but_said(project: Project, loopback: Start) -> None:
    def script(_number: int, body: dict[str, Any]) -> faults.Fault | None:
        return faults.context_length() if body["messages"][-1]["content"] == "message 7" else None

    server = loopback(faults=script, answers=lambda _body: "billing")

    result = served(project, server.base_url, rows=MANY).evals()

    result.assert_outcomes(passed=61)
    assert told_below(result)[0].startswith("  unscored: c-07: provider refused: ")


# --- nothing paid is lost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.unauthorized(), id="401"),
        pytest.param(faults.unknown_model("small-1"), id="404"),
        pytest.param(faults.quota_exhausted(), id="no quota"),
        pytest.param(faults.html(), id="HTML"),
        pytest.param(faults.TRUNCATED, id="truncated JSON"),
        pytest.param(faults.context_length(), id="400"),
        pytest.param(faults.CLOSED, id="closed"),
    ],
)
def test_answers_that_came_before_a_fault_are_not_asked_again(
    project: Project, loopback: Start, fault: faults.Fault
) -> None:
    server = loopback(answers=RIGHT, faults=after(6, fault))
    clean(served(project, server.base_url).evals())
    server.faults = None

    result = project.evals()

    result.assert_outcomes(passed=11)
    assert asked(result)[0].startswith("10 cases: 0 unchanged, 6 from the store, 4 asked")


def test_answers_that_came_before_a_model_moved_are_not_asked_again(project: Project, loopback: Start) -> None:
    server = loopback(answers=RIGHT)
    server.faults = lambda number, _body: moved(server, number)
    clean(served(project, server.base_url).evals())
    server.faults, server.model = None, None

    assert asked(project.evals())[0].startswith("10 cases: 0 unchanged, 6 from the store, 4 asked")


def moved(server: LoopbackServer, number: int) -> None:
    """From the seventh request on another model answers."""
    if number >= 6:
        server.model = "small-9"


def test_no_baseline_is_written_from_a_run_with_faults(project: Project, loopback: Start) -> None:
    server = loopback(answers=RIGHT, faults=after(6, faults.quota_exhausted()))

    result = clean(served(project, server.base_url).run("--update-baseline"))

    assert not (project.root / "promptgate.lock.json").exists()
    assert (
        section(result, "prompt evals")
        .splitlines()[-1]
        .startswith("triage: baseline NOT written: 4 of 10 trials failed or were not asked, first c-")
    )
