"""``--prompt-fail-fast``, evidence case by case, and the first round: fewer calls, the same verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from front_project import SERVED, Project, asked, lines_of

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

SUITE = """\
prompt: echo
dataset: ../datasets/mails.jsonl
scorers: {same: exact_match}
metrics: {accuracy: mean(same), words: mean(tokens_out)}
"""
ROWS = [(f"c-{number:02}", f"m{number}", f"m{number}") for number in range(20)]
ONE = ("-o", "promptgate_max_connections=1")


class World:
    """A project whose model answers right, but for the cases that version v2 fails."""

    def __init__(self, project: Project, loopback: Callable[..., LoopbackServer]) -> None:
        self.project = project
        self.failing = range(20)
        self.server = loopback(answers=self.answer)
        project.server(self.server.base_url)
        project.dataset(ROWS)

    def answer(self, body: dict[str, Any]) -> str:
        version, text = body["messages"][0]["content"], str(body["messages"][-1]["content"])
        return "no" if version == "v2" and int(text[1:]) in self.failing else text

    def version(self, version: str) -> None:
        self.project.write(
            f"prompts/echo/{version}.prompty",
            f"---\nname: echo\nmodel: {SERVED}\ninputs:\n  - {{name: message, kind: string, required: true}}\n---\n"
            f"system:\n{version}\n\nuser:\n{{{{ message }}}}\n",
        )

    def under(self, rule: str, *, samples: int = 1) -> World:
        """A baseline of v1 under `rule`, and version v2."""
        self.version("v1")
        self.project.suite(f"{SUITE}samples: {samples}\ngate: {{rule: {rule}}}\n")
        self.project.accept()
        self.version("v2")
        return self

    def calls(self, *args: str) -> tuple[int, pytest.RunResult]:
        before = self.server.count
        result = self.project.evals(*args)
        return self.server.count - before, result


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    return World(project, loopback)


def test_a_certain_failure_ends_the_calls_and_the_rest_is_asked_by_a_later_run(world: World) -> None:
    world.under("strict")

    calls, stopped = world.calls("--prompt-fail-fast", *ONE)
    later, full = world.calls()

    assert (calls, later) == (1, 19)
    assert (stopped.ret, full.ret) == (1, 1)
    stopped.assert_outcomes(passed=1, skipped=20, failed=1)
    stopped.stdout.fnmatch_lines(
        [
            (
                "accuracy falls from 1.000 to 0.950 at best (n=20, tolerance 0): certain after 1 of 20 cases, "
                "even if all others pass"
            ),
            "  20 cases: 0 unchanged, 1 asked, 19 not answered*",
            "  accuracy *regressed*",
            "  words *inconclusive*",
            "19 answers were not asked for: triage: accuracy is certain to fail, after 1 of 20 cases",
        ]
    )
    full.stdout.fnmatch_lines(["accuracy fell from 1.000 to 0.000 (n=20, change -1.000, tolerance 0)"])
    assert asked(full)[0].startswith("20 cases: 0 unchanged, 1 from the store, 19 asked")


def test_a_run_that_does_not_fail_is_asked_in_full(world: World) -> None:
    world.under("strict").failing = range(0)

    calls, result = world.calls("--prompt-fail-fast", *ONE)

    assert (calls, result.ret) == (20, 0)


def test_a_metric_whose_gate_was_not_selected_stops_nothing(world: World) -> None:
    world.under("strict")

    calls, _ = world.calls("--prompt-fail-fast", *ONE, "-k", "words")

    assert calls == 20


def test_evidence_case_by_case_stops_its_suite_without_an_option(world: World) -> None:
    world.under("{significant: {early_stop: e, max_drop: 1}}")

    calls, result = world.calls(*ONE)

    assert calls < 20
    assert result.ret == 1
    assert len(lines_of(result, "accuracy fell: of the first ")) + len(lines_of(result, "accuracy falls from ")) >= 1


def test_where_the_first_round_is_not_lower_the_other_samples_are_not_asked(world: World) -> None:
    world.under("{significant: {first_round: true}}", samples=5).failing = range(0)

    calls, result = world.calls()

    assert (calls, result.ret) == (20, 0)
    result.stdout.fnmatch_lines(
        ["  note: first round: with one sample of each case nothing is lower, so the others were not asked"]
    )


def test_where_the_first_round_is_lower_all_samples_are_asked(world: World) -> None:
    world.under("{significant: {first_round: true}}", samples=5).failing = range(3)

    calls, result = world.calls()

    assert (calls, result.ret) == (100, 1)
    result.stdout.fnmatch_lines(
        ["prompt evals: triage came out lower with one sample of each case; asking 4 more of 20 cases"]
    )


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--update-baseline", "--update-baseline needs all answers"),
        ("--prompt-shard=1/2", "--prompt-shard judges nothing before the merge"),
        ("--prompt-control", "--prompt-control compares with answers that are asked in this run"),
    ],
)
def test_it_contradicts_options_that_need_all_answers(project: Project, option: str, why: str) -> None:
    result = project.standard().evals("--prompt-fail-fast", option)

    assert result.ret == 4
    told = f"ERROR: --prompt-fail-fast stops when a failure is certain, and {why}: drop one of the two"
    assert told in result.stderr.lines
