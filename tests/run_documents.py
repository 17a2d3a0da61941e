"""Run documents for tests, built from a few facts by the code that builds the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
from gate_world import Samples, given, spec

from pytest_promptgate.core.differences import differences
from pytest_promptgate.core.judgement import judge_all
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.run_document import GitState, Mode, RunDocument, Status, SuiteRun, Versions
from pytest_promptgate.core.types import Completion, Json, MetricSpec, Report
from pytest_promptgate.files.run_file import run_schema
from pytest_promptgate.reports.documented import Beside, suite_run

GREEN: Samples = {"c-01": [1.0], "c-02": [1.0], "c-03": [0.0]}
WORSE: Samples = {"c-01": [0.0], "c-02": [1.0], "c-03": [1.0]}


def made_report(
    before: Samples | None = GREEN,
    after: Samples = WORSE,
    *,
    metric: MetricSpec | None = None,
    old: Mapping[str, str] = {},
    new: Mapping[str, str] = {},
    inputs: Mapping[str, Mapping[str, Json]] = {},
    **changes: Any,
) -> Report:
    """A judged report.

    Args:
        before: The baseline's samples by case; None: there is no baseline.
        after: This run's.
        old: Texts of the baseline's first samples, by case.
        new: Texts of this run's.
        inputs: Of cases.
        changes: Of the report.
    """
    metric = metric or spec()
    world = given(before, after, metric=metric)
    results = tuple(
        replace(
            each,
            completion=Completion(text=new.get(each.observation.case, f"new answer to {each.observation.case}")),
            trial=replace(
                each.trial, case=replace(each.trial.case, inputs=inputs.get(each.observation.case, {"message": "hi"}))
            ),
        )
        for each in world.results
    )
    held = world.baseline
    if held is not None:
        held = replace(
            held, outputs={**held.outputs, **{(name, 1): Completion(text=text) for name, text in old.items()}}
        )
    world = replace(world, results=results, baseline=held)
    facts: dict[str, Any] = {
        "suite": world.suite,
        "slot": "default",
        "pin": world.suite.slots["default"],
        "results": results,
        "measurements": (measure(metric, [each.observation for each in results]),),
        "verdicts": judge_all(world),
        "differences": differences(world.suite, world.suite.slots["default"], held),
        "baseline": held,
    }
    return Report(**{**facts, **changes})


def made_suite(report: Report | None = None, **beside: Any) -> SuiteRun:
    """The part of a document that `report` becomes."""
    return suite_run(report or made_report(), Beside(**beside))


def made_document(*suites: SuiteRun, **changes: Any) -> RunDocument:
    """A document of `suites`, or of one with a case that got worse and one that got better."""
    suites = suites or (made_suite(),)
    failures = sum(len(suite.red) + len(suite.failed) for suite in suites)
    facts: dict[str, Any] = {
        "status": Status.COMPLETE,
        "exit_code": int(failures > 0),
        "started": "2026-11-23T13:00:00Z",
        "ended": "2026-11-23T13:00:02Z",
        "seconds": 2.5,
        "versions": Versions(promptgate="0.1", pytest="8.4", python="3.11.2", platform="Linux"),
        "arguments": ("--prompt-evals",),
        "mode": Mode(),
        "git": GitState(commit="0123456789abcdef", branch="main"),
        "suites": suites,
        "failures": failures,
    }
    return RunDocument(**{**facts, **changes})


@cache
def run_validator() -> jsonschema.Draft202012Validator:
    """Of the schema of a run's file."""
    import json

    return jsonschema.Draft202012Validator(json.loads(run_schema()))
