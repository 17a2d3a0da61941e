"""What the fixtures ``prompt_eval`` and ``eval_loop`` give to tests."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_promptgate.core.types import Errored, Score
from pytest_promptgate.errors import CallError, Place, PromptGateError
from pytest_promptgate.pytest_context import suite_context
from pytest_promptgate.pytest_launch import ask_more

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Completion, Json, Result
    from pytest_promptgate.pytest_session import EvalSession

T = TypeVar("T")
_OURS = str(Path(__file__).parent)
_POLL_S = 0.01  # seconds between looks at an answer that another thread waits for


class EvalLoop:
    """The event loop in which async test functions with ``@pytest.mark.prompt_eval`` run.

    What such a function uses has to be opened in it: a client belongs to the loop that made it.
    """

    def __init__(self, evals: EvalSession) -> None:
        self._evals = evals

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns, run in that loop; blocks until then, and raises what it raises."""
        return self._evals.evaluation().run(work)


class PromptEval:
    """Asks versions of prompts with the store, pins, limits and budget of the pytest run.

    The same question to the same model is one question: it is asked once, and its stored answer serves later runs.
    """

    def __init__(self, evals: EvalSession) -> None:
        self._evals = evals

    def ask(self, prompt: str, inputs: Mapping[str, Json], *, model: Json = None) -> Completion:
        """Render a prompt version, ask it, and wait for the answer.

        Args:
            prompt: ``support-triage@v3``; without a version the newest one.
            inputs: The values of its inputs, JSON.
            model: ``provider/id``, or ``{"id": …, "pinned": …, "parameters": …}``; None: the prompt's own.

        Raises:
            PromptGateError: There is no such prompt, its model is no pin, the inputs are not its inputs, or there is
                no answer (`CallError`).
        """
        __tracebackhide__ = True
        plan = self._asked(prompt, inputs, model)
        evals, case = self._evals, plan.suite.cases[0].id
        try:
            results = evals.evaluation().wait(plan.suite.name, plan.slot, [case], tick=evals.progress.tick)
        finally:
            evals.progress.clear()
        return self._answer(results[0])

    async def ask_async(self, prompt: str, inputs: Mapping[str, Json], *, model: Json = None) -> Completion:
        """`ask`, for async tests: other coroutines of the test's loop go on meanwhile."""
        __tracebackhide__ = True
        plan = self._asked(prompt, inputs, model)
        engine, case = self._evals.evaluation(), plan.suite.cases[0].id
        while (results := engine.results(plan.suite.name, plan.slot, case)) is None:
            engine.check()
            await asyncio.sleep(_POLL_S)
        return self._answer(results[0])

    def _asked(self, reference: str, inputs: Mapping[str, Json], model: Json) -> Plan:
        """The plan of a question that is on its way; what is wrong with it is the fault of the line that asks."""
        __tracebackhide__ = True
        try:
            return self._submitted(reference, inputs, model)
        except PromptGateError as error:
            raise error.with_traceback(None) from None

    def _submitted(self, reference: str, inputs: Mapping[str, Json], model: Json) -> Plan:
        from pytest_promptgate.core.plan import plan
        from pytest_promptgate.files.single_question import read_question
        from pytest_promptgate.files.templates import render
        from pytest_promptgate.files.version_checks import check_unedited
        from pytest_promptgate.pytest_versions import archive_of

        evals, where = self._evals, self._place()
        if threading.current_thread() is not threading.main_thread():
            what = "prompt_eval asks from the main thread alone, and marked functions run in others"
            raise CallError(where, what, hint="Write a suite file with `prompt:` for what such a function would ask.")
        suite = read_question(reference, inputs, model, where=where, context=suite_context(evals))
        check_unedited(archive_of(evals.reference), {suite.prompt.name})
        (slot,) = suite.slots
        planned = plan(suite, slot, render=render)
        evals.evaluation().submit(planned, None, None, held=True)
        ask_more(evals, planned, None, quiet=True)
        return planned

    def _answer(self, result: Result) -> Completion:
        __tracebackhide__ = True
        self._evals.asked[result.trial.case.id] = result
        (grade,) = result.observation.grades.values()
        if result.completion is not None and isinstance(grade, Score):
            return result.completion
        what, _, hint = (grade.message if isinstance(grade, Errored) else _reason(grade)).partition("\n")
        raise CallError(result.trial.case.place, what, hint="\n".join(line.strip() for line in hint.splitlines()))

    def _place(self) -> Place:
        """The line that asks."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
            frame = frame.f_back
        return Place(file=self._evals.settings.shown(Path(frame.f_code.co_filename)), line=frame.f_lineno)


def _reason(grade: object) -> str:
    return str(getattr(grade, "reason", "there is no answer"))
