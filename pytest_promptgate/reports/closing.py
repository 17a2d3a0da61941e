"""A suite in the lines of a terminal: the closing table of a run, and of a document that is shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars, rounded
from pytest_promptgate.core.printable import printable
from pytest_promptgate.reports.text import since_baseline
from pytest_promptgate.reports.top import columns, headline, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.run_document import RunDocument, Spent, SuiteRun


def spent_line(spent: Spent) -> str:
    """``60 cases: 58 unchanged, 2 asked, 1.2k tokens, $0.01``: a run always says what it cost."""
    parts = [f"{spent.unchanged} unchanged"]
    if spent.stored:
        parts.append(f"{spent.stored} from the store")
    parts.append(f"{spent.asked} asked")
    if spent.unanswered:
        parts.append(f"{spent.unanswered} not answered")
    if tokens := spent.tokens_in + spent.tokens_out:
        parts.append(f"{rounded(tokens)} tokens")
    if spent.asked:
        parts.append("cost unknown" if spent.cost_usd is None else dollars(spent.cost_usd))
    return f"{spent.cases} case{'s' if spent.cases != 1 else ''}: {', '.join(parts)}"


def table(suite: SuiteRun) -> list[tuple[str, bool]]:
    """The metrics as aligned lines without colour, each with whether it is red; the head first."""
    reference = "control" if suite.control is not None and not suite.control.timing else "baseline"
    found = rows(suite)
    cells = [
        ("metric", reference, "current", "change", "verdict", "n/unscored/errored"),
        *((row.metric, row.baseline, row.current, row.change, row.verdict, row.books) for row in found),
    ]
    return list(zip(columns(cells), [False, *(row.red for row in found)], strict=True))


def document_lines(document: RunDocument) -> Iterator[tuple[str, bool]]:
    """A whole document for a terminal, each line with whether it is red."""
    found = headline(document)
    yield printable(str(found)), not found.good
    for suite in document.suites:
        yield printable(suite.title), False
        yield f"  {spent_line(suite.spent)}", False
        if changes := since_baseline(suite.differences):
            yield f"  since the baseline: {changes}", False
        if suite.not_judged:
            yield f"  not judged: {printable(suite.not_judged)}", False
        yield from ((printable(f"  {line}"), red) for line, red in table(suite))
        yield from ((printable(f"  {each.reason}"), each.red) for each in suite.verdicts if each.red)
        yield from ((f"  note: {printable(note)}", False) for note in suite.notes)
