"""What a judge's calibration does to the gates that rest on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from front_project import headline_of, lines_of, section
from git_project import git, repository
from judge_project import CASES, RUBRIC, SUITE, Models, fair, judged_project
from label_values import PATH, WRONG, labelled, write_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_world import CliProject
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

MEND = "to mend it: promptgate calibrate evals/rubrics/tone.yaml --labels LABELS.csv"
DOUBTED = "  note: WARNING: tone: gated by a judge that nobody vouches for: the judge of evals/rubrics/tone.yaml "
LITTLE = "agrees too little with people: weighted kappa 0.20, below 0.4"


def calibrated(project: CliProject, *, mistaken: int = 0) -> None:
    """Calibrate the project's judge with labels of which some are the wrong way round."""
    write_labels(project, labelled(mistaken=mistaken))
    assert project.cli("calibrate", PATH, "--labels", "labels.csv").code == 0


def test_an_uncalibrated_judge_gates_and_warns_once(project: CliProject, loopback: Loopback) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    project.write("evals/zz.eval.yaml", SUITE)

    result = project.evals()

    result.assert_outcomes(passed=2 * (CASES + 1))
    assert lines_of(result, "  note: WARNING") == [f"{DOUBTED}was never held against people's labels; {MEND}"]


def test_a_judge_that_agrees_gates_in_silence_until_its_rubric_changes(project: CliProject, loopback: Loopback) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    calibrated(project)
    trusted = project.accept()
    project.write(PATH, RUBRIC.replace("right queue", "very right queue"))

    changed = project.evals()

    assert lines_of(trusted, "  note: WARNING") == []
    assert lines_of(changed, "  note: WARNING") == [
        f"{DOUBTED}has changed since it was held against people's labels; {MEND}"
    ]


def test_a_judge_that_agrees_little_gates_with_a_warning(project: CliProject, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    suite = f"{SUITE}gate: {{rule: strict}}\n"
    judged_project(project, loopback(answers=models).base_url, suite=suite).accept()
    calibrated(project, mistaken=5)
    models.answer = lambda _: WRONG
    project.prompt("v2", {"a": "b"}, model="{id: small-1, provider: local}")

    result = project.evals()

    result.assert_outcomes(passed=CASES, failed=1)
    assert lines_of(result, "  note: WARNING") == [
        f"{DOUBTED}agrees little with people: weighted kappa 0.50, below 0.6; {MEND}"
    ]


def test_a_judge_that_agrees_too_little_is_shown_only_and_its_gate_says_why(
    project: CliProject, loopback: Loopback
) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    calibrated(project, mistaken=8)

    result = project.evals("-rs")

    result.assert_outcomes(passed=CASES, skipped=1)
    why = f"the judge of evals/rubrics/tone.yaml {LITTLE}"
    assert f"tone is shown only: {why}" in result.stdout.str()
    assert lines_of(result, "  note: WARNING") == [f"  note: WARNING: tone: shown only: {why}; {MEND}"]
    assert "new (not gated)" in result.stdout.str()


def test_a_recorded_gate_that_its_judge_loses_is_red_until_it_is_accepted(
    project: CliProject, loopback: Loopback
) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    project.accept()
    calibrated(project, mistaken=8)

    red = project.evals()
    accepted = project.accept("--accept-regression", "the judge is too weak")
    after = project.evals()
    calibrated(project)
    trusted = project.evals()

    red.assert_outcomes(passed=CASES, skipped=1, failed=1)
    assert section(red, "FAILURES").splitlines()[1] == (
        "the suite promises less than its baseline: tone was gated, and is only shown now"
    )
    assert accepted.ret == 0
    after.assert_outcomes(passed=CASES, skipped=1)
    assert headline_of(after) == "MEASURED: 10 cases, no metric is gated"
    trusted.assert_outcomes(passed=CASES + 1)


def test_a_pull_request_cannot_calibrate_the_judge_that_gates_it(project: CliProject, loopback: Loopback) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    project.accept()
    calibrated(project)
    repository(project.root)
    git(project.root, "switch", "--quiet", "--create", "change")
    calibrated(project, mistaken=8)

    same = project.evals("--baseline-ref", "main")
    project.write(PATH, RUBRIC.replace("right queue", "very right queue"))
    calibrated(project, mistaken=5)
    changed = project.evals("--baseline-ref", "main")

    same.assert_outcomes(passed=CASES + 1)
    assert lines_of(same, "  note: WARNING") == []
    assert lines_of(same, f"  {PATH}: ") == [
        f"  {PATH}: weighted kappa 1.00 on 20 labels -> weighted kappa 0.20 on 20 labels"
    ]
    assert lines_of(changed, "  note: WARNING") == [
        f"{DOUBTED}agrees little with people: weighted kappa 0.50, below 0.6; {MEND}"
    ]


def test_a_project_may_want_judges_that_people_vouch_for(project: CliProject, loopback: Loopback) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    project.write("promptgate.yaml", project.text("promptgate.yaml") + "judges: {uncalibrated: error}\n")

    red = project.evals()
    calibrated(project)
    green = project.evals()

    red.assert_outcomes(passed=CASES + 1, failed=1)
    assert section(red, "FAILURES").splitlines()[1] == (
        "promptgate.yaml wants judges that people vouch for; tone: the judge of evals/rubrics/tone.yaml was never held "
        "against people's labels; run: promptgate calibrate evals/rubrics/tone.yaml --labels LABELS.csv"
    )
    assert lines_of(red, "  note: WARNING") == []
    green.assert_outcomes(passed=CASES + 1)
