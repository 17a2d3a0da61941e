"""Files of people's labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rubric_values import rubric

from pytest_promptgate.core.rubrics import PAIR, Range, Rubric
from pytest_promptgate.core.types import Json
from pytest_promptgate.errors import Place, PromptGateError
from pytest_promptgate.files.label_file import Labelled, read_labels, score_of
from pytest_promptgate.files.offers import promptgate_dataset_loaders

if TYPE_CHECKING:
    from pathlib import Path

WORDS = rubric()
FIVE = rubric(scale=Range(low=1, high=5))
PAIRS = replace(WORDS, scale=PAIR, pairwise=True)


def read(directory: Path, text: str, name: str = "labels.csv") -> tuple[Labelled, ...]:
    (directory / name).write_text(text, encoding="utf-8")
    loaders = promptgate_dataset_loaders()
    return read_labels(directory / name, WORDS, cases=["t-1", "t-2"], loaders=loaders, root=directory)


def test_raters_of_one_answer_are_one_row(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "id,answer,label,rater,arm\nt-1,yes,right,anna,production\nt-1,no,wrong,anna,production\n"
        "t-1,yes,Partly,ben,production\nt-2,,1,anna,\n",
    )

    assert [(each.id, each.answer, each.arm, each.labels) for each in found] == [
        ("t-1", "yes", "production", {"anna": 1.0, "ben": 0.5}),
        ("t-1", "no", "production", {"anna": 0.0}),
        ("t-2", None, "", {"anna": 1.0}),
    ]
    assert found[1].place == Place(file="labels.csv", line=3)


def test_other_columns_are_what_the_judge_sees_of_an_answer_that_no_suite_has(tmp_path: Path) -> None:
    found = read(tmp_path, '{"answer": "a", "label": "right", "message": "m", "expected": "e"}\n', "labels.jsonl")

    assert found == (
        Labelled(
            id="",
            answer="a",
            production=None,
            arm="",
            labels={"": 1.0},
            fields={"message": "m", "expected": "e"},
            place=Place(file="labels.jsonl", line=1),
        ),
    )


@pytest.mark.parametrize(
    ("of", "label", "score"),
    [
        (WORDS, "right", 1.0),
        (WORDS, " RIGHT ", 1.0),
        (WORDS, 0.5, 0.5),
        (WORDS, "0.50", 0.5),
        (WORDS, "0.3", None),
        (WORDS, None, None),
        (WORDS, True, None),
        (WORDS, "nan", None),
        (WORDS, ["right"], None),
        (FIVE, "1", 0.0),
        (FIVE, 4, 0.75),
        (FIVE, "5.0", 1.0),
        (FIVE, "4.5", None),
        (FIVE, "6", None),
        (FIVE, "inf", None),
        (FIVE, "nan", None),
        (PAIRS, "candidate", 1.0),
        (PAIRS, "tie", 0.5),
        (PAIRS, "first", None),
    ],
)
def test_a_label_is_a_verdict_or_its_score(of: Rubric, label: Json, score: float | None) -> None:
    assert score_of(of, label) == score


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "id,verdict\nt-1,right\n",
            "labels.csv: it has no column 'label'\n"
            "  Write a column `label` with the verdict that a person gives, and `id` (a case) or `answer` (its text).",
        ),
        (
            "case,label\nt-1,right\n",
            "labels.csv: it has no column 'id' and none 'answer'\n"
            "  Write a column `label` with the verdict that a person gives, and `id` (a case) or `answer` (its text).",
        ),
        (
            "id,label,arm\nt-3,right,\nt-2,rigt,\nt-1,right,new\n,right,\n",
            "labels.csv:2: no case of the suite is called 't-3'\n"
            "  Did you mean 't-2'? Cases: t-1, t-2.\n"
            "labels.csv:3: 'rigt' is no verdict of evals/rubrics/tone.yaml\n"
            "  Did you mean 'right'? Verdicts: partly, right, wrong.\n"
            "labels.csv:4: 'new' is no arm\n"
            "  An arm is production or candidate, or empty.\n"
            "labels.csv:5: the row names neither a case nor an answer\n"
            "  Fill in 'id' or 'answer'.",
        ),
        (
            "id,label\nt-1,right\nt-1,wrong\n",
            "labels.csv:3: this answer is labelled a second time\n"
            "  Keep one label, or say by whom each is in a column 'rater'.",
        ),
        (
            "id,label,rater\nt-1,right,anna\nt-1,wrong,anna\n",
            "labels.csv:3: 'anna' labels this answer a second time\n  Keep one of the two labels.",
        ),
    ],
)
def test_every_wrong_row_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PromptGateError) as error:
        read(tmp_path, text)

    assert str(error.value) == told


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PromptGateError) as error:
        read_labels(tmp_path / "x.csv", WORDS, cases=[], loaders=promptgate_dataset_loaders(), root=tmp_path)

    assert str(error.value).startswith("x.csv: dataset x.csv: ")
