"""The engine asks for judges: store first, each text once, under the run's own limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from fakes import World, baseline_of, bound, case, planned, suite

from pytest_promptgate.core.limits import Budget
from pytest_promptgate.core.ports import Inquiry, Price, StoreKey
from pytest_promptgate.core.types import (
    Completion,
    Errored,
    Judged,
    Message,
    ModelPin,
    Request,
    Score,
    Skipped,
    Unscored,
)
from pytest_promptgate.errors import AccountStopped, RequestRefused, TransportFault, WrongModel
from pytest_promptgate.workflows.lanes import MOST_TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_promptgate.core.types import Case, Grade, Result
    from pytest_promptgate.workflows.evaluate import Evaluation

    Engine = Callable[..., Evaluation]

COURT = ModelPin(provider="court", name="judge-2025-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """A judge that asks for a number about the answer; its grade is their mean."""

    votes: int = 1
    compares: bool = False
    breaks: str = ""  # "asking", "reading"

    @property
    def pin(self) -> ModelPin:
        return COURT

    def inquire(
        self, completion: Completion, case: Case, production: Completion | Unscored | None
    ) -> Inquiry | Score | Unscored:
        if self.breaks == "asking":
            raise RuntimeError("cannot ask")
        if completion.text == "obvious":
            return Score(value=1.0)
        before = production.text if isinstance(production, Completion) else ""
        message = Message(role="user", content=f"judge {completion.text}{before and f' against {before}'}")
        requests = tuple(
            Request(pin=COURT, messages=(message,), parameters={"seed": vote}) for vote in range(self.votes)
        )
        return Inquiry(requests=requests, grade=self._read)

    def _read(self, replies: Sequence[Completion | Unscored]) -> Score | Unscored:
        if self.breaks == "reading":
            raise RuntimeError("cannot read")
        unscored = next((each for each in replies if isinstance(each, Unscored)), None)
        texts = [each.text for each in replies if isinstance(each, Completion)]
        return unscored or Score(value=sum(map(float, texts)) / len(texts))


def answers(request: Request) -> str:
    """The subject echoes; the court gives a half."""
    return "0.5" if request.pin == COURT else request.messages[-1].content


def run(
    evaluation: Evaluation, *cases: Case, jury: Jury = Jury(), more: Mapping[str, object] | None = None
) -> tuple[Result, ...]:
    scorers = [bound("tone", jury), *(bound(name, scorer) for name, scorer in (more or {}).items())]  # type: ignore[arg-type]
    plan = planned(suite(cases, scorers=scorers))
    evaluation.submit(plan, None, None)
    return evaluation.wait("fake", "default", [each.id for each in cases], tick=lambda _: None)


def grades(results: Sequence[Result], name: str = "tone") -> list[Grade]:
    return [each.observation.grades[name] for each in results]


def test_a_verdict_is_asked_of_the_judges_own_account_and_stored_by_its_role(engine: Engine) -> None:
    world = World(script=answers, price=Price(input=1e6, output=1e6))

    evaluation = engine(world)
    results = run(evaluation, case("a"), case("b"), jury=Jury(votes=3))

    assert grades(results) == [Score(value=0.5)] * 2
    assert sorted(world.accounts["court"].texts) == ["judge a"] * 3 + ["judge b"] * 3
    assert world.account.texts == ["a", "b"]
    keys = sorted((key.role, key.ordinal) for key in world.stores["fake"].answers)
    assert keys == [("judge", each // 2) for each in range(6)] + [("subject", 0)] * 2
    progress = evaluation.progress()
    assert (progress.asked, progress.judged, progress.tokens_judged) == (2, 6, 6 * 13)
    assert progress.cost_usd == pytest.approx(2 * 11 + 6 * 13)
    assert results[0].observation.cost_usd == pytest.approx(11)
    assert evaluation.judged("fake", "default") == (
        Judged(scorer="tone", model="court/judge-2025-01-01", asked=6, tokens=78, cost_usd=78.0),
    )


def test_the_same_text_is_judged_once(engine: Engine) -> None:
    world = World(script=lambda request: "0.5" if request.pin == COURT else "same")

    results = run(engine(world), *(case(f"c-{number}") for number in range(30)))

    assert grades(results) == [Score(value=0.5)] * 30
    assert world.accounts["court"].texts == ["judge same"]


def test_a_stored_verdict_is_not_asked_again_and_a_missing_one_is_told_offline(engine: Engine) -> None:
    world = World(script=answers)
    run(engine(world), case("a"))
    store = world.stores["fake"]
    again = World(script=answers, stores={"fake": store})
    offline = World(script=answers, stores={"fake": store})
    store.parts.clear()

    assert grades(run(engine(again), case("a"))) == [Score(value=0.5)]
    assert again.texts == []
    for key in [key for key in store.answers if key.role == "judge"]:
        del store.answers[key]
    assert grades(run(engine(offline, offline=True), case("a"))) == [
        Errored(
            message="fake::a (tone): no verdict is stored, and --prompt-offline asks nothing\n"
            "  Ask for it with: pytest --prompt-evals evals/fake.eval.yaml"
        )
    ]


def test_what_needs_no_question_is_graded_without_one(engine: Engine) -> None:
    world = World(script=lambda _: "obvious")

    assert grades(run(engine(world), case("a"))) == [Score(value=1.0)]
    assert list(world.accounts) == ["fake"]


FAILURES: Mapping[str, tuple[BaseException, Grade]] = {
    "refused": (
        RequestRefused("court/judge", "the provider refused this request (status 400)"),
        Unscored(reason="the judge's provider refused the request: the provider refused this request (status 400)"),
    ),
    "transport": (
        TransportFault("court/judge", "the provider failed; gave up after 4 tries", hint="Run again."),
        Errored(
            message="tone: the judge did not answer: court/judge: the provider failed; gave up after 4 tries\n"
            "  Run again."
        ),
    ),
    "stopped": (
        AccountStopped("court", "the provider refused the key in COURT_KEY", hint="Put in a valid one."),
        Errored(message="court: the provider refused the key in COURT_KEY\n  Put in a valid one."),
    ),
    "moved": (
        WrongModel("court/judge-2025-01-01", "asked for judge-2025-01-01, answered by judge-2"),
        Errored(message="court/judge-2025-01-01: asked for judge-2025-01-01, answered by judge-2"),
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_judges_failed_call_is_that_scorers_own(engine: Engine, kind: str) -> None:
    error, grade = FAILURES[kind]
    world = World(script=lambda request: error if request.pin == COURT else request.messages[-1].content)

    evaluation = engine(world)
    results = run(evaluation, case("a"), case("b"), more={"echo": lambda *_: 1.0})

    assert grades(results) == [grade, grade]
    assert grades(results, "echo") == [Score(value=1.0)] * 2
    assert [each.completion is not None for each in results] == [True, True]
    assert evaluation.faults() == ((error,) if kind in ("stopped", "moved") else ())


def test_an_account_that_breaks_and_a_judge_that_breaks_are_errors_of_the_case(engine: Engine) -> None:
    world = World(script=lambda request: KeyError("no") if request.pin == COURT else request.messages[-1].content)
    (broken,) = grades(run(engine(world), case("a")))
    assert isinstance(broken, Errored)
    assert broken.message.startswith(
        "fake::a (tone): the judge's account failed unexpectedly with KeyError: 'no'\n  at "
    )

    for breaks, said in (("asking", "cannot ask"), ("reading", "cannot read")):
        (grade,) = grades(run(engine(World(script=answers)), case("a"), jury=Jury(breaks=breaks)))
        assert isinstance(grade, Errored)
        assert grade.message.startswith(f"tone: the scorer raised RuntimeError: {said}\n  at ")


def test_a_failed_vote_fails_the_grade_and_its_text_is_not_tried_again_in_the_run(engine: Engine) -> None:
    def script(request: Request) -> str | BaseException:
        if request.pin != COURT:
            return "same"
        return TransportFault("court/judge", "torn") if request.parameters["seed"] == 1 else "1"

    world = World(script=script)
    results = run(engine(world), *(case(f"c-{number}") for number in range(5)), jury=Jury(votes=3))

    assert grades(results) == [Errored(message="tone: the judge did not answer: court/judge: torn")] * 5
    assert len(world.accounts["court"].asked) == 3


def test_a_spent_budget_skips_the_verdict_and_keeps_the_answer(engine: Engine) -> None:
    world = World(script=answers, price=Price(input=0, output=1e6), room=1)
    evaluation = engine(world)
    plan = planned(suite([case("a")], scorers=[bound("tone", Jury())]))  # type: ignore[arg-type]
    evaluation.submit(plan, None, None)

    evaluation.survey(tick=lambda _: None)
    evaluation.start(budget=Budget(limit_usd=1.0, guess_usd=1.0))
    results = evaluation.wait("fake", "default", ["a"], tick=lambda _: None)

    assert grades(results) == [Skipped(reason="the budget of $1.00 was reached")]
    assert world.stores["fake"].puts == 1


def test_a_survey_counts_verdicts_and_holds_back_answers_that_wait_for_them(engine: Engine) -> None:
    cases = [case(f"c-{number:04}") for number in range(MOST_TASKS + 1)]  # more than may be under way at a time
    first = World(script=answers)
    run(engine(first), *cases)
    store = first.stores["fake"]
    for key in [key for key in store.answers if key.role == "judge"]:
        del store.answers[key]
    world = World(script=answers, stores={"fake": store})
    evaluation = engine(world)
    plan = planned(suite([*cases, case("new")], scorers=[bound("tone", Jury())]))  # type: ignore[arg-type]
    evaluation.submit(plan, None, None)

    waiting = evaluation.survey(tick=lambda _: None)
    (foreseen,) = evaluation.foreseen().values()
    asked = list(world.texts)
    evaluation.start()
    results = evaluation.wait("fake", "default", [each.id for each in plan.suite.cases], tick=lambda _: None)

    assert [each.id for each in waiting["fake", "default"]] == ["new"]
    assert (foreseen.asked, foreseen.stored, foreseen.pin) == (MOST_TASKS + 2, 0, COURT)
    assert asked == []
    assert grades(results) == [Score(value=0.5)] * (MOST_TASKS + 2)


def test_a_refused_survey_skips_what_it_held_back(engine: Engine) -> None:
    world = World(script=answers)
    run(engine(world), case("a"))
    store = world.stores["fake"]
    store.answers = {key: each for key, each in store.answers.items() if key.role == "subject"}
    again = World(script=answers, stores={"fake": store})
    evaluation = engine(again)
    evaluation.submit(planned(suite([case("a")], scorers=[bound("tone", Jury())])), None, None)  # type: ignore[arg-type]

    evaluation.survey(tick=lambda _: None)
    evaluation.interrupt(1.0, "too expensive")
    results = evaluation.results("fake", "default", "a") or ()

    assert grades(results) == [Skipped(reason="too expensive")]
    assert again.texts == []


def test_a_comparing_judge_gets_productions_answer(engine: Engine) -> None:
    plan = planned(suite([case("a", "new a"), case("b", "new b")], scorers=[bound("tone", Jury(compares=True))]))  # type: ignore[arg-type]
    old = engine(World(script=answers))
    old.submit(plan, None, None)
    before = old.wait("fake", "default", ["a", "b"], tick=lambda _: None)
    baseline = baseline_of(plan, before, outputs=True)
    changed = {key: replace(each, text=f"old {key[0]}") for key, each in baseline.outputs.items()}
    other = {name: replace(each, request="another") for name, each in baseline.cases.items()}
    world = World(script=answers)
    evaluation = engine(world)

    evaluation.submit(plan, None, replace(baseline, cases=other, outputs=changed))
    evaluation.wait("fake", "default", ["a", "b"], tick=lambda _: None)

    assert sorted(world.accounts["court"].texts) == ["judge new a against old a", "judge new b against old b"]


def test_verdicts_of_a_retrial_are_those_that_count(engine: Engine) -> None:
    world = World(script=lambda request: "0.5" if request.pin == COURT else "same")
    evaluation = engine(world)
    run(evaluation, case("a"))
    part = planned(suite([case("a")], slots={"again": planned(suite([case("a")])).pin}, scorers=[bound("tone", Jury())]), "again")  # type: ignore[arg-type]  # fmt: skip

    evaluation.submit_retrial([part], "confirm-1")
    results = evaluation.wait("fake", "again", ["a"], tick=lambda _: None)

    assert grades(results) == [Score(value=0.5)]
    assert len(world.accounts["court"].asked) == 1
    assert {(key.role, key.round) for key in world.stores["fake"].answers} == {
        ("subject", ""),
        ("subject", "confirm-1"),
        ("judge", ""),
    }
    assert all(isinstance(key, StoreKey) for key in world.stores["fake"].answers)
