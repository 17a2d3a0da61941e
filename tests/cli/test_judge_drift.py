"""``--prompt-judge-drift``: calibrated judges held against their calibration."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from front_project import ROWS, lines_of
from judge_project import CASES, RUBRIC, SUITE, Models, fair, judged_project, says
from label_values import PATH, labelled, write_labels
from loopback.answers import Answer

if TYPE_CHECKING:
    from cli_world import CliProject
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

DRIFT = "--prompt-judge-drift"


def calibrated(project: CliProject, loopback: Loopback) -> Models:
    """A fair judge that people vouch for, and a baseline; then forget what was asked."""
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, labelled())
    assert project.cli("calibrate", PATH, "--labels", "labels.csv").code == 0
    project.accept()
    models.judged.clear()
    models.answered.clear()
    return models


def told(result: pytest.RunResult) -> list[str]:
    return lines_of(result, "judge drift: ")


def test_a_judge_that_judges_as_ever_has_not_drifted(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)

    result = project.evals(DRIFT)

    assert result.ret == 0
    assert told(result) == [
        f"judge drift: {PATH}: no drift (at 0.005 each): 0 of 20 golden verdicts changed, "
        "mean score 0.500 -> 0.500 (p 1), nearness to people 1.000 -> 1.000 (p 1)"
    ]
    assert (len(models.answered), len(models.judged)) == (0, 20)  # asked anew, though all of it is stored
    assert "prompt evals: 20 calls, " in result.stdout.str()


def test_a_judge_that_has_drifted_is_red_and_does_not_gate_in_silence(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    models.verdict = says("right")

    result = project.evals(DRIFT)

    result.assert_outcomes(passed=CASES, failed=1)
    assert result.ret == 1
    why = f"tone cannot be judged: its judge ({PATH}) has drifted: 10 of 20 golden verdicts changed"
    assert why in result.stdout.lines
    assert told(result) == [
        f"judge drift: {PATH}: it HAS DRIFTED (at 0.005 each): 10 of 20 golden verdicts changed, "
        "mean score 0.500 -> 1.000 (p 0.002), nearness to people 1.000 -> 0.500 (p 0.00098)"
    ]
    assert (
        "  To go on with the judge as it is now, change its rubric (another seed under its model's parameters will do), "
        f"so that no verdict of before counts, and run: promptgate calibrate {PATH} --labels labels.csv"
    ) in result.stdout.lines
    models.verdict = fair
    assert project.evals(DRIFT).ret == 0  # what a check was told is not kept
    assert project.evals("--prompt-offline").ret == 0


@pytest.mark.parametrize("accepted", [(), ("--accept-regression", "it will be calibrated soon")])
@pytest.mark.parametrize("gate", ["", "gate: {tone: report}\n"])
def test_no_baseline_is_written_by_a_judge_that_has_drifted(
    project: CliProject, loopback: Loopback, accepted: tuple[str, ...], gate: str
) -> None:
    models = calibrated(project, loopback)
    project.suite(SUITE.replace("mean(tone)}", "mean(tone), more: mean(tone)}") + gate)
    before = project.text("promptgate.lock.json")
    models.verdict = says("right")

    result = project.run("--update-baseline", DRIFT, *accepted)

    assert result.ret == 1
    assert project.text("promptgate.lock.json") == before
    why = f"tone: its judge ({PATH}) has drifted: 10 of 20 golden verdicts changed"
    assert f"triage: baseline NOT written: {why}" in result.stdout.lines


def test_a_metric_that_is_shown_only_says_that_its_judge_has_drifted(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    project.suite(f"{SUITE}gate: {{tone: report}}\n")
    models.verdict = says("right")

    result = project.evals(DRIFT)

    assert lines_of(result, "  note: WARNING") == [
        f"  note: WARNING: tone: its judge ({PATH}) has drifted: 10 of 20 golden verdicts changed"
    ]


def test_a_judge_that_has_drifted_starts_again_with_another_seed(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    models.verdict = lambda seen: fair(seen).replace("wrong", "partly")
    assert project.evals(DRIFT).ret == 1
    project.write(PATH, RUBRIC.replace("local/small-2", "{id: local/small-2, parameters: {seed: 8}}"))
    models.judged.clear()

    assert project.cli("calibrate", PATH, "--labels", "labels.csv").code == 0

    assert len(models.judged) == 20
    assert project.evals(DRIFT).ret == 0


def test_another_served_model_is_drift(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    models.verdict = lambda seen: Answer(text=fair(seen), model="small-2-2026-06-01")

    result = project.evals(DRIFT)

    assert result.ret == 1
    assert told(result)[0].endswith(", answered by small-2-2026-06-01, at its calibration by small-2")


def test_a_judge_that_is_not_calibrated_has_nothing_to_be_compared_with(
    project: CliProject, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url).accept()

    result = project.evals(DRIFT)

    assert result.ret == 0
    assert told(result) == [
        f"judge drift: {PATH}: not calibrated: nothing to compare; run: promptgate calibrate {PATH} --labels LABELS.csv"
    ]
    assert len(models.judged) == CASES


def test_a_rubric_that_has_changed_has_nothing_to_be_compared_with(project: CliProject, loopback: Loopback) -> None:
    calibrated(project, loopback)
    project.write(PATH, RUBRIC.replace("right queue", "very right queue"))

    result = project.evals(DRIFT)

    assert told(result) == [
        f"judge drift: {PATH}: the rubric has changed since it was calibrated: nothing to compare; "
        f"run: promptgate calibrate {PATH} --labels LABELS.csv"
    ]


def test_a_golden_set_that_is_no_longer_the_same_is_red(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    write_labels(project, labelled(mistaken=2))

    edited = project.evals(DRIFT)
    (project.root / "labels.csv").unlink()
    gone = project.evals(DRIFT)

    assert models.judged == []
    assert (edited.ret, gone.ret) == (1, 1)
    assert told(edited) == [
        f"judge drift: {PATH}: not checked: its golden set cannot be read: labels.csv: rows, answers or labels are no "
        "longer those of the calibration"
    ]
    assert f"  Calibrate anew: promptgate calibrate {PATH} --labels labels.csv" in edited.stdout.lines
    why = f"tone cannot be judged: its judge ({PATH}) was not checked for drift"
    assert why in edited.stdout.lines
    assert told(gone)[0].startswith(f"judge drift: {PATH}: not checked: its golden set cannot be read: labels.csv: ")


def test_a_golden_set_of_which_the_lockfile_lost_a_verdict_is_red(project: CliProject, loopback: Loopback) -> None:
    calibrated(project, loopback)
    lockfile = project.text("promptgate.lock.json")
    project.write("promptgate.lock.json", lockfile.replace("[1.0,0.0,", "[1.0,"))  # people's scores and the judge's

    result = project.evals(DRIFT)

    assert result.ret == 1
    assert "no longer those of the calibration" in told(result)[0]


def test_a_golden_set_of_a_suite_that_is_not_in_the_run_is_said_to_be_so(
    project: CliProject, loopback: Loopback
) -> None:
    calibrated(project, loopback)
    project.dataset([(f"other-{case}", message, queue) for case, message, queue in ROWS], name="others")
    project.suite(SUITE.replace("mails", "others"), name="other")

    result = project.evals(DRIFT, "evals/other.eval.yaml")

    assert result.ret == 1
    assert told(result) == [
        f"judge drift: {PATH}: not checked: its golden set is of the suite triage, which is not in this run"
    ]


def test_a_judge_that_does_not_answer_is_red(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)

    def silent(_seen: dict[str, str]) -> Answer:
        return Answer(text="", finish_reason="length")

    models.verdict = silent
    result = project.evals(DRIFT)

    assert result.ret == 1
    assert "20 of 20 golden verdicts changed" in told(result)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_a_check_that_was_interrupted_is_told(project: CliProject, loopback: Loopback) -> None:
    models, sent = calibrated(project, loopback), threading.Event()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--prompt-evals", DRIFT]
    with subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:

        def verdict(_seen: dict[str, str]) -> Answer:
            if not sent.is_set():
                sent.set()
                process.send_signal(signal.SIGINT)
            return Answer(text="Hm.")

        models.verdict = verdict
        output, _ = process.communicate(timeout=60)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert f"judge drift: {PATH}: not checked: the run ended early" in output.decode().splitlines()


def test_its_calls_are_within_the_budget(project: CliProject, loopback: Loopback) -> None:
    models = calibrated(project, loopback)
    prices = "prices: {local/small-1: {input: 1, output: 1}, local/small-2: {input: 1000, output: 1000}}\n"
    project.write("promptgate.yaml", project.text("promptgate.yaml") + prices)

    result = project.evals(DRIFT, "--prompt-max-cost", "1")

    assert (result.ret, models.judged) == (1, [])
    (line,) = told(result)
    assert line.startswith(f"judge drift: {PATH}: not checked: --prompt-max-cost 1: the estimate is $")


def test_nothing_is_checked_where_nobody_judges(project: CliProject) -> None:
    project.standard()

    assert told(project.evals(DRIFT)) == ["judge drift: no judge with a rubric was selected, nothing was checked"]


@pytest.mark.parametrize(
    ("option", "does"),
    [(("--prompt-offline",), "asks nothing"), (("--prompt-shard", "1/2"), "would have every shard ask")],
)
def test_options_that_contradict_it_are_refused(project: CliProject, option: tuple[str, ...], does: str) -> None:
    project.standard()

    result = project.evals(DRIFT, *option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--prompt-judge-drift asks judges anew, and {option[0]} {does}: drop one of the two" in result.stderr.str()
