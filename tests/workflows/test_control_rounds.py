"""A control: what production and candidate are asked side by side, and that it is asked once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fakes

from pytest_promptgate.core.types import Baseline, PromptInput, Recipe
from pytest_promptgate.workflows.control import SideBySide, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import PromptVersion
    from pytest_promptgate.workflows.evaluate import Evaluation

CASES = [fakes.case(f"c-{number}") for number in range(6)]
NAMES = [case.id for case in CASES]
OLD = fakes.suite(CASES, template=fakes.prompt("old: {text}"))
NEW = fakes.planned(fakes.suite(CASES, template=fakes.prompt("new: {text}")))


def production(**changes: Any) -> Baseline:
    known = fakes.scored_before(fakes.planned(OLD), value=1.0)
    recipe = Recipe(prompt=OLD.prompt, inputs={}, constants={})
    return replace(known, **{"recipe": recipe, **changes})


def sided(
    baseline: Baseline, candidate: Plan = NEW, *, cases: Collection[str] = NAMES, timing: bool = False
) -> SideBySide | str | None:
    return side_by_side(candidate, baseline, cases=cases, timing=timing, render=fakes.render)


def found(baseline: Baseline, candidate: Plan = NEW, *, cases: Collection[str] = NAMES) -> SideBySide:
    planned = sided(baseline, candidate, cases=cases)
    assert isinstance(planned, SideBySide)
    return planned


def texts(plan: Plan | None) -> list[str]:
    return [] if plan is None else [trial.request.messages[0].content for trial in plan.trials]


def timed(baseline: Baseline) -> Baseline:
    """The same with a latency of every answer."""
    cases = {
        name: replace(record, observations=tuple(replace(each, latency_s=1.0) for each in record.observations))
        for name, record in baseline.cases.items()
    }
    return replace(baseline, cases=cases)


def test_every_selected_case_is_asked_of_both_prompts() -> None:
    planned = found(production(), cases=["c-1", "c-4"])

    assert texts(planned.candidate) == ["new: c-1", "new: c-4"]
    assert texts(planned.production) == ["old: c-1", "old: c-4"]
    assert planned.production is not None
    assert (planned.candidate.slot, planned.production.slot) == ("default", "default (control)")


def test_all_samples_of_both_are_asked() -> None:
    candidate = fakes.planned(replace(NEW.suite, samples=3))

    planned = found(production(), candidate)

    assert [len(each.trials) for each in planned.plans] == [18, 18]


def test_the_round_is_named_after_baseline_and_candidate_and_not_after_the_selection() -> None:
    newer = fakes.planned(fakes.suite(CASES, template=fakes.prompt("newer: {text}")))
    fewer = fakes.planned(replace(NEW.suite, cases=tuple(CASES[:5])))
    twice = fakes.planned(replace(NEW.suite, samples=2))
    lower = replace(production(), cases=fakes.scored_before(fakes.planned(OLD), value=0.9).cases)
    rounds = [
        found(production()).round,
        found(production(), newer).round,
        found(production(), fewer, cases=NAMES[:5]).round,
        found(production(), twice).round,
        found(lower).round,
    ]

    assert len(set(rounds)) == 5
    assert all(each.startswith("control-") for each in rounds)
    assert found(production(), cases=["c-1"]).round == rounds[0]


def test_a_partial_run_asks_under_the_keys_of_the_whole_one() -> None:
    twins = [fakes.case("a", "same"), fakes.case("b", "same"), fakes.case("c", "other")]
    old, new = (
        fakes.planned(fakes.suite(twins, template=fakes.prompt(f"{word}: {{text}}"))) for word in ("old", "new")
    )
    baseline = replace(fakes.scored_before(old), recipe=Recipe(prompt=old.suite.prompt, inputs={}, constants={}))

    whole, part = found(baseline, new, cases=["a", "b", "c"]), found(baseline, new, cases=["b"])

    keys = [{(trial.digest, trial.ordinal) for plan in each.plans for trial in plan.trials} for each in (whole, part)]
    assert len(keys[0]) == 6
    assert keys[1] < keys[0]


def test_equal_requests_of_one_case_are_asked_once_and_shared() -> None:
    template = fakes.prompt(
        "{text} {tone}", inputs=(PromptInput(name="text"), PromptInput(name="tone", required=False))
    )

    def planned(tone: str) -> Plan:
        cases = [fakes.case("c-0", tone=""), fakes.case("c-1", tone=tone)]
        return fakes.planned(fakes.suite(cases, template=template))

    baseline = fakes.scored_before(planned("kind"))
    row = planned("rude").suite.cases[1].digest
    edited = {**baseline.cases, "c-1": replace(baseline.cases["c-1"], row=row)}  # the columns that a suite reads differ

    assert sided(replace(baseline, recipe=None), planned("kind"), cases=["c-0", "c-1"]) == SideBySide(
        round=found(baseline, planned("kind"), cases=["c-0", "c-1"]).round,
        candidate=planned("kind"),
        production=None,
        shared=frozenset({"c-0", "c-1"}),
    )
    assert sided(replace(baseline, cases=edited, recipe=None), planned("rude"), cases=["c-0", "c-1"]) == NO_RECIPE


NO_RECIPE = "production cannot be re-asked: its prompt is not recorded beside the lockfile"


def test_new_and_edited_cases_have_no_counterpart() -> None:
    edited = [fakes.case("c-0", "edited"), *CASES[1:], fakes.case("c-9")]
    candidate = fakes.planned(fakes.suite(edited, template=fakes.prompt("new: {text}")))

    planned = found(production(), candidate, cases=[case.id for case in edited])

    assert len(texts(planned.candidate)) == 7
    assert texts(planned.production) == [f"old: c-{number}" for number in range(1, 6)]


def test_a_prompt_that_cannot_be_rebuilt_is_told() -> None:
    assert sided(production(recipe=None)) == NO_RECIPE


def other(template: PromptVersion) -> Baseline:
    return production(recipe=Recipe(prompt=template, inputs={}, constants={}))


def test_a_recorded_prompt_that_gives_other_requests_is_not_production() -> None:
    told = "production cannot be re-asked: its recorded prompt no longer gives the recorded requests"

    assert sided(other(fakes.prompt("other: {text}"))) == told


def test_where_only_latencies_count_what_the_baseline_stands_for_is_not_asked() -> None:
    same = fakes.planned(OLD)

    assert sided(timed(production()), same, timing=True) is None
    assert isinstance(sided(production(), same, timing=True), SideBySide)  # it has no latencies
    assert isinstance(sided(timed(production()), timing=True), SideBySide)


def test_without_a_case_in_common_nothing_is_asked_side_by_side() -> None:
    assert sided(production(cases={})) is None


# --- through the engine ----------------------------------------------------------------------------------------------


def answers_of(evaluation: Evaluation, planned: SideBySide) -> list[str]:
    evaluation.submit_retrial(planned.plans, planned.round)
    return [
        result.completion.text
        for plan in planned.plans
        for result in evaluation.wait("fake", plan.slot, NAMES, tick=lambda _progress: None)
        if result.completion is not None
    ]


def test_an_engine_that_was_ended_goes_on_and_a_third_one_asks_nothing(engine: Callable[..., Evaluation]) -> None:
    planned, world = found(production()), fakes.World(room=1)
    for run in range(3):
        evaluation, before = engine(world), len(world.stores["fake"].answers) if run else 0
        world.accounts.clear()
        if run == 0:
            store = fakes.FakeStore(full_after=5)
            world.stores["fake"] = store
            answers_of(evaluation, planned)
            world.stores["fake"] = fakes.FakeStore()
            world.stores["fake"].answers.update(store.answers)
        else:
            assert sorted(answers_of(evaluation, planned)) == sorted(
                [*texts(planned.candidate), *texts(planned.production)]
            )
        evaluation.close()
        asked = [len(account.asked) for account in world.accounts.values()]
        assert run == 0 or asked == [12 - before]

    assert {key.round for key in world.stores["fake"].answers} == {planned.round}


def test_the_two_arms_of_a_trial_are_asked_one_after_the_other_in_either_order(
    engine: Callable[..., Evaluation],
) -> None:
    planned, world = found(production()), fakes.World(room=1)
    evaluation = engine(world)

    answers_of(evaluation, planned)

    pairs = list(zip(world.texts[::2], world.texts[1::2], strict=True))
    assert all(one.partition(": ")[2] == two.partition(": ")[2] and one != two for one, two in pairs)
    assert {one.partition(": ")[0] for one, _ in pairs} == {"old", "new"}
    assert [one.partition(": ")[2] for one, _ in pairs] != NAMES
