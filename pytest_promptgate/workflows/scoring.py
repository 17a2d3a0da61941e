"""Scorers run on one answer; they are users' code, and nothing they do can stop the run."""

from __future__ import annotations

import asyncio
import inspect
import os
import sysconfig
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.grading import grade_of
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.types import BoundScorer, Case, Completion, Errored, Grade, Score, Unscored
from pytest_promptgate.errors import ScorerError

if TYPE_CHECKING:
    from types import TracebackType

# Has a judge's questions answered; see `workflows.judging`.
Ask: TypeAlias = "Callable[[BoundScorer, Completion, Case], Coroutine[Any, Any, Grade]]"

_ACCEPTED = "Return Score(value=0.8, reason=…), Unscored(reason=…), True, False, or a number from 0 to 1."
_NONE: Mapping[str, Grade] = MappingProxyType({})
_MOST_SHOWN = 200  # characters of what a scorer returned
_OURS = str(Path(__file__).parents[1])
_LIBRARIES = (*(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")), _OURS)


async def grades_of(
    completion: Completion,
    case: Case,
    scorers: Sequence[BoundScorer],
    *,
    kept: Mapping[str, Grade] = _NONE,
    ask: Ask | None = None,
) -> dict[str, Grade]:
    """One grade per scorer, in the order of `scorers`: the one in `kept`, else a new one; new ones wait side by side.

    Plain scorers run in the engine's thread: one that blocks holds up every other answer, so a scorer that waits for
    something is to be ``async``. What a scorer raises, or a value that is no grade, is that trial's `Errored`.
    Judges do not run: `ask` has their questions answered.
    """
    begun = {
        bound.name: kept[bound.name] if bound.name in kept else _begun(bound, completion, case, ask)
        for bound in scorers
    }
    waiting = {name: grade for name, grade in begun.items() if isinstance(grade, Awaitable)}
    done = dict(zip(waiting, await asyncio.gather(*waiting.values()), strict=True)) if waiting else {}
    return {name: done[name] if isinstance(grade, Awaitable) else grade for name, grade in begun.items()}


def _begun(
    bound: BoundScorer, completion: Completion, case: Case, ask: Ask | None
) -> Grade | Coroutine[Any, Any, Grade]:
    if ask is not None and isinstance(bound.scorer, Judge):
        return ask(bound, completion, case)
    scorer: Any = bound.scorer
    try:
        returned = scorer(completion, case)
    except BaseException as error:  # noqa: BLE001 users' code; pytest.fail and SystemExit are no Exceptions
        return raised(bound, error)
    return _ended(bound, returned) if inspect.isawaitable(returned) else _grade(bound, returned)


async def _ended(bound: BoundScorer, returned: Awaitable[object]) -> Grade:
    try:
        return _grade(bound, await returned)
    except BaseException as error:
        if being_cancelled(error):
            raise
        return raised(bound, error)


def being_cancelled(error: BaseException) -> bool:
    """Whether `error` is the engine's own cancellation of the current task, rather than one that users' code raised."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _grade(bound: BoundScorer, returned: object) -> Grade:
    found = grade_of(returned)
    if found is not None:
        return found
    match returned:
        case Score() | Unscored() | bool() | int() | float() | None:
            seen = repr(returned)[:_MOST_SHOWN]
        case _:
            seen = f"a {type(returned).__name__}"
    return Errored(message=str(ScorerError(bound.name, f"the scorer returned {seen}", hint=_ACCEPTED)))


def raised(bound: BoundScorer, error: BaseException) -> Errored:
    """A scorer's exception as the trial's own error: the scorer's name, what was raised, and where in users' code."""
    where = place_in_users_code(error.__traceback__)
    return Errored(
        message=str(ScorerError(bound.name, f"the scorer raised {described(error)}", hint=where and f"at {where}"))
    )


def described(error: BaseException) -> str:
    """The exception as the last line of its traceback would say it, in one line of at most 500 characters."""
    return " ".join("".join(traceback.format_exception_only(error)).split())[:500]


def place_in_users_code(trace: TracebackType | None) -> str:
    """``file:line`` of the innermost frame outside of libraries and this package; "" if there is none."""
    frames = [frame for frame in traceback.extract_tb(trace) if frame.filename != __file__]
    own = [frame for frame in frames if not frame.filename.startswith((*_LIBRARIES, "<"))]
    if not frames:
        return ""
    frame = (own or frames)[-1]
    return f"{frame.filename.removeprefix(f'{Path.cwd()}{os.sep}')}:{frame.lineno}"
