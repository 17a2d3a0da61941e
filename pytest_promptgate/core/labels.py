"""Precision, recall, F1 and the confusion matrix of (answered, expected) label pairs; one pair per scored trial."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

Pairs: TypeAlias = "Sequence[tuple[str, str]]"  # (answered, expected)

KINDS = ("precision", "recall", "f1")
LABELLED = frozenset({*KINDS, "confusion"})
AVERAGES = ("macro", "micro")
OTHER = "(other)"  # column of the confusion matrix for answers that no case expects


def needs_labels(aggregate: str) -> bool:
    """Whether the aggregate reads (answered, expected) labels instead of values."""
    return aggregate in LABELLED


def label_metric(kind: str, pairs: Pairs, *, label: str | None = None, average: str = "macro") -> float:
    """One of `KINDS`, 0 … 1.

    Args:
        pairs: At least one.
        label: Of this label alone; it has to be expected somewhere.
        average: ``macro`` is the plain mean over the labels that the dataset expects, so a free-form wrong answer
            adds no label of its own; ``micro`` counts over all pairs, and is the accuracy when every pair has one
            label, for each of the kinds.

    Returns:
        0 where nothing was answered with a label (0/0), as scikit-learn does.

    Raises:
        ValueError: No pair expects `label`.
    """
    expected: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for (got, wanted), many in Counter(pairs).items():
        expected[wanted] += many
        answered[got] += many
        right[got] += many * (got == wanted)
    if label is None and average == "micro":
        return right.total() / len(pairs)
    if label is None:
        each = [_rate(kind, right[one], answered[one], expected[one]) for one in expected]
        return math.fsum(each) / len(each)
    if label not in expected:
        raise ValueError(f"no case expects the label {label!r}; expected are {', '.join(sorted(expected)[:20])}")
    return _rate(kind, right[label], answered[label], expected[label])


def _rate(kind: str, right: int, answered: int, expected: int) -> float:
    if kind == "precision":
        return right / answered if answered else 0.0
    if kind == "recall":
        return right / expected if expected else 0.0
    return 2 * right / (answered + expected)


def off_diagonal(pairs: Pairs) -> float:
    """The share of answers with another label than the expected one."""
    return sum(got != wanted for got, wanted in pairs) / len(pairs)


def confusion(pairs: Pairs) -> Json:
    """``{"labels": [...], "matrix": [[...]]}``: rows are expected, columns answered labels, in the order of `labels`.

    Labels that no case expects share the last one, ``(other)``: free-form answers must not make the matrix explode.
    """
    labels = sorted({wanted for _, wanted in pairs})
    known = set(labels)
    counts = Counter((wanted, got if got in known else OTHER) for got, wanted in pairs)
    if any(got not in known for got, _ in pairs):
        labels.append(OTHER)
    return {"labels": labels, "matrix": [[counts[row, column] for column in labels] for row in labels]}
