"""The anchor of a model whose answers vary moves up after a rise that is no luck, and to fresh answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from front_project import QUEUES, SERVED, Project
from judge_project import Models, judged_project
from varying_world import PLAIN, World, begun

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

ANNOUNCED = (
    "prompt evals: triage rose above its anchor; asking yours anew, for the next anchor: 20 cases x 1: 20 calls, "
    "about 60 tokens, cost unknown"
)
MOVED = "triage: the anchor moves up to 20 fresh answers (20 calls): accuracy rose"


def weak(version: str, case: int, _before: int) -> bool:
    """v1 fails ten cases of twenty, and v2 none."""
    return version != "v1" or case >= 10


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    """A baseline of 10 right answers of 20, and a version that is about to be judged."""
    return begun(project, loopback, PLAIN, script=weak)


def anchor(world: World) -> dict[str, Any]:
    """The anchor of the only suite."""
    found: dict[str, Any] = json.loads(world.project.text("promptgate.lock.json"))["suites"]["triage"]["default"]
    return found["anchor"]  # type: ignore[no-any-return]


def test_a_rise_moves_the_anchor_up_to_fresh_answers_and_not_to_the_winning_ones(world: World) -> None:
    world.noise.script = lambda version, case, before: weak(version, case, before) and (before == 0 or case != 19)

    calls = world.calls(lambda: world.project.accept("-q"))

    lock = json.loads(world.project.text("promptgate.lock.json"))["suites"]["triage"]["default"]
    assert calls == 20 + 20
    assert (lock["anchor"]["prompt"], lock["anchor"]["reason"]) == ("echo@v2", "improved: accuracy")
    assert lock["anchor"]["cases"]["c-19"] != lock["cases"]["c-19"]  # lucky in the run, wrong when asked anew
    assert lock["anchor"]["cases"]["c-00"] == lock["cases"]["c-00"]


def test_what_is_asked_for_the_anchor_is_said_before_and_after(world: World) -> None:
    result = world.project.accept("-q")

    assert ANNOUNCED in result.stdout.lines
    assert MOVED in result.stdout.lines
    assert "triage: anchor: echo@v1 -> echo@v2 (improved: accuracy)" in result.stdout.lines


def test_the_new_anchor_is_what_later_changes_are_held_against(world: World) -> None:
    world.project.accept("-q")
    world.version("v3")
    world.noise.script = lambda version, case, _before: version != "v3" or case >= 10

    result = world.evals()

    assert result.ret == 1
    assert "asking production, the anchor and yours again: 10 cases" in result.stdout.str()


def test_a_rise_that_fresh_answers_do_not_bear_out_leaves_the_anchor_where_it_was(world: World) -> None:
    world.noise.script = lambda version, case, before: version == "v2" and (before == 0 or case >= 10)

    result = world.project.accept("-q")

    told = "triage: the anchor stays at echo@v1: accuracy rose, but 20 fresh answers (20 calls) did not bear it out"
    assert told in result.stdout.lines
    assert anchor(world)["prompt"] == "echo@v1"


def test_the_same_rise_is_not_asked_twice(world: World) -> None:
    world.noise.script = lambda version, case, before: version == "v2" and (before == 0 or case >= 10)
    world.project.accept("-q")

    calls = world.calls(lambda: world.project.accept("-q"))

    assert calls == 0


def test_a_rise_that_may_be_luck_asks_nothing(world: World) -> None:
    world.noise.script = lambda version, case, _before: version == "v2" and case >= 6

    calls = world.calls(lambda: world.project.accept("-q"))

    assert calls == 20
    assert anchor(world)["prompt"] == "echo@v1"


def test_without_the_money_the_anchor_stays_and_the_run_is_green(world: World) -> None:
    prices = "prices: {local/small-1: {input: 0, output: 100000}}\n"  # ten cents a word
    world.project.write("promptgate.yaml", world.project.text("promptgate.yaml") + prices)

    lines: list[str] = []

    calls = world.calls(lambda: lines.extend(world.project.accept("-q", "--prompt-max-cost", "3").stdout.lines))

    assert calls == 20
    told = "but asking anew would cost more than --prompt-max-cost 3"
    assert f"triage: the anchor stays at echo@v1: accuracy rose, {told}" in lines


def test_offline_the_anchor_stays_and_the_command_is_named(world: World) -> None:
    world.evals()

    result = world.project.accept("-q", "--prompt-offline")

    told = "but --prompt-offline cannot ask anew; run: pytest evals/triage.eval.yaml --update-baseline"
    assert f"triage: the anchor stays at echo@v1: accuracy rose, {told}" in result.stdout.lines
    assert anchor(world)["prompt"] == "echo@v1"


def test_where_stored_samples_decide_the_anchor_takes_fifteen_of_each_case(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    world = begun(project, loopback, f"{PLAIN}samples: 3\ngate: {{rule: significant}}\n", script=weak)

    calls = world.calls(lambda: world.project.accept("-q"))

    assert calls == 20 * 3 + 20 * 15
    assert anchor(world)["prompt"] == "echo@v2"


def test_under_a_control_the_anchor_stays_whatever_day_the_provider_has(world: World) -> None:
    world.noise.script = lambda _version, _case, _before: True

    lines: list[str] = []
    calls = world.calls(lambda: lines.extend(world.project.accept("-q", "--prompt-control").stdout.lines))

    assert calls == 20 + 20
    told = "but with --prompt-control that may be the provider's good day"
    assert f"triage: the anchor stays at echo@v1: accuracy rose, {told}" in lines
    assert anchor(world)["prompt"] == "echo@v1"


def test_what_judges_take_for_fresh_answers_counts_before_they_are_asked(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    def verdict(seen: dict[str, str]) -> str:
        long = "well " * 200
        return f"{long}\nVERDICT {seen['mark']}: {'right' if seen['answer'].startswith('right') else 'wrong'}"

    models = Models(verdict=verdict, answer=lambda _question: "nothing")
    judged_project(project, loopback(answers=models).base_url)
    prices = "prices: {local/small-1: {input: 0, output: 0}, local/small-2: {input: 0, output: 100000}}\n"
    project.write("promptgate.yaml", project.text("promptgate.yaml") + prices)
    project.accept("-q")
    project.prompt("v2", {**QUEUES, "hello": "billing"}, model=SERVED)
    fresh = count()
    models.answer = lambda _question: f"right {next(fresh)}"

    result = project.accept("-q", "--prompt-max-cost", "300")  # ten verdicts cost about $200, and there are ten more

    told = (
        "triage: the anchor stays at triage@v1: tone rose, but asking anew would cost more than --prompt-max-cost 300"
    )
    assert told in result.stdout.lines
    assert len(models.answered) == 10 + 10
