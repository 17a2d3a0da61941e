"""Stage 2 of ``confirm``: which prompts are rebuilt and asked again, and why some cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fakes

from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.confirmation import Arm
from pytest_promptgate.core.types import Baseline, PromptInput, Recipe
from pytest_promptgate.workflows.confirm import Reference, Retest, retest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.workflows.evaluate import Evaluation

CASES = [fakes.case(f"c-{number}") for number in range(4)]
OLD = fakes.suite(CASES, template=fakes.prompt("old: {text}"))
NEW = fakes.planned(fakes.suite(CASES, template=fakes.prompt("new: {text}")))


def production(**changes: Any) -> Baseline:
    known = fakes.scored_before(fakes.planned(OLD), value=1.0)
    recipe = Recipe(prompt=OLD.prompt, inputs={}, constants={})
    return replace(known, **{"recipe": recipe, **changes})


def lower(*cases: str) -> tuple[Arms, ...]:
    return (Arms(cases=cases, before=((1.0,),) * len(cases), after=((0.0,),) * len(cases)),)


def again(
    baseline: Baseline, *references: Reference, candidate: Plan = NEW, most_calls: int = 600, most_samples: int = 8
) -> tuple[Retest | None, Mapping[Arm, str]]:
    return retest(
        candidate, baseline, references, most_calls=most_calls, most_samples=most_samples, render=fakes.render
    )


def of_production(baseline: Baseline, *cases: str) -> Reference:
    return Reference.of(Arm.PRODUCTION, baseline, lower(*cases))


def planned(baseline: Baseline, *cases: str, **limits: Any) -> Retest:
    found, why = again(baseline, of_production(baseline, *cases), **limits)
    assert why == {}
    assert found is not None
    return found


def texts(found: Retest, arm: Arm) -> set[str]:
    return {trial.request.messages[0].content for trial in found.plans[arm].trials}


def test_both_prompts_are_asked_the_cases_that_moved() -> None:
    found = planned(production(), "c-1", "c-3")

    assert texts(found, Arm.PRODUCTION) == {"old: c-1", "old: c-3"}
    assert texts(found, Arm.CANDIDATE) == {"new: c-1", "new: c-3"}
    assert {len(plan.trials) for plan in found.plans.values()} == {16}


def test_production_is_what_was_recorded_though_the_suite_has_other_constants_now() -> None:
    template = fakes.prompt("{tone}: {text}", inputs=(PromptInput(name="text"), PromptInput(name="tone")))
    old = fakes.planned(fakes.suite(CASES, template=template, constants={"tone": "kind"}))
    new = fakes.planned(fakes.suite(CASES, template=template, constants={"tone": "rude"}))
    recipe = Recipe(prompt=template, inputs={}, constants={"tone": "kind"})
    baseline = replace(fakes.scored_before(old), recipe=recipe)

    found = planned(baseline, "c-1", candidate=new)

    assert (texts(found, Arm.PRODUCTION), texts(found, Arm.CANDIDATE)) == ({"kind: c-1"}, {"rude: c-1"})


def test_the_round_is_named_after_all_that_decides_what_is_asked() -> None:
    other = fakes.planned(fakes.suite(CASES, template=fakes.prompt("newer: {text}")))
    rounds = [
        planned(production(), "c-1").round,
        planned(production(), "c-2").round,
        planned(production(), "c-1", most_samples=5).round,
        planned(production(), "c-1", candidate=other).round,
        planned(replace(production(), cases=fakes.scored_before(fakes.planned(OLD), value=0.9).cases), "c-1").round,
    ]

    assert len(set(rounds)) == 5
    assert all(each.startswith("confirm-") for each in rounds)
    assert planned(production(), "c-1").round == rounds[0]


def test_equal_requests_of_both_arms_have_answers_of_their_own() -> None:
    same = fakes.planned(OLD)

    found = planned(production(), "c-1", candidate=same)

    keys = [(trial.digest, trial.ordinal) for plan in found.plans.values() for trial in plan.trials]
    assert len(set(keys)) == len(keys) == 16


def test_without_a_recorded_prompt_production_cannot_be_asked_again() -> None:
    baseline = production(recipe=None)

    found, why = again(baseline, of_production(baseline, "c-1"))

    assert found is None
    assert why == {
        Arm.PRODUCTION: "production cannot be re-asked: its prompt is not recorded beside the lockfile",
    }


def test_a_recorded_prompt_that_gives_other_requests_is_not_production() -> None:
    baseline = production(recipe=Recipe(prompt=fakes.prompt("other: {text}"), inputs={}, constants={}))

    _, why = again(baseline, of_production(baseline, "c-1"))

    assert why == {
        Arm.PRODUCTION: "production cannot be re-asked: its recorded prompt no longer gives the recorded requests",
    }


def test_a_recorded_prompt_that_reads_a_column_which_is_gone_cannot_be_asked_again() -> None:
    prompt = fakes.prompt("{title}", inputs=(PromptInput(name="title"),))
    baseline = production(recipe=Recipe(prompt=prompt, inputs={}, constants={}))

    _, why = again(baseline, of_production(baseline, "c-1"))

    assert why == {
        Arm.PRODUCTION: "production cannot be re-asked: case 'c-1' has no input 'title' of prompt fake@v1",
    }


# --- the anchor ------------------------------------------------------------------------------------------------------

OLDEST = fakes.suite(CASES, template=fakes.prompt("oldest: {text}"))


def anchored(baseline: Baseline, **changes: Any) -> tuple[Baseline, Reference]:
    first = replace(
        fakes.scored_before(fakes.planned(OLDEST)), recipe=Recipe(prompt=OLDEST.prompt, inputs={}, constants={})
    )
    anchor = replace(anchor_of(first), **changes)
    return replace(baseline, anchor=anchor), Reference.of(Arm.ANCHOR, anchor, lower("c-0", "c-1"))


def test_the_anchor_is_a_third_arm_and_shares_the_budget() -> None:
    baseline, anchor = anchored(production())

    found, why = again(baseline, of_production(baseline, "c-1", "c-3"), anchor, most_calls=45)

    assert why == {}
    assert found is not None
    assert texts(found, Arm.ANCHOR) == {"oldest: c-0", "oldest: c-1", "oldest: c-3"}
    assert found.retrial.samples == 5  # 45 / (3 arms x 3 cases)


def test_an_anchor_that_cannot_be_asked_again_leaves_the_budget_to_the_others() -> None:
    baseline, anchor = anchored(production(), recipe=None)

    found, why = again(baseline, of_production(baseline, "c-1", "c-3"), anchor, most_calls=28)

    assert why == {Arm.ANCHOR: "the anchor cannot be re-asked: its prompt is not recorded beside the lockfile"}
    assert found is not None
    assert (found.retrial.cases, found.retrial.samples) == (("c-1", "c-3"), 7)
    assert set(found.plans) == {Arm.PRODUCTION, Arm.CANDIDATE}


def test_the_anchor_alone_is_asked_where_only_its_loss_is_in_doubt() -> None:
    baseline, anchor = anchored(production())

    found, _ = again(baseline, anchor)

    assert found is not None
    assert set(found.plans) == {Arm.ANCHOR, Arm.CANDIDATE}


# --- through the engine ----------------------------------------------------------------------------------------------


def test_fresh_answers_are_kept_in_their_round_and_asked_once(engine: Callable[..., Evaluation]) -> None:
    found, world = planned(production(), "c-1", most_samples=3), fakes.World()
    plans = tuple(found.plans.values())

    for _ in range(2):
        evaluation = engine(world)
        world.accounts.clear()
        evaluation.submit_retrial(plans, found.round)
        waiting = evaluation.survey(tick=lambda _progress: None)
        evaluation.release()
        results = [evaluation.wait("fake", plan.slot, ["c-1"], tick=lambda _progress: None) for plan in plans]
        evaluation.close()
        assert [len(each) for each in results] == [3, 3]

    assert waiting == {}  # the second time nothing was to be asked
    store = world.stores["fake"]
    assert {key.round for key in store.answers} == {found.round}
    assert store.puts == 6


def test_what_is_to_be_asked_is_known_before_the_first_call(engine: Callable[..., Evaluation]) -> None:
    found, world = planned(production(), "c-1", most_samples=3), fakes.World()
    evaluation = engine(world)

    evaluation.submit_retrial(tuple(found.plans.values()), found.round)
    waiting = evaluation.survey(tick=lambda _progress: None)

    assert {slot: len(trials) for (_, slot), trials in waiting.items()} == {
        "default (production)": 3,
        "default (candidate)": 3,
    }
    assert world.texts == []
