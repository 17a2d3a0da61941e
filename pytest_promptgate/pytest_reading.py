"""What the front door does with every suite that it reads, whatever it is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.pytest_context import suite_context
from pytest_promptgate.pytest_models import with_models
from pytest_promptgate.pytest_run import Run
from pytest_promptgate.pytest_trust import trusting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.files.suites import SuiteContext
    from pytest_promptgate.pytest_session import EvalSession


def read_suite(evals: EvalSession, load: Callable[[SuiteContext], Suite]) -> Suite:
    """What `load` reads, with the models that the command line names, as far as its judges may be trusted.

    Raises:
        PromptGateError: Whatever `load` raises; or such a model cannot be asked.
    """
    return trusting(evals, with_models(load(suite_context(evals)), evals.settings.models, evals.project.providers))


def add_run(evals: EvalSession, suite: Suite, slot: str) -> Run:
    """Plan one slot of a suite, and look for its baseline; raises what `core.plan.plan` raises."""
    from pytest_promptgate.core.default_rule import ruled
    from pytest_promptgate.core.plan import plan
    from pytest_promptgate.core.self_trial import without_promises
    from pytest_promptgate.files.templates import render

    kinds = {name: spec.kind for name, spec in evals.project.providers.items()}
    planned = ruled(plan(suite, slot, render=render), None, kinds=kinds)
    baseline = evals.reference.baseline(planned)
    wanted = ruled(planned, baseline, kinds=kinds)
    kept = without_promises(wanted) if evals.trials else wanted
    run = evals.runs[suite.name, slot] = Run(session=evals, plan=kept, baseline=baseline)
    return run
