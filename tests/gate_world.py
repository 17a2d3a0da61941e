"""Small suites, runs and baselines for the tests of the gate: a mapping of case ids to samples is all they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.types import (
    Baseline,
    BoundScorer,
    Case,
    CaseRecord,
    Completion,
    Contract,
    Direction,
    Errored,
    Grade,
    Message,
    MetricGate,
    MetricSpec,
    ModelPin,
    Observation,
    Origin,
    PromptVersion,
    Request,
    Result,
    Score,
    Skipped,
    Suite,
    Tolerance,
    Trial,
    Unscored,
)
from pytest_promptgate.errors import Place

PLACE = Place(file="evals/triage.eval.yaml", line=1, column=1)
PIN = ModelPin(provider="openai", name="gpt-4o-2024-11-20", parameters={"temperature": 0})

# One sample: a value, a pair of labels (answered, expected), or a grade as it is.
Sample = float | tuple[str, str] | Grade
Samples = Mapping[str, Sequence[Sample]]


def spec(expression: str = "mean(queue)", *, name: str = "accuracy", lower: bool = False) -> MetricSpec:
    aggregate, _, source = expression.rstrip(")").partition("(")
    source, *extra = [part.strip() for part in source.split(",")]
    return MetricSpec(
        name=name,
        aggregate=aggregate,
        source=source,
        arguments=dict(part.split("=", 1) for part in extra),
        direction=Direction.LOWER if lower else Direction.HIGHER,
        place=PLACE,
    )


def grade(sample: Sample) -> Grade:
    if isinstance(sample, Score | Unscored | Errored | Skipped):
        return sample
    if isinstance(sample, tuple):
        return Score(value=float(sample[0] == sample[1]), labels=sample, reason=f"answered {sample[0]}")
    return Score(value=float(sample), reason="" if sample >= 1 else "not the expected queue")


def observations(samples: Samples) -> list[Observation]:
    return [
        Observation(case=case, sample=number, grades={"queue": grade(sample)}, output=f"digest of {case}#{number}")
        for case, each in samples.items()
        for number, sample in enumerate(each, 1)
    ]


def case(name: str, *, row: str = "") -> Case:
    return Case(
        id=name,
        inputs={},
        expected="billing",
        has_expected=True,
        tags=(),
        digest=row or f"row of {name}",
        place=PLACE,
    )


def results(seen: Sequence[Observation], *, rows: Mapping[str, str] | None = None) -> list[Result]:
    return [
        Result(
            trial=Trial(
                case=case(each.case, row=(rows or {}).get(each.case, "")),
                sample=each.sample,
                request=Request(pin=PIN, messages=(), parameters={}),
                digest="request",
                ordinal=0,
            ),
            origin=Origin.ASKED,
            completion=Completion(text=f"new answer to {each.case}#{each.sample}"),
            observation=each,
        )
        for each in seen
    ]


def suite(
    metric: MetricSpec,
    cases: Sequence[str],
    *,
    gate: MetricGate | None = None,
    samples: int = 1,
    fingerprint: str = "queue-1",
) -> Suite:
    return Suite(
        name="triage",
        path="evals/triage.eval.yaml",
        prompt=PromptVersion(
            name="support-triage",
            version="v3",
            messages=(Message(role="system", content="Route it."), Message(role="user", content="{{ message }}")),
            pin=PIN,
            parameters={},
            inputs=(),
            digest="prompt-3",
        ),
        slots={"default": PIN},
        cases=tuple(case(each) for each in cases),
        inputs={},
        constants={},
        samples=samples,
        scorers=(
            BoundScorer(
                name="queue",
                kind="exact_match",
                scorer=lambda *_: Score(value=1.0),
                fingerprint=fingerprint,
                place=PLACE,
            ),
        ),
        metrics=(metric,),
        rule="strict",
        gates={metric.name: gate or MetricGate()},
    )


def baseline(metric: MetricSpec, seen: Sequence[Observation], *, gate: MetricGate | None = None) -> Baseline:
    cases: dict[str, list[Observation]] = {}
    for each in seen:
        cases.setdefault(each.case, []).append(each)
    return Baseline(
        suite="triage",
        slot="default",
        prompt="support-triage@v2",
        prompt_digest="prompt-2",
        pin=PIN,
        scorers={"queue": "queue-1"},
        contract=Contract(
            path="evals/triage.eval.yaml",
            rule="strict",
            samples=1,
            metrics={metric.name: metric.expression},
            gates={metric.name: gate or MetricGate()},
            must_pass=(),
        ),
        cases={
            name: CaseRecord(id=name, row=f"row of {name}", request="request", observations=tuple(each))
            for name, each in cases.items()
        },
        outputs={
            (each.case, each.sample): Completion(text=f"old answer to {each.case}#{each.sample}") for each in seen
        },
    )


def given(
    before: Samples | None,
    after: Samples,
    *,
    metric: MetricSpec | None = None,
    gate: MetricGate | None = None,
    rows: Mapping[str, str] | None = None,
    selection: frozenset[str] | None = None,
) -> GateInput:
    """A run with the samples `after`, held against a baseline with the samples `before`."""
    metric = metric or spec()
    asked = results(observations(after), rows=rows)
    return GateInput(
        suite=suite(metric, list(after), gate=gate, samples=max(map(len, after.values()), default=1)),
        baseline=None if before is None else baseline(metric, observations(before)),
        results=asked,
        selection=selection,
    )


def changed_scorer(world: GateInput) -> GateInput:
    bound = tuple(replace(each, fingerprint="queue-2") for each in world.suite.scorers)
    return replace(world, suite=replace(world.suite, scorers=bound))


def tolerance(text: str | float) -> Tolerance:
    if isinstance(text, str):
        return Tolerance(amount=float(text.rstrip("%")) / 100, relative=True)
    return Tolerance(amount=text)
