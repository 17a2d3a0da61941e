"""The HTML report as text: one file, everything escaped, nothing from anywhere else."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from gate_world import spec
from run_documents import made_document, made_report, made_suite

from pytest_promptgate.core.history import Curve, Entry, Point, Series
from pytest_promptgate.core.run_document import Status
from pytest_promptgate.reports.drawn import Change, bins, bins_drawn, change_drawn
from pytest_promptgate.reports.html import data_block, html_text
from pytest_promptgate.reports.html_cases import explorer_data
from pytest_promptgate.reports.markup import Markup, joined, tag


def between(page: str, start: str, end: str) -> str:
    return page.partition(start)[2].partition(end)[0]


def test_text_is_escaped_and_markup_is_taken_as_it_is() -> None:
    found = tag(
        "p", "<b> & \u202e\x1b", Markup("<i>x</i>"), ["one", " two"], class_="a", aria_label='"q" <', hidden=True
    )

    assert found == (
        '<p class="a" aria-label="&quot;q&quot; &lt;" hidden>&lt;b&gt; &amp; \\u202e\\x1b<i>x</i>one two</p>'
    )
    assert tag("line", x1=1.0, y1=None, z=False) == '<line x1="1"/>'
    assert joined("<", Markup("<br>")) == "&lt;<br>"


def test_the_policy_names_the_style_and_the_script_by_their_digests_and_forbids_the_rest() -> None:
    page = html_text(made_document())
    policy = between(page, 'http-equiv="Content-Security-Policy" content="', '">')
    digests = {
        name: b64encode(sha256(between(page, start, end).encode()).digest()).decode()
        for name, start, end in (("style", "<style>", "</style>"), ("script", "</script><script>", "</script>"))
    }

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_it_is_one_file_that_refers_to_nothing() -> None:
    page = html_text(made_document())

    assert re.findall(r"""\b(?:src|href)=["']?(?![#"'])[^"'\s>]+""", page) == []
    assert re.findall(r"url\(|@import|https?://|innerHTML|\beval\(|document\.write", page) == []
    assert page.startswith('<!doctype html>\n<html lang="en"><head>')


def test_data_can_neither_end_its_block_nor_begin_a_comment() -> None:
    text = "</script><!--<script>&amp;\u2028\u2029 ü"

    assert data_block([text]) == ('["\\u003c/script\\u003e\\u003c!--\\u003cscript\\u003e\\u0026amp;\\u2028\\u2029 ü"]')
    assert json.loads(data_block([text])) == [text]


def test_the_verdict_is_read_without_a_script() -> None:
    page = html_text(made_document(made_suite(made_report({"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [1.0]}))))
    above = page.partition('<script type="application/json"')[0]

    assert "<noscript>" in above
    assert "<h1>accuracy fell from 1.000 to 0.500 (n=2, change -0.500, tolerance 0)" in above
    assert 'class="metrics"' in above


def test_red_suites_come_before_the_cases_and_the_others_after_them() -> None:
    red = made_suite(made_report({"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [0.0]}))
    green = made_suite(made_report({"a": [1.0], "b": [1.0]}, {"a": [1.0], "b": [1.0]}))
    page = html_text(made_document(green, red))
    places = [page.find(each) for each in ('id="suite-1"', 'id="cases"', 'id="suite-0"')]

    assert bool(red.red)
    assert not green.red
    assert -1 not in places
    assert places == sorted(places)


def test_a_run_that_did_not_end_says_so() -> None:
    page = html_text(made_document(status=Status.INTERRUPTED, reasons=("Ctrl-C",)))

    assert "INTERRUPTED</p><h1>Ctrl-C" in page


def test_a_run_without_suites_is_a_page_too() -> None:
    document = replace(made_document(), suites=(), status=Status.BROKE, reasons=("bad YAML",))

    assert "<h1>bad YAML</h1>" in html_text(document)
    assert explorer_data(document) == {"suites": []}


def test_worse_cases_come_first_with_a_word_diff_and_equal_answers_are_told_once() -> None:
    report = made_report(
        {"same": [1.0], "worse": [1.0]},
        {"same": [1.0], "worse": [0.0]},
        old={"same": "all is well", "worse": "the answer is yes"},
        new={"same": "all is well", "worse": "the answer is no"},
    )
    data: Any = explorer_data(made_document(made_suite(report)))
    cases = data["suites"][0]["cases"]
    worse, same = cases

    assert [each["i"] for each in cases] == ["worse", "same"]
    assert worse["m"] == ["worse"]
    assert worse["d"] == [[0, "the answer is "], [1, "yes"], [2, "no"]]
    assert "d" not in same


def test_of_the_worse_cases_that_which_fell_most_comes_first() -> None:
    report = made_report({"a": [1.0], "b": [1.0], "c": [1.0]}, {"a": [0.5], "b": [0.0], "c": [0.25]})
    data: Any = explorer_data(made_document(made_suite(report)))

    assert [each["i"] for each in data["suites"][0]["cases"]] == ["b", "c", "a"]


def test_a_suite_whose_cases_failed_is_not_ticked_off() -> None:
    green = made_suite(made_report({"a": [1.0]}, {"a": [1.0]}))
    page = html_text(made_document(green, replace(green, failed=("a",))))

    assert re.findall(r"<a href=.#suite-\d.>(.)", page) == ["✓", "✕"]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ([], [], None),
        ([0.0], [1.0], (0.0, 1.0, (1, *[0] * 9), (*[0] * 9, 1))),
        ([5.0], [5.0], (5.0, 6.0, (1, *[0] * 9), (1, *[0] * 9))),
        ([], [2.0, 4.0], (2.0, 4.0, (0,) * 10, (1, *[0] * 8, 1))),
        ([float("inf")], [1.0], None),
    ],
)
def test_bins(before: list[float], now: list[float], found: tuple[float, float, object, object] | None) -> None:
    made = bins(before, now)

    assert (None if made is None else (made.low, made.high, made.before, made.now)) == found
    if made is not None:
        assert bins_drawn(made, label="scores").count("<rect") == 20


def test_a_change_is_drawn_to_the_left_if_it_is_worse_and_never_leaves_its_frame() -> None:
    for change in (-1e9, -0.1, 0.0, 0.1, 1e9):
        drawn = change_drawn(
            Change(change=change, interval=(change - 1, change + 1), tolerance=0.5, red=False), label="x"
        )
        spots = [float(each) for each in re.findall(r'(?:cx|x1|x2)="([^"]+)"', drawn)]

        assert all(0 <= spot <= 180 for spot in spots)
        centre = float(re.findall(r'cx="([^"]+)"', drawn)[0])
        assert (centre < 90, centre > 90) == (change < 0, change > 0)


def entry(at: str, value: float, *, prompt: str = "p@v1", series: Series = Series.BASELINE) -> Entry:
    return Entry(
        suite=made_suite().name,
        slot=made_suite().slot,
        series=series,
        at=at,
        commit="",
        prompt=prompt,
        model="m",
        served=(),
        metrics={"accuracy": Point(value=value, n=3, interval=(value - 0.1, value + 0.1))},
    )


def test_past_runs_are_drawn_by_series_with_what_happened() -> None:
    suite = made_suite()
    own = [entry("2026-11-01T00:00:00Z", 0.8), entry("2026-11-02T00:00:00Z", 0.7, prompt="p@v2")]
    curves = [
        Curve(suite=suite.name, slot=suite.slot, series=Series.BASELINE, entries=tuple(own)),
        Curve(suite=suite.name, slot=suite.slot, series=Series.DRIFT, entries=(entry("x", 0.5, series=Series.DRIFT),)),
        Curve(suite="another", slot=suite.slot, series=Series.DRIFT, entries=tuple(own)),
    ]
    page = html_text(made_document(), curves)

    assert [each for each in ("baseline: 2 runs", "drift: 1 run<") if each not in page] == []
    assert page.count('class="trend" viewBox') == 2
    assert "<li>2026-11-02 prompt p@v1 -&gt; p@v2</li>" in page
    assert "Past runs" not in html_text(made_document())


def test_a_metric_of_which_less_is_better_is_drawn_the_other_way_round() -> None:
    lower = spec(lower=True)
    report = made_report({"a": [0.2], "b": [0.2]}, {"a": [0.9], "b": [0.2]}, metric=lower)
    drawn = between(html_text(made_document(made_suite(report))), 'class="dot', "/>")

    assert float(re.findall(r'cx="([^"]+)"', drawn)[0]) < 90
