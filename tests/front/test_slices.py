"""Gated slices through pytest: their items, their promises, and what is shown."""

from __future__ import annotations

import json

import pytest
from front_project import QUEUES, SUITE, Project, lines_of, section

GERMAN, ENGLISH, OTHER = 22, 20, 3
SLICED = f"{SUITE}slices: [{{language: gate}}]\n"
SLICE = "accuracy[language=de]"


def rows() -> str:
    """Two questions in turn; the German ones about accounts and parcels, all others about bills."""
    texts = {"de": ("i cannot log in", "where is my parcel"), "en": ("my card was charged twice",) * 2}
    languages = ["de"] * GERMAN + ["en"] * ENGLISH + ["fr"] * OTHER
    found = []
    for number, language in enumerate(languages):
        message = texts.get(language, texts["en"])[number % 2]
        row = {"id": f"c-{number:02}", "message": message, "expected": QUEUES[message], "language": language}
        found.append(json.dumps(row) + "\n")
    return "".join(found)


@pytest.fixture
def sliced(project: Project) -> Project:
    """A suite with a baseline whose German cases are gated beside all others, and a version that breaks half of them."""
    project.prompt("v1")
    project.write("datasets/mails.jsonl", rows())
    project.suite(SLICED.replace("slices", "gate: {accuracy: {tolerance: 0.3}}\nslices"))
    project.accept()
    project.worse()
    return project


def test_a_slice_is_red_where_the_whole_metric_is_within_its_tolerance(sliced: Project) -> None:
    result = sliced.evals()

    rows = [line.split() for line in lines_of(result, "  accuracy")]
    assert rows == [
        ["accuracy", "1.000", "0.756", "-0.244", "within-noise", "45/0/0"],
        [SLICE, "1.000", "0.500", "-0.500", "regressed", "22/0/0"],
        ["accuracy[language=en]", "1.000", "1.000", "+0.000", "unchanged", "20/0/0"],
    ]
    assert lines_of(result, "  language=") == [
        "  language=de (n=22): accuracy 1.000 -> 0.500",
        "  language=en (n=20): accuracy 1.000 -> 1.000",
        "  language=fr (n=3): accuracy 1.000 -> 1.000 - not gated: fewer than 20 cases",
    ]
    failures = section(result, "FAILURES").splitlines()
    assert f"{SLICE} fell from 1.000 to 0.500 (n=22, change -0.500, tolerance 0.3)" in failures
    assert "worse (11):" in failures


def test_the_item_of_a_slice_can_be_pasted_back(sliced: Project) -> None:
    (failed,) = [line.split()[1] for line in sliced.evals("-rf").stdout.lines if line.startswith("REGRESSED")]
    assert failed == f"evals/triage.eval.yaml::triage@v2::gate:{SLICE}[nearest-example-1]"

    result = sliced.evals(failed)

    result.assert_outcomes(failed=1)
    assert sliced.evals("evals/triage.eval.yaml::triage@v2::gate:accuracy").parseoutcomes() == {
        "passed": 2,
        "failed": 1,
    }


def test_a_slice_that_is_gated_no_more_is_red_until_it_is_accepted(sliced: Project) -> None:
    sliced.suite(SUITE.replace("scorers", "gate: {accuracy: {tolerance: 0.3}}\nslices: [language]\nscorers"))

    result = sliced.evals()

    assert result.ret == 1
    gone = f"the gate on {SLICE} is gone; the gate on accuracy[language=en] is gone"
    assert f"the suite promises less than its baseline: {gone}" in section(result, "FAILURES")
    told = sliced.accept("--accept-regression", "the parcels are not ours any more").stdout.str()
    assert f"gate {SLICE}: removed" in told
    assert sliced.evals().ret == 0


def test_a_case_that_is_labelled_out_of_its_gated_slice_is_red_until_it_is_accepted(sliced: Project) -> None:
    lines = sliced.text("datasets/mails.jsonl").splitlines(keepends=True)
    moved = [line.replace('"de"', '"fr"') for line in lines[:2]]
    sliced.write("datasets/mails.jsonl", "".join(moved + lines[2:]))
    sliced.prompt("v2")

    result = sliced.evals()

    assert result.ret == 1
    left = "the suite promises less than its baseline: c-00, c-01 left the gated slice language=de"
    assert left in section(result, "FAILURES").splitlines()
    told = sliced.accept("--accept-regression", "these were French").stdout.lines
    assert "triage: 2 cases no longer in language=de: c-00, c-01" in told
    assert sliced.evals().ret == 0


def test_an_accepted_slice_is_the_new_baseline(sliced: Project) -> None:
    assert sliced.run("--update-baseline").ret == 1

    sliced.accept("--accept-regression", "no account questions any more")

    accepted = json.loads(sliced.text("promptgate.lock.json"))["suites"]["triage"]["default"]["accepted"]
    assert [each["metric"] for each in accepted] == ["accuracy", SLICE]
    assert sliced.evals().ret == 0


def test_where_luck_alone_would_fail_what_must_pass_a_note_says_so(project: Project) -> None:
    project.scripted()
    project.suite(f"{SUITE}must_pass: [c-01, c-02, c-03, c-04, c-05, c-06]\n")

    (note,) = lines_of(project.evals(), "  note: 6 cases must pass")

    assert note.startswith(
        "  note: 6 cases must pass: if each answer is right 99% of the time, 6% of the runs fail in which nothing changed."
    )
