"""Annotations of GitHub Actions: escaped as its rules want it, and no more than it shows."""

from __future__ import annotations

from dataclasses import replace

import fakes

from pytest_promptgate.core.types import Differences, Outcome, Report, Verdict
from pytest_promptgate.reports.annotations import MOST, annotation_lines, command


def red(metric: str, reason: str = "it fell") -> Verdict:
    """A red verdict."""
    return Verdict(
        metric=metric, outcome=Outcome.REGRESSED, reason=reason, gated=True, red=True, baseline=None, current=None
    )


def report(*verdicts: Verdict) -> Report:
    """A run with these verdicts."""
    suite = fakes.suite([fakes.case("a")])
    return Report(
        suite=replace(suite, prompt=replace(suite.prompt, path="prompts/fake/v1.prompty")),
        slot="default",
        pin=fakes.PIN,
        results=(),
        measurements=(),
        verdicts=verdicts,
        differences=Differences(),
        baseline=None,
    )


def test_nothing_ends_the_message_or_begins_another() -> None:
    assert command("a,b:c%.yaml", 3, "t: 100%, x\n", "50 % fell\n::error::no\r##[x]") == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,title=t%3A 100%25%2C x%0A::50 %25 fell%0A\\x3a:error::no%0A\\x23#[x]"
    )


def test_a_gate_that_is_no_metric_stands_at_the_top_of_its_suite() -> None:
    lines = annotation_lines([report(red("must_pass"))], lambda name: f"sub/{name}")

    assert lines == (
        "::error file=sub/evals/fake.eval.yaml,line=1,title=fake%3A must_pass::it fell",
        "::error file=sub/prompts/fake/v1.prompty,line=1,title=1 gate red::fake: it fell",
    )


def test_no_more_are_printed_than_are_shown_and_the_last_says_so() -> None:
    lines = annotation_lines([report(*(red(f"m{number}") for number in range(12)))], str)

    assert len(lines) == MOST
    assert lines[-1] == (
        "::error file=evals/fake.eval.yaml,line=1,title=promptgate::"
        "12 gates are red; the log and the report show all of them"
    )


def test_a_green_report_has_none() -> None:
    assert annotation_lines([report(replace(red("a"), red=False))], str) == ()
