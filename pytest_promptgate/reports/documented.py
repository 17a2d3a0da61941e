"""From a `Report` to its part of the run document."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.calibration import calibration_of, opinion
from pytest_promptgate.core.excerpts import excerpts
from pytest_promptgate.core.pairs import comparers, pairs_of
from pytest_promptgate.core.run_document import (
    CalibrationRun,
    ControlRun,
    JudgeRun,
    ProductionRun,
    PromptRun,
    ScorerRun,
    Spent,
    SuiteRun,
)
from pytest_promptgate.core.trust import rubrics_of
from pytest_promptgate.core.types import Origin
from pytest_promptgate.reports.documented_cases import case_runs, failed_cases
from pytest_promptgate.reports.documented_metrics import metric_runs, promise_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.sight import Sight
    from pytest_promptgate.core.types import (
        Baseline,
        Control,
        PromptVersion,
        Report,
        Result,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a document tells of a suite and its `Report` does not know."""

    not_judged: str = ""  # why it has no verdicts; "" if it has
    sights: tuple[Sight, ...] = ()
    calibrations: tuple[Mapping[str, Calibration], ...] = ()  # by the rubric's path, as for `core.calibration.opinion`
    aggregates: Mapping[str, Aggregate] = field(default_factory=lambda: MappingProxyType({}))


def suite_run(report: Report, beside: Beside) -> SuiteRun:
    """One suite and slot as the document has it."""
    return replace(suite_outline(report, beside), cases=tuple(case_runs(report)))


def suite_outline(report: Report, beside: Beside) -> SuiteRun:
    """The same without its cases: all that a closing table needs."""
    suite, pin = report.suite, report.pin
    return SuiteRun(
        name=suite.name,
        slot=report.slot,
        path=suite.path,
        title=title_of(report),
        judged=not beside.not_judged,
        not_judged=beside.not_judged,
        partial=report.partial,
        model=pin,
        served_models=tuple(sorted({model for each in report.results if (model := _served(each))})),
        prompt=_prompt(suite.prompt),
        production=None if report.baseline is None else _production(report.baseline, report),
        inputs=dict(suite.inputs),
        rule=suite.rule,
        samples=suite.samples,
        policy=suite.policy,
        must_pass=suite.must_pass,
        together=suite.together,
        slices=suite.slices,
        scorers=tuple(_scorers(report)),
        metrics=tuple(metric_runs(report, sights=beside.sights, aggregates=beside.aggregates)),
        promises=tuple(promise_runs(report)),
        sliced=report.slices,
        differences=report.differences,
        judges=tuple(_judges(report, beside)),
        control=None if report.control is None else _control(report.control),
        spent=spent_on(report.results),
        notes=report.notes,
        transport=report.transport,
        failed=tuple(failed_cases(report)),
    )


def title_of(report: Report) -> str:
    """``triage: triage@v2 on openai/gpt-4o-2024-11-20``; the slot's name where a suite has several."""
    bracket = report.slot if tuple(report.suite.slots) != ("default",) else str(report.pin)
    return f"{report.suite.name}: {report.suite.prompt.label} on {bracket}"


def _served(result: Result) -> str:
    return "" if result.completion is None else result.completion.served_model


def _prompt(prompt: PromptVersion) -> PromptRun:
    return PromptRun(
        name=prompt.name,
        version=prompt.version,
        digest=prompt.digest,
        path=prompt.path,
        messages=prompt.messages,
        parameters=excerpts(prompt.parameters),
        target=prompt.target is not None,
    )


def _production(baseline: Baseline, report: Report) -> ProductionRun:
    name, _, version = baseline.prompt.rpartition("@")
    recipe = baseline.recipe
    selected = {result.trial.case.id for result in report.results}
    return ProductionRun(
        prompt=PromptRun(
            name=name,
            version=version,
            digest=baseline.prompt_digest,
            messages=baseline.messages,
            parameters={} if recipe is None else excerpts(recipe.prompt.parameters),
        ),
        model=baseline.pin,
        cases=len(baseline.cases),
        scorers=dict(baseline.scorers),
        metrics=dict(baseline.contract.metrics),
        gone=tuple(sorted(baseline.cases.keys() - selected)),
    )


def _scorers(report: Report) -> Iterator[ScorerRun]:
    rubrics = rubrics_of(report.suite)
    for each in report.suite.scorers:
        rubric = rubrics[each.name].path if each.name in rubrics else ""
        yield ScorerRun(name=each.name, kind=each.kind, fingerprint=each.fingerprint, place=each.place, rubric=rubric)


def _judges(report: Report, beside: Beside) -> Iterator[JudgeRun]:
    asked, compares = {each.scorer: each for each in report.judged}, comparers(report.suite)
    observations, rubrics = [result.observation for result in report.results], rubrics_of(report.suite)
    for name in sorted({*rubrics, *asked, *compares}):
        rubric = rubrics.get(name)
        told = None if rubric is None else opinion(rubric, beside.calibrations)
        yield JudgeRun(
            scorer=name,
            asked=asked.get(name),
            calibration=None if rubric is None else _calibration(calibration_of(rubric, beside.calibrations)),
            trust=None if told is None else told.trust,
            doubt=told.why if told else "",
            compared=pairs_of(observations, name) if name in compares else None,
        )


def _calibration(found: Calibration | None) -> CalibrationRun | None:
    if found is None:
        return None
    return CalibrationRun(
        labels=found.labels,
        agreement=found.agreement,
        weighted_kappa=found.weighted_kappa,
        bias=found.bias,
        bias_interval=found.bias_interval,
    )


def _control(control: Control) -> ControlRun:
    return ControlRun(
        prompt=control.prompt,
        metrics=tuple(sorted(control.metrics)),
        timing=control.timing,
        missing=control.missing,
        shifts=control.shifts,
        spent=spent_on(control.results),
    )


def spent_on(results: Sequence[Result]) -> Spent:
    """What these results took; an answer that was hedged counts with every request that was paid for it."""
    origins = Counter(result.origin for result in results)
    asked = [result for result in results if result.origin is Origin.ASKED]
    costs = [_cost(result) for result in asked]
    return Spent(
        cases=len({result.trial.case.id for result in results}),
        unchanged=origins[Origin.UNCHANGED],
        stored=origins[Origin.STORED],
        asked=origins[Origin.ASKED],
        unanswered=origins[Origin.NOWHERE],
        tokens_in=sum(each.observation.tokens_in or 0 for each in asked),
        tokens_out=sum(each.observation.tokens_out or 0 for each in asked),
        cost_usd=None if None in costs else math.fsum(each or 0.0 for each in costs),
        latency_s=math.fsum(each.observation.latency_s or 0.0 for each in asked),
    )


def _cost(result: Result) -> float | None:
    each = result.observation.cost_usd
    return None if each is None else each * (result.completion.requests if result.completion else 1)
