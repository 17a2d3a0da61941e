"""Where in a store's file each answer stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pytest_promptgate.errors import StoreError
from pytest_promptgate.models import store_lines
from pytest_promptgate.models.store_lines import AnswerLine, HeaderLine, RepairedLine, RoundLine

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.ports import StoreKey


class StoreIndex:
    """The answers of one file, by key.

    Args:
        path: What complaints call the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[StoreKey, tuple[int, int, int]] = {}  # offset, length, line number
        self.rounds: set[str] = set()
        self.latencies: dict[str, float] = {}  # by trial
        self.complaints: list[str] = []
        self._ranks: dict[StoreKey, tuple[float, str]] = {}
        self._others: dict[StoreKey, list[tuple[tuple[float, str], tuple[int, int, int]]]] = {}  # of equal keys

    def load(self, file: BinaryIO) -> None:
        """Read the file; what is no line of a store is skipped and noted."""
        offset = 0
        torn: int | None = None
        for number, line in enumerate(file, 1):
            try:
                found = store_lines.decode(line)
            except (ValueError, RecursionError):
                if torn is not None:
                    self.complain(torn, "not a line of a response store")
                torn = number if line.strip() else None
            else:
                if torn is not None and not isinstance(found, RepairedLine):
                    self.complain(torn, "not a line of a response store")
                torn = None
                self._note(found, offset, len(line), number)
            offset += len(line)
        self._ranks.clear()

    def complain(self, number: int, why: str) -> None:
        """Remember a line that was skipped."""
        self.complaints.append(f"{self.path}:{number}: {why}; skipped")

    def pass_over(self, key: StoreKey, why: str) -> None:
        """Skip the line that answers `key`; the next best line with this key takes its place, if there is one."""
        self.complain(self.places.pop(key)[2], why)
        others = self._others.get(key)
        if others:
            best = min(others)
            others.remove(best)
            self.places[key] = best[1]

    def _note(self, found: store_lines.Line, offset: int, length: int, number: int) -> None:
        if isinstance(found, AnswerLine):
            if found.trial and found.latency_s is not None:
                self.latencies[found.trial] = found.latency_s
            place, rank, older = (offset, length, number), found.rank, self._ranks.get(found.key)
            if older is not None:
                if older <= rank:
                    self._others.setdefault(found.key, []).append((rank, place))
                    return
                self._others.setdefault(found.key, []).append((older, self.places[found.key]))
            self.places[found.key] = place
            self._ranks[found.key] = rank
        elif isinstance(found, RoundLine):
            self.rounds.add(found.round)
        elif isinstance(found, HeaderLine) and found.version > store_lines.VERSION:
            raise StoreError(
                f"{self.path}:{number}",
                f"the response store has format {found.version}, this pytest-promptgate reads {store_lines.VERSION}",
                hint="Upgrade pytest-promptgate, or set promptgate_dir to another directory.",
            )
