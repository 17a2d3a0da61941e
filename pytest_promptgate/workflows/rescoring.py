"""A changed scorer scores the baseline's stored answers anew, so that its metrics stay comparable (DECISIONS 20).

The subject is not asked; a changed judge is. An answer that this run gave too takes this run's grade: nothing is
scored twice.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_promptgate.core.pairs import at_par, comparers
from pytest_promptgate.core.types import Unscored
from pytest_promptgate.workflows.scoring import grades_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_promptgate.core.types import (
        Baseline,
        BoundScorer,
        Case,
        CaseRecord,
        Completion,
        Grade,
        Observation,
        Result,
        Suite,
    )
    from pytest_promptgate.workflows.background import Background
    from pytest_promptgate.workflows.judging import Bench

_AT_ONCE = 64  # answers that are scored side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One stored answer to be scored."""

    completion: Completion
    case: Case
    scorers: tuple[BoundScorer, ...]
    suite: Suite
    slot: str
    fresh: bool = False  # judges are asked although the store has their verdict, which stays as it is


def changed_scorers(suite: Suite, baseline: Baseline) -> tuple[BoundScorer, ...]:
    """The scorers that the baseline knows under the same name and in another form."""
    return tuple(
        bound
        for bound in suite.scorers
        if bound.name in baseline.scorers and baseline.scorers[bound.name] != bound.fingerprint
    )


def rescored(
    baseline: Baseline,
    suite: Suite,
    results: Sequence[Result],
    *,
    grade: Callable[[Sequence[Answer]], Sequence[Mapping[str, Grade]]],
) -> Baseline:
    """`baseline` as the present scorers see it; the same one if none has changed, or its answers are not at hand.

    Rows that were edited or are gone stay as they are: nothing is compared with them.

    Args:
        baseline: Of that suite.
        suite: As it is now.
        results: Of this run.
        grade: Scores answers, see `graded`.
    """
    baseline = _level(baseline, suite)
    changed = changed_scorers(suite, baseline)
    cases = {each.trial.case.id: each.trial.case for each in results}
    wanted = [each for each in baseline.cases.values() if each.id in cases and cases[each.id].digest == each.row]
    if not changed or not wanted:
        return baseline
    seen = _seen(results)
    grades: dict[tuple[str, int], Mapping[str, Grade]] = {}
    answers: dict[tuple[str, int], Answer] = {}
    for key, observation in ((key, each) for record in wanted for key, each in _observations(record)):
        known = _known(observation, changed, seen)
        if known is not None:
            grades[key] = known
        elif key in baseline.outputs:
            answers[key] = Answer(
                completion=baseline.outputs[key],
                case=cases[key[0]],
                scorers=changed,
                suite=suite,
                slot=baseline.slot,
            )
        else:
            return baseline
    grades.update(zip(answers, grade([*answers.values()]), strict=True) if answers else ())
    return replace(
        baseline,
        scorers={**baseline.scorers, **{bound.name: bound.fingerprint for bound in changed}},
        cases={**baseline.cases, **{record.id: _graded(record, grades) for record in wanted}},
    )


def _level(baseline: Baseline, suite: Suite) -> Baseline:
    """Production against itself: what comparing judges said of it when it was a candidate is of no account."""
    known = {
        each.name: each.fingerprint for each in suite.scorers if each.name in comparers(suite) & baseline.scorers.keys()
    }
    if not known:
        return baseline
    return replace(baseline, scorers={**baseline.scorers, **known}, cases=at_par(baseline.cases, known))


def graded(
    background: Background, answers: Sequence[Answer], *, bench: Bench, tick: Callable[[], None], interval: float = 0.1
) -> Sequence[Mapping[str, Grade]]:
    """Score `answers` in the engine's loop.

    Args:
        background: The engine's; started if need be.
        answers: Any number of them.
        bench: Of the engine, for judges.
        tick: Called about every `interval` seconds while this waits, in the caller's thread.

    Raises:
        EngineError: The engine's thread died, or this process is a fork.
    """
    found: list[Mapping[str, Grade]] = []
    done = threading.Event()
    tasks: list[asyncio.Task[None]] = []

    async def work() -> None:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(answer: Answer) -> Mapping[str, Grade]:
            async with turns:
                ask = partial(bench.grade, suite=answer.suite, slot=answer.slot, fresh=answer.fresh)
                return await grades_of(answer.completion, answer.case, answer.scorers, ask=ask)

        found.extend(await asyncio.gather(*map(one, answers)))

    def begin() -> None:
        tasks.append(asyncio.get_running_loop().create_task(work()))
        tasks[0].add_done_callback(lambda _: done.set())

    background.start()
    background.call(begin)
    while not done.wait(interval):
        background.check()
        tick()
    tasks[0].result()
    return found


def _seen(results: Sequence[Result]) -> dict[tuple[str, str], Mapping[str, Grade]]:
    """What this run's answers scored, by case and answer."""
    return {
        (each.observation.case, each.observation.output): each.observation.grades
        for each in results
        if each.observation.output
    }


def _observations(record: CaseRecord) -> list[tuple[tuple[str, int], Observation]]:
    return [((record.id, each.sample), each) for each in record.observations]


def _known(
    observation: Observation, changed: Sequence[BoundScorer], seen: Mapping[tuple[str, str], Mapping[str, Grade]]
) -> Mapping[str, Grade] | None:
    """The grades of an answer that need no scoring; None if there are none."""
    if not observation.output and all(isinstance(each, Unscored) for each in observation.grades.values()):
        return {bound.name: observation.grades[bound.name] for bound in changed if bound.name in observation.grades}
    grades = seen.get((observation.case, observation.output))
    return None if grades is None else {bound.name: grades[bound.name] for bound in changed}


def _graded(record: CaseRecord, grades: Mapping[tuple[str, int], Mapping[str, Grade]]) -> CaseRecord:
    return replace(
        record,
        observations=tuple(
            replace(each, grades={**each.grades, **grades[record.id, each.sample]}) for each in record.observations
        ),
    )
