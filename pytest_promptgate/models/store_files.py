"""Whole files of stored answers: counted, merged and rewritten, without holding the answers in memory."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.estimate import History, Source, history_of
from pytest_promptgate.core.types import Observation
from pytest_promptgate.errors import StoreError
from pytest_promptgate.models import store_lines
from pytest_promptgate.models.store_lines import AnswerLine, HeaderLine, RepairedLine, RoundLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pytest_promptgate.core.ports import StoreKey

_TAIL = 1 << 20  # bytes: some hundred answers at least
_TAIL_ANSWERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answer, by its place in its file."""

    key: StoreKey
    rank: tuple[float, str]  # of equal keys the smallest wins
    model: str  # that answered, "" if it did not say
    offset: int
    length: int  # bytes, with the line feed

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it stands in a rewritten file: the same place whatever was merged in which order."""
        key = self.key
        return (*self.rank, key.role, key.round, key.request, key.ordinal, key.endpoint)


@dataclass(slots=True, kw_only=True)
class Scan:
    """What a file holds: per key the answer that wins."""

    path: Path
    size: int = 0  # bytes
    entries: dict[StoreKey, Entry] = field(default_factory=dict)
    rounds: dict[str, bytes] = field(default_factory=dict)  # complete ones, by name, with their lines
    complaints: list[str] = field(default_factory=list)  # lines that were skipped: ``file:line: why; skipped``
    repeats: int = 0  # answers whose key another line wins


def scan(path: Path, *, shown: str = "") -> Scan:
    """Read a store's file.

    Args:
        path: The file.
        shown: What complaints call it; its path if empty.

    Raises:
        StoreError: It cannot be read, or a newer version wrote it.
    """
    found = Scan(path=path)
    name = shown or str(path)
    torn: int | None = None
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                kind = _decoded(line)
                if torn is not None and not isinstance(kind, RepairedLine):
                    found.complaints.append(f"{name}:{torn}: not a line of a response store; skipped")
                torn = number if kind is None and line.strip() else None
                if kind is not None:
                    _note(found, kind, line, f"{name}:{number}")
                found.size += len(line)
    except OSError as fault:
        raise StoreError(name, f"the response store cannot be read: {fault.strerror or fault}") from fault
    if torn is not None:
        found.complaints.append(f"{name}:{torn}: the last line is torn; skipped")
    return found


def _decoded(line: bytes) -> store_lines.Line | None:
    try:
        return store_lines.decode(line)
    except (ValueError, RecursionError):
        return None


def _note(found: Scan, kind: store_lines.Line, line: bytes, where: str) -> None:
    if isinstance(kind, HeaderLine) and kind.version > store_lines.VERSION:
        raise StoreError(
            where,
            f"the response store has format {kind.version}, this pytest-promptgate reads {store_lines.VERSION}",
            hint="Upgrade pytest-promptgate.",
        )
    if isinstance(kind, RoundLine):
        found.rounds.setdefault(kind.round, line)
    elif isinstance(kind, AnswerLine):
        try:
            model = store_lines.decode_completion(line).served_model
        except (ValueError, TypeError, KeyError):
            found.complaints.append(f"{where}: the answer does not match its digest; skipped")
            return
        entry = Entry(key=kind.key, rank=kind.rank, model=model, offset=found.size, length=len(line))
        older = found.entries.get(entry.key)
        found.repeats += older is not None
        if older is None or entry.rank < older.rank:
            found.entries[entry.key] = entry


Picked: TypeAlias = "tuple[Scan, Entry]"


def union(scans: Sequence[Scan], keep: Callable[[Scan, Entry], bool] = lambda _scan, _entry: True) -> list[Picked]:
    """Per key the answer that wins, in the order of a rewritten file."""
    winners: dict[StoreKey, Picked] = {}
    for each in scans:
        for key, entry in each.entries.items():
            other = winners.get(key)
            if keep(each, entry) and (other is None or entry.rank < other[1].rank):
                winners[key] = (each, entry)
    return sorted(winners.values(), key=lambda picked: picked[1].order)


def content(picked: Sequence[Picked], scans: Sequence[Scan]) -> Iterator[bytes]:
    """The bytes of a store with these answers, and every round that one of `scans` holds complete."""
    yield store_lines.HEADER
    with ExitStack() as opened:
        files = {each.path: opened.enter_context(each.path.open("rb")) for each in scans}
        for each, entry in picked:
            file = files[each.path]
            file.seek(entry.offset)
            line = file.read(entry.length)
            yield line if line.endswith(b"\n") else line + b"\n"
    rounds: dict[str, bytes] = {}
    for each in scans:
        for name, line in each.rounds.items():
            rounds[name] = min(rounds.get(name, line), line)
    yield from (rounds[name] for name in sorted(rounds))


def recent_history(path: Path, *, model: str) -> History | None:
    """What the latest answers in a store took; those of `model` (digest of the request's part) if there are any.

    Reads the end of the file only. None if there is no file, or no answer in it whose tokens were counted.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    seen = [found for line in lines if (found := _usage(line)) is not None][-_TAIL_ANSWERS:]
    own = [usage for name, usage in seen if name == model]
    return history_of(own or [usage for _, usage in seen], source=Source.STORE)


def _usage(line: bytes) -> tuple[str, Observation] | None:
    """Model and tokens of an answer line of the first asking; None if it is none."""
    try:
        value = json.loads(line)
        if value["role"] != "subject":
            return None
        answer = value["answer"]
        usage = Observation(
            case="", sample=1, grades={}, tokens_in=answer.get("tokens_in"), tokens_out=answer.get("tokens_out")
        )
        return str(value["parts"].get("model")), usage
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
