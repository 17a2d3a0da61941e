"""The rule of suites that name none, through pytest: luck is asked again where there can be luck."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from front_project import SUITE, Project, lines_of, section
from varying_world import PLAIN, World, begun, luck

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

FELL = "accuracy fell from 1.000 to 0.900 (n=20, change -0.100, tolerance 0)"
KEPT = (
    "  note: the rule is strict, under which the baseline was written; the default for this model is confirm: to go by "
    "it, write `gate: {rule: confirm}` into evals/triage.eval.yaml and accept that with a reason"
)


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    """A suite that names no rule, its baseline, and a new version of its prompt."""
    return begun(project, loopback, PLAIN)


def recorded_rules(project: Project) -> dict[str, str]:
    """By slot, as the lockfile of the suite ``triage`` has them."""
    slots: dict[str, Any] = json.loads(project.text("promptgate.lock.json"))["suites"]["triage"]
    return {slot: entry["rule"] for slot, entry in slots.items()}


def record_strict(project: Project) -> None:
    """Leave the lockfile as the first versions of this package wrote it."""
    lock = project.text("promptgate.lock.json")
    assert '"rule": "confirm"' in lock
    project.write("promptgate.lock.json", lock.replace('"rule": "confirm"', '"rule": "strict"'))


def test_a_model_whose_answers_vary_is_asked_again_without_anybodys_word(world: World) -> None:
    world.noise.script = luck

    result = world.evals()

    assert result.ret == 0
    assert f"  {FELL}; re-asked 2 cases x 8 x 2 (32 calls)" in result.stdout.str()
    assert recorded_rules(world.project) == {"default": "confirm"}


def test_a_baseline_of_an_older_version_keeps_strict_and_says_so(world: World) -> None:
    record_strict(world.project)
    world.noise.script = luck

    result = world.evals()

    assert result.ret == 1
    assert FELL in section(result, "FAILURES").splitlines()
    assert KEPT in result.stdout.lines


def test_an_older_baseline_turns_nothing_red_and_a_rewritten_one_stays_strict(world: World) -> None:
    record_strict(world.project)

    result = world.project.accept("-q")

    assert KEPT in result.stdout.lines
    assert recorded_rules(world.project) == {"default": "strict"}


def test_to_leave_strict_the_suite_names_the_rule_and_somebody_gives_a_reason(world: World) -> None:
    record_strict(world.project)
    world.project.suite(f"{PLAIN}gate: {{rule: confirm}}\n")

    refused = world.evals()
    world.project.accept("--accept-regression", "answers vary")

    told = "the suite promises less than its baseline: the rule was strict, and is confirm now"
    assert told in section(refused, "FAILURES").splitlines()
    assert recorded_rules(world.project) == {"default": "confirm"}


def test_a_written_strict_cannot_be_taken_out_in_silence(world: World) -> None:
    world.project.suite(f"{PLAIN}gate: {{rule: strict}}\n")
    world.project.accept()
    world.project.suite(PLAIN)

    result = world.evals()

    assert (result.ret, lines_of(result, KEPT)) == (0, [KEPT])


def test_a_model_that_cannot_be_lucky_is_held_to_strict(project: Project) -> None:
    project.standard()
    project.accept()
    project.worse()

    result = project.evals("-q")

    assert result.ret == 1
    assert recorded_rules(project) == {"default": "strict"}
    assert "re-ask" not in result.stdout.str()
    assert lines_of(result, "  note: ") == []


def test_slots_of_different_kinds_have_rules_of_their_own(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    models = "model: {steady: embedded/nearest-example-1, served: local/small-1}\n"
    project.standard()
    project.server(loopback().base_url)
    project.suite(SUITE + models)

    project.accept()

    assert recorded_rules(project) == {"served": "confirm", "steady": "strict"}


def test_from_a_model_that_cannot_be_lucky_to_one_that_can_is_a_change_of_rule_that_wants_a_reason(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    project.standard()
    project.accept()
    project.server(loopback().base_url)
    project.suite(f"{SUITE}model: local/small-1\n")

    result = project.evals("-q")

    assert result.ret == 1
    told = "the suite promises less than its baseline: the rule was strict, and is confirm now"
    assert told in section(result, "FAILURES").splitlines()
