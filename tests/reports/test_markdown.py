"""The Markdown report: what stands in it, in which order, and never above its size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import spec
from hypothesis import given, settings
from hypothesis import strategies as st
from run_documents import made_document, made_report, made_suite

from pytest_promptgate.core.acceptance import STALE
from pytest_promptgate.core.run_document import ControlRun, JudgeRun, Mode, RunDocument, Spent, Status
from pytest_promptgate.core.types import Errored, Judged
from pytest_promptgate.reports.html import html_text
from pytest_promptgate.reports.markdown import markdown
from pytest_promptgate.reports.top import cost_of, headline

LIMIT = 60_000
FALLEN = made_suite(made_report({"c-01": [1.0]}, {"c-01": [0.0]}))


def many(cases: int, *, text: str = "answer") -> RunDocument:
    """A document in which every case flipped."""
    names = [f"c-{at:05d}" for at in range(cases)]
    report = made_report(
        {name: [1.0] for name in names},
        {name: [0.0] for name in names},
        old=dict.fromkeys(names, f"{text} before"),
        new=dict.fromkeys(names, f"{text} now"),
    )
    return made_document(made_suite(report))


def test_the_verdict_stands_on_top_and_the_tables_before_the_cases() -> None:
    report = made_report({"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [1.0]})
    differ = replace(report.differences, prompt="v1 -> v2", prompt_diff=("-old", "+new"))
    page = markdown(made_document(made_suite(replace(report, differences=differ))))
    order = ["FAILED: accuracy fell", "| metric |", "### What changed", "### 1 flipped case", "2 cases ·"]
    places = [page.find(each) for each in order]

    assert page.startswith("## ")
    assert -1 not in places
    assert places == sorted(places)


def test_ten_cases_are_open_and_the_others_folded() -> None:
    page = markdown(many(14))
    before, _, after = page.partition("<details><summary>4 more flipped cases</summary>")

    assert before.count("before → now") == 10
    assert after.partition("</details>")[0].count("before → now") == 4


def test_what_there_is_no_room_for_is_counted() -> None:
    page = markdown(many(5000, text="word " * 200))
    shown = page.count("before → now")

    assert f"_… {5000 - shown} more flipped cases left out: the whole is in the run's JSON and HTML reports_" in page
    assert shown > 10
    assert len(page.encode()) < LIMIT
    assert page.count("<details>") == page.count("</details>")


def test_a_hundred_suites_fit_red_ones_first() -> None:
    red = replace(made_suite(made_report({"c-01": [1.0]}, {"c-01": [0.0]})), name="red", title="the red one")
    green = made_suite(made_report({"c-01": [1.0]}, {"c-01": [1.0]}))
    suites = [replace(green, name=f"suite-{at}", title=f"suite-{at} {'x' * 100}") for at in range(200)]
    page = markdown(made_document(*suites, red))

    assert len(page.encode()) < LIMIT
    assert page.find("the red one") < page.find("suite-0")
    assert "more suites left out" in page


NASTY = st.text(st.sampled_from("<>&`|@#\x00é😀\n[]()!*_~ a"), max_size=60)


@settings(max_examples=25, deadline=None)
@given(text=NASTY, times=st.integers(1, 2000), cases=st.integers(1, 60), metrics=st.integers(1, 90))
def test_it_is_below_60_kb_whatever_is_in_it(text: str, times: int, cases: int, metrics: int) -> None:
    long = text * times
    names = [f"{text[:30]}{at}" for at in range(cases)]
    suite = made_suite(
        made_report(
            {name: [1.0] for name in names},
            {name: [0.0] for name in names},
            metric=spec(name=text or "accuracy"),
            old=dict.fromkeys(names, long),
            new=dict.fromkeys(names, f"{long}!"),
            inputs={name: {"message": long} for name in names},
            notes=(long,) * 30,
        )
    )
    suite = replace(
        suite, title=long, metrics=suite.metrics * metrics, differences=replace(suite.differences, model=long)
    )
    page = markdown(made_document(suite, suite, notes=(long,) * 50, reasons=(long,) * 9, status=Status.BROKE))

    assert len(page.encode()) < LIMIT
    assert page.count("<details>") == page.count("</details>")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            made_document(made_suite(made_report({"c-01": [1.0]}, {"c-01": [0.0]}))),
            "FAILED: accuracy fell from 1.000 to 0.000 (n=1, change -1.000, tolerance 0)",
        ),
        (
            made_document(made_suite(made_report({"c-01": [1.0]}, {"c-01": [1.0]}))),
            "PASSED: no gate failed: 1 metric on 1 case held against the baseline",
        ),
        (
            made_document(made_suite(made_report({"c-01": [1.0]}, {"c-01": [1.0]})), failures=2),
            "PASSED: no gate failed: 1 metric on 1 case held against the baseline; 2 other tests failed",
        ),
        (
            made_document(made_suite(made_report(None, {"c-01": [1.0]}))),
            "NEW: 1 metric on 1 case, no baseline yet: --update-baseline writes one",
        ),
        (
            made_document(made_suite(made_report(None, {"c-01": [1.0]})), mode=Mode(update=True)),
            "NEW: 1 metric on 1 case, the first baseline is written",
        ),
        (
            made_document(status=Status.INTERRUPTED, reasons=("the run was interrupted",)),
            "INTERRUPTED: the run was interrupted; 1 of 1 suite judged",
        ),
        (
            made_document(
                made_suite(made_report({"c-01": [1.0]}, {"c-01": [0.0]})),
                status=Status.INTERRUPTED,
                reasons=("stopping after 1 failures",),
            ),
            "INTERRUPTED: accuracy fell from 1.000 to 0.000 (n=1, change -1.000, tolerance 0); "
            "stopping after 1 failures; 1 of 1 suite judged",
        ),
        (
            made_document(
                replace(FALLEN, metrics=FALLEN.metrics * 2, promises=(replace(FALLEN.red[0], metric=STALE),))
            ),
            "FAILED: accuracy fell from 1.000 to 0.000 (n=1, change -1.000, tolerance 0), "
            "and 1 more gate failed, the baseline is not up to date",
        ),
        (made_document(suites=(), status=Status.BROKE, reasons=("a\nb",)), "BROKE: a"),
        (
            made_document(
                made_suite(made_report(None, {"c-01": [1.0]}), not_judged="shard 1/2: judged after the merge")
            ),
            "MEASURED: 1 suite, nothing is judged in this run",
        ),
    ],
)
def test_the_headline_says_what_is_worst(document: RunDocument, told: str) -> None:
    assert str(headline(document)) == told


def test_a_run_that_is_not_complete_says_so_again_at_its_end() -> None:
    page = markdown(made_document(status=Status.INTERRUPTED, reasons=("out of money",)))

    assert "**This run is not complete (interrupted)**\n\n<pre>out of money</pre>" in page


def test_a_red_strict_suite_says_that_no_interval_excuses_it() -> None:
    strict, tested = replace(FALLEN, rule="strict"), replace(FALLEN, rule="significant")
    note = "rule strict: a fall beyond the tolerance is red, whatever the interval says"

    assert [note in made(made_document(strict)) for made in (markdown, html_text)] == [True, True]
    assert [note in made(made_document(tested)) for made in (markdown, html_text)] == [False, False]


def test_a_diff_in_a_reason_keeps_its_lines() -> None:
    page = markdown(made_document(suites=(), status=Status.BROKE, reasons=("v3 was edited\n-old\n+new",)))

    assert "<pre>v3 was edited\n-old\n+new</pre>" in page


def test_cases_without_a_score_are_open_where_no_other_cases_are_told() -> None:
    alone = made_suite(made_report({"c-01": [1.0]}, {"c-01": [Errored(message="boom")]}))

    assert "<details open><summary>cases that failed" in markdown(made_document(alone))
    assert "<details><summary>cases that failed" in markdown(made_document(alone, FALLEN))


def test_what_is_told_was_spent_on_judges_and_the_control_too() -> None:
    suite = replace(made_suite(), spent=Spent(asked=1, cost_usd=1.0))
    judge = JudgeRun(scorer="tone", asked=Judged(scorer="tone", model="m", asked=1, cost_usd=0.5))
    control = ControlRun(
        prompt="triage@v1", metrics=(), timing=False, missing="", shifts=(), spent=Spent(asked=1, cost_usd=0.25)
    )
    document = made_document(replace(suite, judges=(judge,), control=control))

    assert cost_of(document) == 1.75
    assert "$1.75" in markdown(document)
    assert "$1.75" in html_text(document)
