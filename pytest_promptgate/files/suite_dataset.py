"""``dataset:`` of a suite: the file's rows, their ids, and the filter ``where:``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.plan import is_reserved, slug
from pytest_promptgate.core.wording import did_you_mean, shown
from pytest_promptgate.errors import DatasetError, Place, PromptGateError, told_together
from pytest_promptgate.files.where import Filter, WhereError, parse_where

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.ports import Row
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

ID, EXPECTED, TAGS = "id", "expected", "tags"  # columns with a meaning of their own
_FAULTS_TOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row with its identity."""

    id: str
    fields: Mapping[str, Json]
    tags: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The rows of a suite."""

    file: str
    id_column: str | None  # None: ids are digests of the content
    columns: frozenset[str]  # of all rows together, before the filter
    entries: tuple[Entry, ...]  # after the filter, in file order; never empty


def read_dataset(root: Node, directory: Path, context: SuiteContext) -> Dataset | None:
    """The rows that `dataset:` names, or None after noting faults; paths start at `directory`."""
    node = root.get("dataset")
    if node is None:
        root.fault("the suite has no dataset", "Add `dataset: ../datasets/NAME.jsonl`; the path starts at this file.")
        return None
    if isinstance(node.value, Mapping):
        node.keys({"path", "id", "where", "cluster"})
    path_node = node.get("path") if isinstance(node.value, Mapping) else node
    if path_node is None:
        node.fault("dataset lacks 'path'", "Write {path: ../datasets/NAME.jsonl, id: ticket}.")
        return None
    id_node, where_node = node.get("id"), node.get("where")
    text = path_node.text("a path")
    id_column = id_node.text("the name of a column") if id_node else None
    chosen = _filter(where_node)
    if text is None or (id_node and id_column is None) or (where_node and chosen is None):
        return None
    path = (directory / text).resolve()
    rows = _rows(path, path_node, context)
    if not rows:
        return None
    try:
        return _dataset(rows, context.shown(path), id_node, where_node, chosen)
    except PromptGateError as fault:
        node.note(fault)
        return None


def _dataset(
    rows: Sequence[Row], file: str, id_node: Node | None, where_node: Node | None, chosen: Filter | None
) -> Dataset | None:
    columns = frozenset[str]().union(*(row.fields for row in rows))
    id_column = str(id_node.value) if id_node else ID if ID in columns else None
    if id_node and id_column not in columns:
        hint = did_you_mean(str(id_column), columns, label="Columns")
        id_node.fault(f"no row has the id column {id_column!r}", hint)
        return None
    entries, faults = _entries(rows, file, id_column)
    if faults:
        raise told_together(faults)
    if chosen and where_node:
        entries = _chosen(entries, chosen, columns, where_node)
    return Dataset(file=file, id_column=id_column, columns=columns, entries=tuple(entries)) if entries else None


def _rows(path: Path, node: Node, context: SuiteContext) -> Sequence[Row]:
    from pytest_promptgate.files.datasets import load_rows

    try:
        return load_rows(path, where=node.place, loaders=context.loaders, root=context.root)
    except PromptGateError as fault:
        node.note(fault)
        return ()


def _filter(node: Node | None) -> Filter | None:
    text = node.text("a filter such as \"language == 'en'\"") if node else None
    if node is None or text is None:
        return None
    try:
        return parse_where(text)
    except WhereError as fault:
        node.fault(fault.what, fault.hint)
        return None


def _entries(rows: Sequence[Row], file: str, id_column: str | None) -> tuple[list[Entry], list[DatasetError]]:
    entries: list[Entry] = []
    faults: list[DatasetError] = []
    first: dict[str, Row] = {}
    for number, row in enumerate(rows, 1):
        place = Place(file=file, line=row.line)
        try:
            case_id = _id(row, id_column)
            if case_id in first:
                raise ValueError(_twice(case_id, first[case_id], id_column), "" if faults else _UNIQUE)
            first[case_id] = row
            entries.append(Entry(id=case_id, fields=row.fields, tags=_tags(row.fields), place=place))
        except ValueError as fault:
            what, *hint = fault.args
            faults.append(DatasetError(place if row.line else f"{file}, row {number}", what, hint="".join(hint)))
    if len(faults) > _FAULTS_TOLD:
        more = DatasetError(file, f"{len(faults) - _FAULTS_TOLD:,} further rows are wrong as well")
        faults = [*faults[:_FAULTS_TOLD], more]
    return entries, faults


_UNIQUE = "A case is known by its id, in node ids and in baselines: each row needs its own."


def _id(row: Row, column: str | None) -> str:
    if column is None:
        return f"row-{digest(row.fields)[:12]}"
    value = row.fields.get(column)
    if value is None or value == "":
        raise ValueError(f"the row has no id in column {column!r}")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"an id must be text or a whole number, not {shown(value)}")
    found = slug(str(value))
    if not found:
        raise ValueError(f"the id {shown(value)} has no character that a test's name can hold")
    if is_reserved(found):
        raise ValueError(f"the id {found!r} is reserved")
    return found


def _twice(case_id: str, other: Row, column: str | None) -> str:
    where = f"line {other.line}" if other.line else "an earlier row"
    if column is None:
        return f"the row is equal to that of {where}"
    value = other.fields[column]
    spelled = "" if str(value) == case_id else f" (there from {shown(value)})"
    return f"the id {case_id!r} stands on {where} already{spelled}"


def _tags(fields: Mapping[str, Json]) -> tuple[str, ...]:
    value = fields.get(TAGS)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(dict.fromkeys(value.replace(",", " ").split()))
    if isinstance(value, list | tuple) and all(isinstance(item, str) and item for item in value):
        return tuple(dict.fromkeys(str(item) for item in value))
    raise ValueError(f"tags must be a list of texts, or a text with commas or spaces, not {shown(value)}")


def _values_of(column: str, entries: list[Entry]) -> str:
    values = [*dict.fromkeys(shown(entry.fields.get(column)) for entry in entries)]
    return f"Values of {column}: {', '.join(values[:5])}{', …' if len(values) > 5 else '.'}"


def _chosen(entries: list[Entry], chosen: Filter, columns: frozenset[str], node: Node) -> list[Entry]:
    missing = sorted(chosen.columns - columns)
    for name in missing:
        node.fault(f"the filter reads {name!r}, a column that no row has", did_you_mean(name, columns, label="Columns"))
    if missing:
        return []
    kept: list[Entry] = []
    for entry in entries:
        try:
            if chosen.matches({**entry.fields, TAGS: list(entry.tags)} if TAGS in chosen.columns else entry.fields):
                kept.append(entry)
        except WhereError as fault:
            node.fault(f"the filter fails at {entry.place}: {fault.what}", fault.hint)
            return []
    if not kept:
        hint = "\n".join(_values_of(name, entries) for name in sorted(chosen.columns - {TAGS}))
        node.fault(f"no row of {len(entries):,} matches the filter {shown(chosen.text)}", hint)
    return kept
