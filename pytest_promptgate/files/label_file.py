"""People's labels: which answer deserves which verdict. Any dataset format; docs/judges.md shows the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.calibration_study import ARMS, Level, levels_of
from pytest_promptgate.core.rubrics import Range, Rubric
from pytest_promptgate.core.wording import did_you_mean, shown
from pytest_promptgate.errors import DatasetError, Place, PromptGateError, told_together
from pytest_promptgate.files.datasets import load_rows
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.ports import DatasetLoader, Row
    from pytest_promptgate.core.types import Json

ID, ANSWER, PRODUCTION, LABEL, RATER, ARM = "id", "answer", "production", "label", "rater", "arm"
OURS = frozenset({ID, ANSWER, PRODUCTION, LABEL, RATER, ARM})
_TOLD = 10  # faults
_LABEL_HINT = "Write a column `label` with the verdict that a person gives, and `id` (a case) or `answer` (its text)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One answer with everything that people say of it."""

    id: str  # of a case; "" if the file holds everything that the judge sees
    answer: str | None  # None: the stored one
    production: str | None  # what a comparing judge holds it against; None: the stored one
    arm: str  # one of `ARMS`, or ""
    labels: Mapping[str, float]  # by rater: scores 0 … 1
    fields: Mapping[str, Json]  # the other columns
    place: Place  # of its first row


def read_labels(
    path: Path, rubric: Rubric, *, cases: Collection[str], loaders: Mapping[str, DatasetLoader], root: Path
) -> tuple[Labelled, ...]:
    """The labels in a file; rows on the same answer by several raters are one.

    Args:
        path: Absolute.
        rubric: Whose verdicts the labels are.
        cases: Ids that rows may name.
        loaders: As for datasets, by suffix.
        root: What paths in messages are relative to.

    Raises:
        DatasetError, Faults: There is no such file, or some rows are wrong; all are told, up to ten.
    """
    file = shown_path(path, root)
    rows = load_rows(path, where=Place(file=file), loaders=loaders, root=root)
    columns = frozenset(name for row in rows for name in row.fields)
    if LABEL not in columns or not columns & {ID, ANSWER}:
        raise DatasetError(Place(file=file), f"it has no column {_missing(columns)}", hint=_LABEL_HINT)
    faults: list[PromptGateError] = []
    found: dict[tuple[object, ...], list[tuple[Row, float]]] = {}
    for number, row in enumerate(rows, start=1):
        place = Place(file=file, line=row.line or number)
        problems = [*_problems(row, rubric, cases)]
        faults += [DatasetError(place, what, hint=hint) for what, hint in problems]
        score = score_of(rubric, row.fields.get(LABEL))
        if not problems and score is not None:
            same = found.setdefault(_key(row), [])
            if _text(row, RATER) in [_text(each, RATER) for each, _ in same]:
                faults.append(DatasetError(place, *_twice(row)[:1], hint=_twice(row)[1]))
            same.append((row, score))
    if faults:
        raise told_together(faults[:_TOLD])
    return tuple(_labelled(each, file) for each in found.values())


def score_of(rubric: Rubric, label: Json) -> float | None:
    """What a label is worth, 0 … 1; None if it is no verdict of the rubric.

    A label is a verdict by its name, in any case; for named verdicts also one of their scores.
    """
    text = label.strip() if isinstance(label, str) else str(label)
    if isinstance(label, bool) or label is None:
        return None
    if not isinstance(rubric.scale, Range):
        names = {name.casefold(): each.score for each in levels_of(rubric) for name in _names(rubric, each)}
        if text.casefold() in names:
            return names[text.casefold()]
    number = _number(text)
    if number is None:
        return None
    if isinstance(rubric.scale, Range):
        low, high = rubric.scale.low, rubric.scale.high
        return (number - low) / (high - low) if number.is_integer() and low <= number <= high else None
    return next((each.score for each in levels_of(rubric) if each.score == number), None)


def _names(rubric: Rubric, level: Level) -> Sequence[str]:
    if rubric.pairwise or isinstance(rubric.scale, Range):
        return (level.name,)
    return [each.name for each in rubric.scale.choices if each.score == level.score]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _missing(columns: Collection[str]) -> str:
    return f"{LABEL!r}" if LABEL not in columns else f"{ID!r} and none {ANSWER!r}"


def _problems(row: Row, rubric: Rubric, cases: Collection[str]) -> Iterator[tuple[str, str]]:
    case, label, arm = _text(row, ID), row.fields.get(LABEL), _text(row, ARM)
    if case and case not in cases:
        yield f"no case of the suite is called {case!r}", did_you_mean(case, cases, label="Cases")
    if not case and not _text(row, ANSWER):
        yield "the row names neither a case nor an answer", f"Fill in {ID!r} or {ANSWER!r}."
    if score_of(rubric, label) is None:
        menu = [name for each in levels_of(rubric) for name in _names(rubric, each)]
        yield f"{shown(label)} is no verdict of {rubric.path}", did_you_mean(str(label), menu, label="Verdicts")
    if arm and arm not in ARMS:
        yield f"{arm!r} is no arm", f"An arm is {' or '.join(ARMS)}, or empty."


def _twice(row: Row) -> tuple[str, str]:
    rater = _text(row, RATER)
    if rater:
        return f"{rater!r} labels this answer a second time", "Keep one of the two labels."
    return "this answer is labelled a second time", f"Keep one label, or say by whom each is in a column {RATER!r}."


def _text(row: Row, column: str) -> str:
    value = row.fields.get(column)
    return "" if value is None else str(value).strip() if column != ANSWER else str(value)


def _key(row: Row) -> tuple[object, ...]:
    """What makes two rows speak of the same answer."""
    case = _text(row, ID)
    others = () if case else tuple(sorted((name, repr(value)) for name, value in _others(row).items()))
    return case, _text(row, ARM), row.fields.get(ANSWER) or None, row.fields.get(PRODUCTION) or None, others


def _others(row: Row) -> dict[str, Json]:
    return {name: value for name, value in row.fields.items() if name not in OURS}


def _labelled(rows: Sequence[tuple[Row, float]], file: str) -> Labelled:
    first = rows[0][0]
    answer, production = first.fields.get(ANSWER), first.fields.get(PRODUCTION)
    return Labelled(
        id=_text(first, ID),
        answer=str(answer) if answer not in (None, "") else None,
        production=str(production) if production not in (None, "") else None,
        arm=_text(first, ARM),
        labels={_text(row, RATER): score for row, score in rows},
        fields=_others(first),
        place=Place(file=file, line=first.line),
    )
