"""From rows to cases: what the suite reads of a row decides its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import case_digest
from pytest_promptgate.core.nesting import check_row, leaves, parts_of
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import BoundScorer, Case
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import DatasetError, SuiteError
from pytest_promptgate.files.suite_dataset import EXPECTED, TAGS
from pytest_promptgate.files.suite_scorers import is_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_dataset import Dataset, Entry

_FAULTS_TOLD = 10


def cases_of(
    dataset: Dataset, *, variables: Collection[str], scorers: Sequence[BoundScorer], slices: Sequence[str]
) -> tuple[Case, ...]:
    """The cases, in dataset order.

    The digest covers the columns of `variables` (those that templates read), those that scorers compare with and
    `expected`; with any scorer of the user's own, of which nobody knows what it reads, every column but id and tags.
    """
    asked = [leaf for scorer in scorers for leaf in leaves(scorer.scorer)]
    compared = {name for scorer in asked if (name := _compared(scorer, dataset))} | _shown(asked, dataset)
    special = {dataset.id_column, EXPECTED, TAGS} - {*variables, *compared, *slices}
    kept = dataset.columns - special
    opaque = not all(is_ours(each) and getattr(each, "columns", ()) is not None for each in asked)
    covered = kept - {dataset.id_column, TAGS} if opaque else kept & {*variables, *compared}
    return tuple(_case(entry, kept, covered) for entry in dataset.entries)


def _case(entry: Entry, kept: Collection[str], covered: Collection[str]) -> Case:
    fields = entry.fields
    inputs = {name: value for name, value in fields.items() if name in kept}
    read = {name: value for name, value in inputs.items() if name in covered}
    expected, has_expected = fields.get(EXPECTED), EXPECTED in fields
    return Case(
        id=entry.id,
        inputs=inputs,
        expected=expected,
        has_expected=has_expected,
        tags=entry.tags,
        digest=case_digest(read, expected, has_expected),
        place=entry.place,
    )


def _compared(scorer: object, dataset: Dataset) -> str | None:
    name = getattr(scorer, "expected", None)
    if not isinstance(name, str):
        return None
    return name if name in dataset.columns else name.partition(".")[0]


def _shown(scorers: Sequence[object], dataset: Dataset) -> set[str]:
    """The columns that judges see."""
    names = {name for each in scorers for name in getattr(each, "columns", None) or () if isinstance(name, str)}
    return {name if name in dataset.columns else name.partition(".")[0] for name in names}


def check_scorable(cases: Sequence[Case], scorers: Sequence[BoundScorer], dataset: Dataset, node: Node) -> None:
    """Note the rows that a scorer cannot score, whatever the answer; all of them at the scorer's own place."""
    for scorer in scorers:
        faults = [(case, fault) for case in cases if (fault := _unscorable(scorer.scorer, case))]
        if faults and len(faults) == len(cases):
            node.note(_none_scorable(scorer, dataset, faults[0][1]))
            continue
        for case, fault in faults[:_FAULTS_TOLD]:
            where = case.place if case.place.line else f"{dataset.file}, case {case.id}"
            hint = f"The scorer stands at {scorer.place}."
            node.note(DatasetError(where, f"{scorer.name} cannot score this row: {fault}", hint=hint))
        if len(faults) > _FAULTS_TOLD:
            more = f"{len(faults) - _FAULTS_TOLD:,} further rows"
            node.note(DatasetError(dataset.file, f"{scorer.name} cannot score {more} either"))


def _none_scorable(scorer: BoundScorer, dataset: Dataset, fault: str) -> SuiteError:
    name = getattr(scorer.scorer, "expected", None)
    if isinstance(name, str) and _compared(scorer.scorer, dataset) not in dataset.columns:
        known = did_you_mean(name, dataset.columns, label="Columns")
        return SuiteError(scorer.place, f"{scorer.name} compares with {name!r}, which no row has", hint=known)
    if name is None and EXPECTED not in dataset.columns and not parts_of(scorer.scorer):
        hint = f"Name the column to compare with: `{scorer.name}: {{{scorer.kind}: {{expected: COLUMN}}}}`."
        return SuiteError(scorer.place, f"{scorer.name} compares with {EXPECTED!r}, which no row has", hint=hint)
    return SuiteError(scorer.place, f"{scorer.name} can score no row: {fault}")


def _unscorable(scorer: object, case: Case) -> str:
    try:
        check_row(scorer, case)
    except (ValueError, LookupError) as fault:
        return one_line(str(fault.args[0]) if fault.args else type(fault).__name__, width=300)
    except Exception as fault:  # noqa: BLE001 - it may be users' code that raises
        return one_line(f"its check raised {type(fault).__name__}: {fault}", width=300)
    return ""
