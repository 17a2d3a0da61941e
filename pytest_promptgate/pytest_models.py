"""``--prompt-model SUITE=PIN``: a suite on another model, against the baseline of the one that it runs on."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate import wiring
from pytest_promptgate.core.pins import PinStatus, label, parse_model
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.rounds import counting
from pytest_promptgate.core.side_by_side import side_by_side
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PinError, SuiteError
from pytest_promptgate.files.suite_models import known_pin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_promptgate.core.model_change import ModelChange
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.side_by_side import SideBySide
    from pytest_promptgate.core.types import Baseline, ModelPin, Report, Suite
    from pytest_promptgate.pytest_run import Run

OPTION = "--prompt-model"


def with_models(suite: Suite, changes: Sequence[ModelChange], providers: Mapping[str, ProviderSpec]) -> Suite:
    """`suite` on the models that `changes` name for it; prompt, parameters and judges stay.

    Raises:
        SuiteError: It has no model, or not the slot that is named.
        PinError: A new model is unknown, or no fixed snapshot.
    """
    for change in changes:
        if change.suite == suite.name:
            slot = _slot(suite, change)
            pin = _pin(change, suite.slots[slot], providers)
            suite = replace(suite, slots={**suite.slots, slot: pin})
    return suite


def refuse_unknown_suites(changes: Sequence[ModelChange], suites: Collection[str]) -> None:
    """Another model for a suite that this run does not collect is a mistake, and never silently nothing.

    Raises:
        pytest.UsageError: There is such a change.
    """
    for change in changes:
        if change.suite not in suites:
            hint = did_you_mean(change.suite, suites, label="Suites of this run")
            raise pytest.UsageError(f"{OPTION} {change}: this run has no suite {change.suite!r}\n  {hint}")


def _slot(suite: Suite, change: ModelChange) -> str:
    where = f"{OPTION} {change}"
    if suite.prompt.target is not None:
        hint = "It asks whatever it likes: change the model there."
        raise SuiteError(where, f"suite {suite.name!r} evaluates a target, which has no model", hint=hint)
    if change.slot in suite.slots:
        return change.slot
    if change.slot:
        hint = did_you_mean(change.slot, suite.slots, label="Slots")
        raise SuiteError(where, f"suite {suite.name!r} has no model slot {change.slot!r}", hint=hint)
    if len(suite.slots) > 1:
        hint = f"Name one: {OPTION} {suite.name}[{next(iter(suite.slots))}]={change.model}"
        raise SuiteError(where, f"suite {suite.name!r} runs on {len(suite.slots)} models", hint=hint)
    return next(iter(suite.slots))


def _pin(change: ModelChange, before: ModelPin, providers: Mapping[str, ProviderSpec]) -> ModelPin:
    provider, name = parse_model(change.model)
    pin = replace(before, provider=provider, name=name, vouched=False)
    try:
        return known_pin(pin, providers, where=f"{OPTION} {change}")
    except PinError as fault:
        spec = providers.get(provider)
        if spec is None or spec.deployments or label(spec.family, name).status is not PinStatus.UNKNOWN:
            raise
        hint = f"If you know that it never moves, give your word in promptgate.yaml, at the provider {provider!r}:"
        raise PinError(fault.where, fault.what, hint=f"{hint} `models: {{{name}: {{pinned: true}}}}`.") from None


def beside_production(run: Run, report: Report) -> SideBySide | None:
    """Both models side by side, if this run's is not the one that its baseline was written with."""
    if report.baseline is None or not report.differences.model or run.suite.prompt.target is not None:
        return None
    session = run.session
    prices = session.price(report.baseline.pin), session.price(report.pin)
    return side_by_side(report, prices=prices, latencies=_latencies(run, report))


def _latencies(run: Run, report: Report) -> list[float]:
    """Of production's answers: of this run, else of the baseline, else of the store."""
    assert report.baseline is not None
    beside = [each.observation.latency_s for each in report.control.results] if report.control else []
    observations = [each for record in report.baseline.cases.values() for each in record.observations]
    recorded = [each.latency_s for each in observations]
    found = [each for each in beside if each is not None] or [each for each in recorded if each is not None]
    return found or _stored_latencies(run, report.baseline)


def _stored_latencies(run: Run, baseline: Baseline) -> list[float]:
    session = run.session
    if baseline.pin.provider not in session.project.providers:
        return []
    account = wiring.account_of(baseline.pin.provider, session.project, session.toolbox(), connections=1)
    answers = Counter[str]()  # of one request; their ordinals count up
    for record in baseline.cases.values():
        answers[record.request] += len(record.observations)
    with closing(session.store(run.suite.name)) as store:
        keys = [
            StoreKey(request=request, endpoint=account.endpoint, ordinal=ordinal, round=name)
            for request, count in answers.items()
            for ordinal in range(count)
            for name in counting(store.complete_rounds)
        ]
        found = [store.get(key) for key in keys]
    return [each.latency_s for each in found if each is not None and each.latency_s is not None]


def tried(run: Run) -> str:
    """Why no baseline can be written from this run; "" unless its model is one that is only tried."""
    if not run.session.settings.tries(run.suite.name):
        return ""
    return f"no file names its model yet ({OPTION}); promptgate migrate OLD NEW writes it"
