"""Labels of the judged project's answers, as files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from front_project import RIGHT, ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from front_project import Project

PATH = "evals/rubrics/tone.yaml"
WRONG = "nowhere"


def labelled(*, mistaken: int = 0) -> list[dict[str, str]]:
    """Twenty answers: of each case a right one and a wrong one; of the first ones the labels are the wrong way round.

    Args:
        mistaken: Answers whose label is so; with a fair judge, kappa is 1 - `mistaken` / 10 if that is even.
    """
    rows = [
        {"id": case, "answer": answer, "label": label}
        for case, message, _ in ROWS
        for answer, label in ((RIGHT[message], "right"), (WRONG, "wrong"))
    ]
    turned = {"right": "wrong", "wrong": "right"}
    return [{**row, "label": turned[row["label"]]} if at < mistaken else row for at, row in enumerate(rows)]


def write_labels(project: Project, rows: Sequence[dict[str, str]], name: str = "labels.csv") -> None:
    """Write `rows`, which have the same columns, as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=[*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    project.write(name, out.getvalue())
