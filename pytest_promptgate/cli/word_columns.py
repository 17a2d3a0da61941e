"""Two lists of messages side by side on a terminal, with the words that went and came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.version_diff import paired
from pytest_promptgate.core.word_diff import Mark, before_and_after, word_diff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_promptgate.core.types import Message
    from pytest_promptgate.core.word_diff import WordDiff

_STYLES = {Mark.KEPT: "", Mark.REMOVED: "red strike", Mark.ADDED: "green bold"}


def show_messages(before: Sequence[Message], after: Sequence[Message], *, names: tuple[str, str]) -> None:
    """Print both; a message that is the same on both sides is named only."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True, show_lines=True)
    for name in names:
        table.add_column(Text(name), ratio=1)
    for old, new in paired(before, after):
        if old is not None and old == new:
            lines = old.content.count("\n") + 1
            same = Text(f"{old.role}: the same {lines} line{'' if lines == 1 else 's'}", style="dim")
            table.add_row(same, same)
        else:
            sides = before_and_after(word_diff(old.content if old else "", new.content if new else ""))
            table.add_row(_cell(old, sides[0]), _cell(new, sides[1]))
    Console().print(table)


def _cell(message: Message | None, spans: WordDiff) -> Text:
    """A text, never markup: templates are full of brackets."""
    from rich.text import Text

    cell = Text()
    if message is None:
        return cell
    cell.append(f"{message.role}:\n", style="bold")
    for span in spans:
        cell.append(printable(span.text), style=_STYLES[span.mark])
    return cell
