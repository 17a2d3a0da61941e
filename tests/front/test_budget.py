"""The header before the first call, ``--prompt-max-cost`` and ``--prompt-max-time``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, Project, asked, lines_of, section

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

# A server's word is a token; every answer is one word, every prompt of the standard project 61 or more.
DEAR = "prices: {local/small-1: {input: 0, output: 100000}}\n"  # 10 cents an answer


@pytest.fixture
def priced(project: Project, loopback: Callable[..., LoopbackServer]) -> tuple[Project, LoopbackServer]:
    """The standard project behind HTTP, an answer costs 10 cents."""
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    project.write("promptgate.yaml", project.text("promptgate.yaml") + DEAR)
    project.write(
        "prompts/triage/v1.prompty",
        project.text("prompts/triage/v1.prompty").replace(
            "provider: local}", "provider: local, options: {maxOutputTokens: 1}}"
        ),
    )
    return project, server


# --- the header ------------------------------------------------------------------------------------------------------


def test_before_the_first_call_a_line_says_what_will_be_asked(priced: tuple[Project, LoopbackServer]) -> None:
    project, _ = priced

    result = project.evals()

    (header,) = lines_of(result, "prompt evals: 10 calls, about ")
    assert header.endswith(" tokens, about $1.00 (tokens guessed from the length of the prompts)")
    lines = result.stdout.lines
    assert lines.index(header) < next(index for index, line in enumerate(lines) if line.startswith("evals/triage"))


def test_earlier_answers_tell_better_than_the_length_of_the_prompts(priced: tuple[Project, LoopbackServer]) -> None:
    project, _ = priced
    project.evals()
    project.dataset([*[(f"n-{number}", "new", "billing") for number in range(5)]])

    (header,) = lines_of(project.evals(), "prompt evals: 5 calls, about ")

    assert header.endswith("tokens, about $0.50")


def test_a_cost_that_nobody_knows_is_said_to_be_unknown(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    result = project.served(loopback(answers=RIGHT).base_url).evals()

    (header,) = lines_of(result, "prompt evals: 10 calls, about ")
    assert ", cost unknown" in header


def test_when_nothing_is_asked_nothing_is_announced(project: Project) -> None:
    project.standard().accept()

    assert lines_of(project.evals(), "prompt evals:") == []


def test_the_announcement_comes_once_and_before_evals_only(project: Project) -> None:
    project.standard()
    project.suite(name="other")
    project.write("test_unit.py", "def test_one():\n    pass\n")

    result = project.evals()

    assert len(lines_of(result, "prompt evals: 20 calls")) == 1
    lines = [line.split(" ")[0] for line in result.stdout.lines]
    assert lines.index("test_unit.py") < lines.index("prompt")


def test_collect_only_announces_nothing(project: Project) -> None:
    assert lines_of(project.standard().evals("--collect-only"), "prompt evals:") == []


# --- refused ---------------------------------------------------------------------------------------------------------


def test_an_estimate_above_the_limit_refuses_to_start(priced: tuple[Project, LoopbackServer]) -> None:
    project, server = priced

    result = project.evals("--prompt-max-cost", "0.5")

    assert server.count == 0
    assert result.ret == 1
    result.assert_outcomes(skipped=10, failed=1)
    failure = section(result, "FAILURES").splitlines()
    start = failure.index(next(line for line in failure if line.startswith("--prompt-max-cost")))
    assert failure[start].startswith("--prompt-max-cost 0.5: the estimate is $1.00 (10 calls, about ")
    assert failure[start].endswith(": nothing was asked")
    assert failure[start + 1] == "  Grant more, select fewer cases (-k, --prompt-smoke), or run without the limit."


def test_an_unknown_price_refuses_to_start(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT)

    result = project.served(server.base_url).evals("--prompt-max-cost", "5")

    assert server.count == 0
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "--prompt-max-cost 5: the price of local/small-1 is not known: nothing was asked",
            (
                "  Write it in promptgate.yaml, in USD per million tokens: "
                "`prices: {local/small-1: {input: 2.5, output: 10}}`, or run without the limit."
            ),
        ]
    )


def test_a_refused_run_of_cases_alone_is_red_too(priced: tuple[Project, LoopbackServer]) -> None:
    project, server = priced

    result = project.evals("--prompt-max-cost", "0", "-k", "c-01 or c-02", "--deselect", "evals/triage.eval.yaml::gate")

    assert (server.count, result.ret) == (0, 1)


def test_what_needs_no_call_runs_under_any_budget(priced: tuple[Project, LoopbackServer]) -> None:
    project, server = priced
    project.accept()

    result = project.evals("--prompt-max-cost", "0")

    assert (server.count, result.ret) == (10, 0)


def test_the_embedded_model_costs_nothing(project: Project) -> None:
    assert project.standard().evals("--prompt-max-cost", "0").ret == 0


# --- reached ---------------------------------------------------------------------------------------------------------


def test_when_the_spend_reaches_the_limit_the_run_stops_red_and_keeps_its_answers(
    priced: tuple[Project, LoopbackServer],
) -> None:
    project, server = priced
    long = "billing and so on"  # four tokens where one was expected
    server.answers = lambda _body: long

    result = project.evals("--prompt-max-cost", "1", "-o", "promptgate_max_connections=1")
    again = project.evals()

    assert server.count == 10
    result.assert_outcomes(passed=2, skipped=8, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "accuracy cannot be judged: 8 of 10 trials were not asked: the budget of $1.00 was reached",
            "  10 cases: 0 unchanged, 2 asked, 8 not answered, *$0.80",
            "8 answers were not asked for: the budget of $1.00 was reached",
        ]
    )
    assert asked(again)[0].startswith("10 cases: 0 unchanged, 2 from the store, 8 asked")


def test_a_folded_suite_says_so_in_one_line(priced: tuple[Project, LoopbackServer]) -> None:
    project, server = priced
    server.answers = lambda _body: "billing and so on"

    result = project.evals(
        "--prompt-max-cost", "1", "-o", "promptgate_max_connections=1", "-o", "promptgate_items=suite"
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["8 of 10 cases were not asked: the budget of $1.00 was reached"])


def test_when_the_time_is_over_the_rest_is_not_asked(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT, latency=0.5)
    project.served(server.base_url)

    result = project.evals("--prompt-max-time", "0.2s", "-o", "promptgate_max_connections=1")

    assert server.count == 1
    result.assert_outcomes(passed=1, skipped=9, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "accuracy cannot be judged: 9 of 10 trials were not asked: the time of 0.2 s was reached",
            "9 answers were not asked for: the time of 0.2 s was reached",
        ]
    )


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--prompt-max-cost", "ten", "expected an amount of USD, such as 0.50"),
        ("--prompt-max-time", "10", "expected a time with its unit, such as 90s, 10m or 1h"),
        ("--prompt-shard", "3", "expected I/N, such as 2/3 for the second of three machines"),
        ("--prompt-shard", "4/3", "expected I/N with I from 1 to 3"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_usage_error(project: Project, option: str, text: str, told: str) -> None:
    result = project.standard().evals(f"{option}={text}")

    assert result.ret == 4
    assert f"ERROR: {option} {text!r}: {told}" in result.stderr.lines
