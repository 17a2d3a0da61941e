"""From a run document back to the values that the gate decides upon, for comparing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.types import (
    Baseline,
    BoundScorer,
    Case,
    CaseRecord,
    Completion,
    Observation,
    Origin,
    PromptVersion,
    Request,
    Result,
    Suite,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.run_document import Answer, CaseRun, PromptRun, SuiteRun, TrialRun


def suite_of(run: SuiteRun) -> Suite:
    """The suite as the gate needs it; nothing can be asked or scored with it.

    ``confirm`` cannot ask again here: its metrics go by the test of ``significant``.
    """
    return Suite(
        name=run.name,
        path=run.path,
        prompt=_prompt(run.prompt),
        slots={run.slot: run.model},
        cases=tuple(map(_case, run.cases)),
        inputs=run.inputs,
        constants={},
        samples=run.samples,
        scorers=tuple(
            BoundScorer(name=each.name, kind=each.kind, scorer=_gone, fingerprint=each.fingerprint, place=each.place)
            for each in run.scorers
        ),
        metrics=tuple(each.spec for each in run.metrics if each.spec.part is None),
        parts=tuple(each.spec for each in run.metrics if each.spec.part is not None),
        rule="significant" if run.rule == "confirm" else run.rule,
        gates={each.spec.name: each.gate for each in run.metrics},
        policy=run.policy,
        must_pass=run.must_pass,
        slices=run.slices,
        together=run.together,
    )


def results_of(run: SuiteRun) -> tuple[Result, ...]:
    """Its answers, in trial order."""
    return tuple(_result(run, case, trial) for case in run.cases for trial in case.now)


def baseline_of(run: SuiteRun) -> Baseline:
    """The run as what another one is held against."""
    return Baseline(
        suite=run.name,
        slot=run.slot,
        prompt=run.prompt.label,
        prompt_digest=run.prompt.digest,
        pin=run.model,
        scorers={each.name: each.fingerprint for each in run.scorers},
        contract=contract_of(suite_of(run)),
        cases={
            case.id: CaseRecord(
                id=case.id,
                row=case.row,
                request=case.request,
                observations=tuple(_observation(case, each) for each in case.now),
            )
            for case in run.cases
        },
        messages=run.prompt.messages,
        outputs=dict(_answers(run)),
    )


def _gone(*_: object) -> NoReturn:
    raise RuntimeError("a run document holds scores, not scorers")


def _prompt(prompt: PromptRun) -> PromptVersion:
    return PromptVersion(
        name=prompt.name,
        version=prompt.version,
        messages=prompt.messages,
        pin=None,
        parameters=prompt.parameters,
        inputs=(),
        path=prompt.path,
        digest=prompt.digest,
    )


def _case(case: CaseRun) -> Case:
    return Case(
        id=case.id,
        inputs=case.inputs,
        expected=case.expected,
        has_expected=case.has_expected,
        tags=case.tags,
        digest=case.row,
        place=case.place,
        cluster=case.cluster,
    )


def _result(run: SuiteRun, case: CaseRun, trial: TrialRun) -> Result:
    return Result(
        trial=Trial(
            case=_case(case),
            sample=trial.sample,
            request=Request(pin=run.model, messages=(), parameters={}),
            digest=case.request,
            ordinal=0,
        ),
        origin=trial.origin or Origin.UNCHANGED,
        completion=None if trial.answer is None else _completion(trial.answer),
        observation=_observation(case, trial),
    )


def _observation(case: CaseRun, trial: TrialRun) -> Observation:
    return Observation(
        case=case.id,
        sample=trial.sample,
        grades=trial.grades,
        tokens_in=trial.tokens_in,
        tokens_out=trial.tokens_out,
        tokens_cached=trial.tokens_cached,
        cost_usd=trial.cost_usd,
        latency_s=trial.latency_s,
        output=trial.output,
    )


def _completion(answer: Answer) -> Completion:
    return Completion(
        text=answer.text,
        tool_calls=answer.tool_calls,
        served_model=answer.served_model,
        finish_reason=answer.finish_reason,
    )


def _answers(run: SuiteRun) -> Iterator[tuple[tuple[str, int], Completion]]:
    for case in run.cases:
        for trial in case.now:
            if trial.answer is not None:
                yield (case.id, trial.sample), _completion(trial.answer)
