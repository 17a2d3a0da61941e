"""Rubrics with ``corrected: true`` in real runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from front_project import lines_of
from judge_project import RUBRIC, Models, fair, judged_project
from label_values import PATH, labelled, write_labels

if TYPE_CHECKING:
    from cli_world import CliProject
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]


def test_the_corrected_mean_stands_in_the_report_where_the_rubric_asks_for_it(
    project: CliProject, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, labelled(mistaken=2))
    assert project.cli("calibrate", PATH, "--labels", "labels.csv").code == 0
    before = project.evals()
    asked = len(models.judged)
    project.write(PATH, f"{RUBRIC}corrected: true\n")

    after = project.evals()

    assert lines_of(before, "  note: tone: ") == []
    assert len(models.judged) == asked  # the key changes no verdict
    # Half of twenty labels are 1, and the judge, who finds all ten cases right, weighs 0.3 (numpy says so, too).
    assert lines_of(after, "  note: tone: ") == [
        "  note: tone: human-corrected estimate 0.650 (95 %: 0.479 … 0.821), from 20 labelled answers and 10 judged "
        "cases; holds if both come from one population"
    ]
    project.write(PATH, RUBRIC.replace("right queue", "very right queue") + "corrected: true\n")
    assert lines_of(project.evals(), "  note: tone: ") == [
        f"  note: tone: no human-corrected estimate: {PATH} is not calibrated as it is now"
    ]
