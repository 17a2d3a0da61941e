"""The engine from outside: what is asked, what is not, and what every trial ends with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakes import PIN, FakeStore, World, baseline_of, bound, case, completion, echo, planned, scored_before, suite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_promptgate.core.ports import Price
from pytest_promptgate.core.types import (
    Baseline,
    Case,
    Completion,
    Errored,
    ModelPin,
    Origin,
    Request,
    Result,
    Score,
    Unscored,
)
from pytest_promptgate.errors import AccountStopped, ConfigError, RequestRefused, TransportFault, WrongModel
from pytest_promptgate.workflows.evaluate import Evaluation

if TYPE_CHECKING:
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.workflows.progress import Progress

Engine = Callable[..., Evaluation]


def quiet(_progress: Progress) -> None:
    """A tick that shows nothing."""


def wait(evaluation: Evaluation, plan: Plan, cases: Sequence[str] | None = None) -> tuple[Result, ...]:
    ids = [each.id for each in plan.suite.cases] if cases is None else cases
    return evaluation.wait(plan.suite.name, plan.slot, ids, tick=quiet, interval=0.02)


def run(evaluation: Evaluation, plan: Plan, baseline: Baseline | None = None) -> tuple[Result, ...]:
    evaluation.submit(plan, None, baseline)
    return wait(evaluation, plan)


def origins(results: Sequence[Result]) -> list[str]:
    return [str(result.origin) for result in results]


def grade(result: Result, scorer: str = "match") -> object:
    return result.observation.grades[scorer]


def message(result: Result) -> str:
    found = grade(result)
    assert isinstance(found, Errored)
    return found.message


# --- asking ----------------------------------------------------------------------------------------------------------


def test_every_trial_is_asked_stored_and_scored(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a"), case("b", expected="other")], samples=2))
    results = run(engine(world), plan)
    assert [result.trial.id for result in results] == ["a", "a#2", "b", "b#2"]
    assert origins(results) == ["asked"] * 4
    assert [grade(result) for result in results] == [Score(value=1.0)] * 2 + [Score(value=0.0)] * 2
    assert sorted(world.texts) == ["a", "a", "b", "b"]
    assert {parts["trial"] for parts in world.stores["fake"].parts.values()} == {"a", "a#2", "b", "b#2"}


def test_a_result_carries_tokens_latency_cost_and_the_digest_of_the_answer(engine: Engine) -> None:
    world = World(price=Price(input=1.0, output=2.0))
    (result,) = run(engine(world), planned(suite([case("a", "four")])))
    seen = result.observation
    assert (seen.tokens_in, seen.tokens_out, seen.latency_s) == (10, 4, 0.01)
    assert seen.cost_usd == pytest.approx(18e-6)
    assert len(seen.output) == 32


def test_nothing_begins_before_start(engine: Engine) -> None:
    world = World()
    evaluation = engine(world)
    evaluation.submit(planned(suite([case("a")])), None, None)
    assert evaluation.results("fake", "default", "a") is None
    assert world.accounts == {}


def test_a_case_submitted_twice_is_asked_once(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a"), case("b")]))
    evaluation = engine(world)
    evaluation.submit(plan, ["a"], None)
    assert wait(evaluation, plan, ["a"])[0].trial.id == "a"
    evaluation.submit(plan, None, None)
    assert [result.trial.id for result in wait(evaluation, plan)] == ["a", "b"]
    assert world.texts == ["a", "b"]


def test_identical_requests_are_answers_of_their_own(engine: Engine) -> None:
    numbers = iter(range(9))
    world = World(script=lambda _request: str(next(numbers)))
    run(engine(world), planned(suite([case("a", "same"), case("b", "same")], samples=2)))
    store = world.stores["fake"]
    assert sorted(key.ordinal for key in store.answers) == [0, 1, 2, 3]
    assert {answer.text for answer in store.answers.values()} == {"0", "1", "2", "3"}


def test_several_suites_and_slots_share_one_account(engine: Engine) -> None:
    world = World()
    slots = {"old": PIN, "new": ModelPin(provider=PIN.provider, name="other-2025-02-02")}
    plans = [planned(suite([case("a")], name="one"))]
    plans += [planned(suite([case("a")], name="two", slots=slots), slot) for slot in slots]
    evaluation = engine(world)
    for plan in plans:
        evaluation.submit(plan, None, None)
    assert [origins(wait(evaluation, plan)) for plan in plans] == [["asked"]] * 3
    assert list(world.accounts) == [PIN.provider]
    assert sorted(world.stores) == ["one", "two"]


def test_no_more_is_under_way_than_the_account_has_room_for(engine: Engine) -> None:
    async def slow(_request: Request) -> str:
        for _ in range(20):
            await asyncio.sleep(0)
        return "done"

    world = World(script=slow, room=3)
    run(engine(world), planned(suite([case(f"t-{number}") for number in range(60)])))
    assert world.account.most_under_way == 3


def test_waiting_for_a_case_that_nobody_submitted_is_an_error(engine: Engine) -> None:
    with pytest.raises(ValueError, match="was never submitted, so waiting for it would never end"):
        engine(World()).wait("fake", "default", ["a"], tick=quiet)


@given(st.permutations(range(8)), st.lists(st.integers(0, 3), min_size=8, max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_do_not_depend_on_the_order_of_answers(order: list[int], pauses: list[int]) -> None:
    async def some_time(request: Request) -> str:
        text = request.messages[-1].content
        for _ in range(pauses[int(text)]):
            await asyncio.sleep(0)
        return text

    world = World(script=some_time, room=4)
    evaluation = Evaluation(account_of=world.account_of, store_of=world.store_of, price_of=world.price_of)
    plan = planned(suite([case(f"t-{number}", str(number), expected="3") for number in order]))
    try:
        scores = {result.trial.id: grade(result) for result in run(evaluation, plan)}
    finally:
        evaluation.close()
    assert scores == {f"t-{number}": Score(value=float(number == 3)) for number in range(8)}


# --- the baseline ----------------------------------------------------------------------------------------------------


def test_a_run_with_nothing_changed_opens_nothing(engine: Engine) -> None:
    world = World(price=Price(input=1.0, output=1.0))
    plan = planned(suite([case("a"), case("b")], samples=2))
    evaluation = engine(world)
    results = run(evaluation, plan, scored_before(plan))
    assert origins(results) == ["unchanged"] * 4
    assert {grade(result) for result in results} == {Score(value=0.5)}
    assert results[0].completion is None
    assert results[0].observation.cost_usd is None
    assert (world.accounts, world.stores) == ({}, {})


def test_an_unchanged_trial_has_a_cost_of_today_if_a_metric_reads_it(engine: Engine) -> None:
    world = World(price=Price(input=1.0, output=1.0))
    plain = suite([case("a")])
    cost = replace(plain.metrics[0], name="cost", aggregate="total", source="cost_usd")
    plan = planned(replace(plain, metrics=(cost,)))
    (result,) = run(engine(world), plan, scored_before(plan))
    assert result.observation.cost_usd == pytest.approx(13e-6)


def test_an_unchanged_trial_shows_the_baselines_output_if_it_is_at_hand(engine: Engine) -> None:
    plan = planned(suite([case("a")]))
    (result,) = run(engine(World()), plan, scored_before(plan, outputs=True))
    assert result.completion == completion("old")


def test_a_changed_row_is_asked_and_the_others_are_not(engine: Engine) -> None:
    world = World()
    before = planned(suite([case("a"), case("b")]))
    now = planned(suite([case("a"), case("b", "edited"), case("c")]))
    assert origins(run(engine(world), now, scored_before(before))) == ["unchanged", "asked", "asked"]
    assert sorted(world.texts) == ["c", "edited"]


def test_a_changed_expectation_is_scored_on_the_stored_answer(engine: Engine) -> None:
    world = World()
    run(engine(world), planned(suite([case("a")])))
    again = World(stores=world.stores)
    plan = planned(suite([case("a", expected="something else")]))
    (result,) = run(engine(again), plan, scored_before(planned(suite([case("a")]))))
    assert (str(result.origin), grade(result)) == ("stored", Score(value=0.0))


def test_a_further_sample_is_asked_alone(engine: Engine) -> None:
    world = World()
    before = planned(suite([case("a")]))
    now = planned(suite([case("a")], samples=2))
    assert origins(run(engine(world), now, scored_before(before))) == ["unchanged", "asked"]


def test_a_changed_scorer_scores_the_baselines_output_and_asks_nothing(engine: Engine) -> None:
    world = World()
    before = planned(suite([case("a", expected="old")], scorers=[bound("same"), bound("match", fingerprint="1")]))
    now = planned(suite([case("a", expected="old")], scorers=[bound("same"), bound("match", fingerprint="2")]))
    (result,) = run(engine(world), now, scored_before(before, outputs=True))
    assert str(result.origin) == "unchanged"
    assert dict(result.observation.grades) == {"same": Score(value=0.5), "match": Score(value=1.0)}
    assert world.accounts == {}


def test_a_changed_scorer_without_the_baselines_output_asks_last(engine: Engine) -> None:
    before = planned(suite([case("a")], scorers=[bound("match", fingerprint="1")]))
    now = planned(suite([case("a")], scorers=[bound("match", fingerprint="2")]))
    (result,) = run(engine(World()), now, scored_before(before))
    assert (str(result.origin), grade(result)) == ("asked", Score(value=1.0))


def test_an_equal_answer_keeps_the_scores_of_unchanged_scorers(engine: Engine) -> None:
    scored: list[str] = []

    def noted(answer: Completion, _case: Case) -> Score:
        scored.append(answer.text)
        return Score(value=1.0)

    before = planned(suite([case("a")], scorers=[bound("same", noted)]))
    now = planned(suite([case("a")], scorers=[bound("same", noted), bound("new")]))
    (result,) = run(engine(World()), now, scored_before(before, answer="a"))
    assert dict(result.observation.grades) == {"same": Score(value=0.5), "new": Score(value=1.0)}
    assert scored == []


def test_another_answer_is_scored_by_every_scorer(engine: Engine) -> None:
    before = planned(suite([case("a")], scorers=[bound("same")]))
    now = planned(suite([case("a")], scorers=[bound("same"), bound("new")]))
    (result,) = run(engine(World()), now, scored_before(before, answer="another"))
    assert dict(result.observation.grades) == {"same": Score(value=1.0), "new": Score(value=1.0)}


def test_an_unscored_line_stands_for_its_trial_too(engine: Engine) -> None:
    plan = planned(suite([case("a")]))
    refused = run(engine(World(script=lambda _: RequestRefused("fake", "too long"))), plan)
    (result,) = run(engine(World()), plan, baseline_of(plan, refused))
    assert (str(result.origin), grade(result)) == ("unchanged", Unscored(reason="provider refused: too long"))


def test_a_refresh_takes_nothing_from_the_baseline_and_writes_its_own_round(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a")]))
    results = run(engine(world, refresh=True), plan, scored_before(plan))
    assert origins(results) == ["asked"]
    assert [key.round for key in world.stores["fake"].answers] == ["1"]


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_stored_answer_is_not_asked_again(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a", "same"), case("b", "same")], samples=2))
    first = run(engine(world), plan)
    again = World(stores=world.stores)
    second = run(engine(again), plan)
    assert origins(second) == ["stored"] * 4
    assert [result.observation for result in second] == [result.observation for result in first]
    assert again.texts == []


def test_another_endpoint_is_another_answer(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a")]))
    run(engine(world), plan)
    assert {key.endpoint for key in world.stores["fake"].answers} == {"fake://here"}


def test_offline_a_miss_names_the_command_and_what_differs(engine: Engine) -> None:
    world = World()
    evaluation = engine(world, offline=True)
    world.store_of("fake")._explanation = "differs from the stored request in messages"
    (result,) = run(evaluation, planned(suite([case("a")])))
    assert message(result) == (
        "fake::a: no answer is stored, and --prompt-offline asks nothing\n"
        "  Differs from the stored request in messages.\n"
        "  Ask for it with: pytest --prompt-evals evals/fake.eval.yaml"
    )
    assert result.origin is Origin.NOWHERE
    assert world.texts == []


def test_offline_stored_answers_are_scored(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a")]))
    run(engine(world), plan)
    assert origins(run(engine(World(stores=world.stores), offline=True), plan)) == ["stored"]


def test_an_answer_that_cannot_be_stored_is_told_and_ends_the_asking_of_its_suite(engine: Engine) -> None:
    world = World(room=1, stores={"fake": FakeStore(full_after=1)})
    evaluation = engine(world)
    cases = [case("a", "longest"), case("b", "longer"), case("c", "last")]
    results = run(evaluation, planned(suite(cases)))
    assert message(results[1]) == "responses/fake.jsonl: cannot be written: No space left on device"
    assert results[1].completion is not None
    assert message(results[2]) == message(results[1])
    assert len(world.texts) == 2
    assert [str(fault) for fault in evaluation.faults()] == [message(results[1])]


# --- what a provider can say -----------------------------------------------------------------------------------------


def test_a_refused_request_is_unscored_and_recorded(engine: Engine) -> None:
    world = World(script=lambda _: RequestRefused("fake/model", "context length exceeded"))
    (result,) = run(engine(world), planned(suite([case("a")], scorers=[bound("match"), bound("other")])))
    assert set(result.observation.grades.values()) == {Unscored(reason="provider refused: context length exceeded")}
    assert result.origin is Origin.ASKED
    assert world.stores["fake"].answers == {}


def test_a_failed_call_is_an_error_of_its_trial_alone(engine: Engine) -> None:
    def script(request: Request) -> str | BaseException:
        text = request.messages[-1].content
        return TransportFault("fake/model", "it failed", hint="Try later.") if text == "a" else text

    first, second = run(engine(World(script=script)), planned(suite([case("a"), case("b")])))
    assert message(first) == "fake/model: it failed\n  Try later."
    assert grade(second) == Score(value=1.0)


def test_a_model_that_moved_is_asked_no_more_and_makes_everything_incomparable(engine: Engine) -> None:
    def script(request: Request) -> str | BaseException:
        moved = request.pin.name == "moved-2025-01-01"
        return WrongModel("fake", "asked for one, answered by another", hint="Pin it.") if moved else echo(request)

    world = World(script=script, room=1)
    evaluation = engine(world)
    slots = {"moved": ModelPin(provider=PIN.provider, name="moved-2025-01-01"), "kept": PIN}
    moved, kept = (planned(suite([case("a", "longer"), case("b")], slots=slots), slot) for slot in slots)
    evaluation.submit(moved, None, None)
    evaluation.submit(kept, None, None)
    told = Errored(message="fake: asked for one, answered by another\n  Pin it.", moved=True)
    assert [grade(result) for result in wait(evaluation, moved)] == [told, told]
    assert [grade(result) for result in wait(evaluation, kept)] == [Score(value=1.0)] * 2
    assert sorted(world.texts) == ["b", "longer", "longer"]


def test_a_stopped_account_tells_all_its_trials_the_same_and_is_asked_no_more(engine: Engine) -> None:
    world = World(script=lambda _: AccountStopped("fake", "401: invalid key", hint="Set FAKE_KEY."), room=1)
    evaluation = engine(world)
    cases = [case("a", "longest"), *(case(f"t-{number}") for number in range(20))]
    results = run(evaluation, planned(suite(cases)))
    assert message(results[0]) == "fake: 401: invalid key\n  Set FAKE_KEY."
    assert {message(result) for result in results[1:]} == {message(results[0])}
    assert world.texts == ["longest"]
    assert [str(fault) for fault in evaluation.faults()] == [message(results[0])]


def test_a_stopped_account_takes_no_later_trials(engine: Engine) -> None:
    world = World(script=lambda _: AccountStopped("fake", "401: invalid key"))
    evaluation = engine(world)
    run(evaluation, planned(suite([case("a")], name="one")))
    (result,) = run(evaluation, planned(suite([case("b")], name="two")))
    assert message(result) == "fake: 401: invalid key"
    assert world.texts == ["a"]


def test_a_stopped_account_leaves_the_others_alone(engine: Engine) -> None:
    def script(request: Request) -> str | BaseException:
        return AccountStopped("bad", "401") if request.pin.provider == "bad" else "a"

    evaluation = engine(World(script=script))
    bad = planned(suite([case("a")], name="bad", slots={"default": ModelPin(provider="bad", name="m")}))
    good = planned(suite([case("a")], name="good"))
    evaluation.submit(bad, None, None)
    evaluation.submit(good, None, None)
    assert message(wait(evaluation, bad)[0]) == "bad: 401"
    assert grade(wait(evaluation, good)[0]) == Score(value=1.0)


def test_a_model_that_the_provider_does_not_know_leaves_its_other_models_alone(engine: Engine) -> None:
    unknown = ModelPin(provider=PIN.provider, name="unknown-2025-01-01")

    def script(request: Request) -> str | BaseException:
        return AccountStopped(str(request.pin), "404: no such model") if request.pin == unknown else echo(request)

    evaluation = engine(World(script=script, room=1))
    slots = {"bad": unknown, "good": PIN}
    bad, good = (planned(suite([case("a", "longer"), case("b")], slots=slots), slot) for slot in slots)
    evaluation.submit(bad, None, None)
    evaluation.submit(good, None, None)
    assert [message(result) for result in wait(evaluation, bad)] == [
        "fake/unknown-2025-01-01: 404: no such model",
        "fake/unknown-2025-01-01: 404: no such model",
    ]
    assert [grade(result) for result in wait(evaluation, good)] == [Score(value=1.0)] * 2


def test_notes_of_an_account_are_passed_on(engine: Engine) -> None:
    world = World()
    evaluation = engine(world)
    assert evaluation.notes("fake") == ()
    run(evaluation, planned(suite([case("a")])))
    world.account.notes = ("served model not verifiable",)
    assert evaluation.notes("fake") == ("served model not verifiable",)


def test_an_account_that_cannot_be_opened_is_told_like_a_stopped_one(engine: Engine) -> None:
    class NoKey(World):
        def account_of(self, provider: str) -> None:  # type: ignore[override]
            raise ConfigError("promptgate.yaml:3:5", "FAKE_KEY is not set")

    first, second = run(engine(NoKey()), planned(suite([case("a", "longer"), case("b")])))
    assert message(first) == "promptgate.yaml:3:5: FAKE_KEY is not set"
    assert message(second) == message(first)


def test_a_plugins_factory_that_raises_is_told(engine: Engine) -> None:
    class Broken(World):
        def account_of(self, provider: str) -> None:  # type: ignore[override]
            raise ValueError("no such thing")

    (result,) = run(engine(Broken()), planned(suite([case("a")])))
    assert message(result) == "fake: the account could not be opened: ValueError: no such thing"


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), SystemExit("oops"), KeyboardInterrupt("oops")])
def test_what_nobody_expects_of_an_account_is_an_error_of_that_trial(engine: Engine, error: BaseException) -> None:
    (result,) = run(engine(World(script=lambda _: error)), planned(suite([case("a")])))
    assert message(result).startswith(f"fake::a: failed unexpectedly with {type(error).__name__}: oops\n  at tests/")


def test_an_account_without_room_for_anybody_is_told_and_stops(engine: Engine) -> None:
    world = World()
    make = world.account_of

    async def no_room() -> None:
        raise AccountStopped("fake", "quota exhausted")

    def account_of(provider: str) -> object:
        account = make(provider)
        account.room = no_room  # type: ignore[method-assign]
        return account

    world.account_of = account_of  # type: ignore[method-assign,assignment]
    first, second = run(engine(world), planned(suite([case("a", "longer"), case("b")])))
    assert message(first) == "fake: quota exhausted"
    assert message(second) == message(first)
