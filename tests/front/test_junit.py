"""``--junitxml``: cases and gates as test cases, verdicts as properties."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from front_project import ROWS, SUITE, Project

HOSTILE = "\x1b[31m\x00\u202e\ud800]]>&<"


def cases(project: Project, *options: str) -> dict[str, ElementTree.Element]:
    """The ``testcase`` elements of a run, by name."""
    project.evals("--junitxml=out.xml", *options)
    root = ElementTree.parse(project.root / "out.xml").getroot()
    return {element.attrib["name"]: element for element in root.iter("testcase")}


def properties(element: ElementTree.Element) -> list[tuple[str, str]]:
    """Names and values of the element's properties, in order."""
    return [(each.attrib["name"], each.attrib["value"]) for each in element.iter("property")]


def test_names_carry_the_model_and_classes_the_suite_and_version(project: Project) -> None:
    found = cases(project.standard())

    assert len(found) == 11
    case = found["c-01[nearest-example-1]"]
    assert case.attrib["classname"] == "evals.triage.eval.yaml.triage@v1"
    assert found["gate:accuracy[nearest-example-1]"].attrib["classname"] == case.attrib["classname"]


def test_a_case_carries_its_scores_and_where_the_answer_came_from(project: Project) -> None:
    found = cases(project.standard())

    assert properties(found["c-01[nearest-example-1]"]) == [
        ("promptgate_origin", "asked"),
        ("promptgate_score_queue", "1.0"),
    ]


def test_a_gate_carries_its_verdict(project: Project) -> None:
    project.standard().accept()
    project.worse()

    gate = cases(project)["gate:accuracy[nearest-example-1]"]

    assert properties(gate)[:3] == [
        ("promptgate_metric", "accuracy"),
        ("promptgate_verdict", "regressed"),
        ("promptgate_reason", "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"),
    ]
    name, change = properties(gate)[3]
    assert name == "promptgate_change"
    assert float(change) == pytest.approx(-0.3)


def test_a_gate_carries_its_numbers_and_what_was_compared(project: Project) -> None:
    project.standard().accept()
    project.worse()

    found = dict(properties(cases(project)["gate:accuracy[nearest-example-1]"]))

    low, high = float(found["promptgate_change_low"]), float(found["promptgate_change_high"])
    assert low < -0.3 < high
    assert list(found) == [
        *("promptgate_metric", "promptgate_verdict", "promptgate_reason", "promptgate_change"),
        *("promptgate_change_low", "promptgate_change_high", "promptgate_baseline", "promptgate_current"),
        *("promptgate_n", "promptgate_tolerance", "promptgate_suite", "promptgate_slot", "promptgate_prompt"),
        "promptgate_model",
    ]
    assert {name.removeprefix("promptgate_"): value for name, value in list(found.items())[6:]} == {
        "baseline": "1.0",
        "current": "0.7",
        "n": "10",
        "tolerance": "0",
        "suite": "triage",
        "slot": "default",
        "prompt": "triage@v2",
        "model": "embedded/nearest-example-1",
    }


def test_a_test_that_decided_leaves_its_p(project: Project) -> None:
    project.suite(f"{SUITE}gate: {{rule: significant}}\n")
    project.prompt("v1")
    project.dataset([(f"{case}-{copy}", text, queue) for copy in range(4) for case, text, queue in ROWS])
    project.accept()
    project.worse()

    found = dict(properties(cases(project)["gate:accuracy[nearest-example-1]"]))

    assert 0 < float(found["promptgate_p"]) < 0.05


def test_the_run_says_which_suites_were_judged_and_how_many_gates_are_red(project: Project) -> None:
    project.standard().accept()
    project.worse()
    cases(project)

    suite = next(ElementTree.parse(project.root / "out.xml").getroot().iter("testsuite"))
    whole = suite.find("properties")

    assert whole is not None
    found = dict(properties(whole))
    assert found.pop("promptgate_version")
    assert found == {"promptgate_suites": "triage", "promptgate_suites_skipped": "", "promptgate_red": "1"}


def test_a_failure_has_the_verdict_for_a_message_and_the_whole_story_for_a_text(project: Project) -> None:
    project.standard().accept()
    project.worse()

    failure = cases(project)["gate:accuracy[nearest-example-1]"].find("failure")

    assert failure is not None
    assert failure.attrib["message"] == "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    assert failure.text is not None
    assert failure.text.splitlines()[:2] == [failure.attrib["message"], "worse (3):"]
    assert failure.text.splitlines()[-1].startswith("to accept it: pytest evals/triage.eval.yaml --update-baseline")


def test_the_counts_are_those_of_the_run(project: Project) -> None:
    project.standard().accept()
    project.worse()
    cases(project)

    suite = next(ElementTree.parse(project.root / "out.xml").getroot().iter("testsuite"))

    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("11", "1", "0")


def test_the_time_of_a_case_is_that_of_its_answer(project: Project) -> None:
    project.scripted("Completion(text='billing', latency_s=12.25)")

    assert float(cases(project)["c-01[m-1]"].attrib["time"]) == pytest.approx(12.25, abs=0.5)


def test_a_folded_suite_says_how_many_cases_it_stands_for(project: Project) -> None:
    found = cases(project.standard(), "-o", "promptgate_items=suite")

    assert properties(found["cases[nearest-example-1]"]) == [("promptgate_cases", "10")]


def test_what_a_model_said_leaves_the_file_well_formed_and_plain(project: Project) -> None:
    project.scripted(f"Completion(text={HOSTILE!a})")
    project.suite(f"{SUITE}must_pass: [c-01]\n")

    failure = cases(project)["c-01[m-1]"].find("failure")

    assert failure is not None
    assert failure.text is not None
    assert r"answer: \x1b[31m\x00\u202e\ud800]]>&<" in failure.text


def test_a_missing_baseline_in_ci_is_a_failure_and_skipped_cases(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    found = cases(project.standard())

    assert found["gate:accuracy[nearest-example-1]"].find("failure") is not None
    assert found["c-01[nearest-example-1]"].find("skipped") is not None
