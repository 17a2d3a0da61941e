"""``dataset: {cluster: document}`` of a suite: which cases belong together, such as several questions on one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import did_you_mean, shown
from pytest_promptgate.errors import DatasetError, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_dataset import Dataset, Entry

_FAULTS_TOLD = 10
_FORMS = "Write {cluster: document} or {cluster: {column: conversation, together: true}}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The cluster of each case."""

    of: Mapping[str, str] = field(default_factory=dict)  # by case id; empty: the suite names none
    together: bool = False  # the cases of a cluster are answered together

    def mark(self, cases: Sequence[Case]) -> tuple[Case, ...]:
        """The cases, each with its cluster; their digests stay."""
        return tuple(replace(case, cluster=self.of[case.id]) for case in cases) if self.of else tuple(cases)


def read_clusters(root: Node, dataset: Dataset | None) -> Clusters:
    """The clusters that the dataset of a suite names; faults are noted."""
    owner = root.get("dataset")
    node = owner.get("cluster") if owner else None
    if node is None:
        return Clusters()
    whole = isinstance(node.value, Mapping)
    if whole:
        node.keys({"column", "together"})
    column_node, together = (node.get("column"), node.get("together")) if whole else (node, None)
    if column_node is None:
        node.fault(f"{node.name} lacks 'column'", _FORMS)
        return Clusters()
    column, flag = column_node.text("a column's name"), together is not None and together.flag() is True
    if column is None or dataset is None:
        return Clusters()
    if column not in dataset.columns:
        column_node.fault(f"no row has a column {column!r}", did_you_mean(column, dataset.columns, label="Columns"))
        return Clusters()
    return Clusters(of=_values(column, dataset, column_node), together=flag)


def _values(column: str, dataset: Dataset, node: Node) -> dict[str, str]:
    """By case id; none if a row has no value."""
    wrong = [entry for entry in dataset.entries if not _is_name(entry.fields.get(column))]
    for entry in wrong[:_FAULTS_TOLD]:
        node.note(DatasetError(_where(entry, dataset), _fault(column, entry)))
    if len(wrong) > _FAULTS_TOLD:
        node.note(DatasetError(dataset.file, f"{len(wrong) - _FAULTS_TOLD:,} further rows have no cluster either"))
    return {} if wrong else {entry.id: str(entry.fields[column]) for entry in dataset.entries}


def _is_name(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _where(entry: Entry, dataset: Dataset) -> Place | str:
    return entry.place if entry.place.line else f"{dataset.file}, case {entry.id}"


def _fault(column: str, entry: Entry) -> str:
    if column not in entry.fields:
        return f"the row has no {column!r}, the column of its cluster"
    return f"a cluster must be text or a whole number, not {shown(entry.fields[column])}"
