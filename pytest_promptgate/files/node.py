"""A value of a YAML document that knows its place, and collects what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import did_you_mean, shown
from pytest_promptgate.errors import Faults, FileError, Place, PromptGateError, told_together
from pytest_promptgate.files.scalars import read_by_yaml_1_1
from pytest_promptgate.files.source import place_of

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.source import Document, Route


def raise_faults(faults: Sequence[PromptGateError], *, file: str) -> None:
    """Raise what was noted, if anything, in the order of `file`'s lines; faults of other files come last."""
    if faults:
        raise told_together(sorted(faults, key=lambda fault: _order(fault.where, file)))


def _order(where: Place | str, file: str) -> tuple[bool, int, int]:
    if not isinstance(where, Place) or where.file != file:
        return True, 0, 0
    return False, where.line or 0, where.column or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value. Its readers give the value, or None after noting a fault; all nodes of a file share `faults`."""

    value: Json
    route: Route
    document: Document
    faults: list[PromptGateError]
    error: type[FileError]
    quoted: bool = True  # False: messages never repeat a value of this file

    @property
    def place(self) -> Place:
        """Where it stands."""
        return place_of(self.document, self.route)

    @property
    def name(self) -> str:
        """How messages call it: ``gate.accuracy.tolerance``, ``scorers[0]``."""
        parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.route)
        return "".join(parts).removeprefix(".")

    def fault(self, what: str, hint: str = "") -> None:
        """Note what is wrong here."""
        self.faults.append(self.error(self.place, what, hint=hint))

    def note(self, fault: PromptGateError) -> None:
        """Note a fault that has a place of its own."""
        self.faults.extend(fault.errors if isinstance(fault, Faults) else [fault])

    def below(self, step: str | int, value: Json) -> Node:
        """The node of a key's value or of a list's item."""
        route = (*self.route, step)
        return replace(self, value=value, route=route)

    def without_value(self) -> Node:
        """The same place with null."""
        return replace(self, value=None)

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None if this is no mapping with that key."""
        return self.below(key, self.value[key]) if isinstance(self.value, Mapping) and key in self.value else None

    def pairs(self) -> list[tuple[str, Node]]:
        """Keys and values of a mapping."""
        return [(key, self.below(key, value)) for key, value in self._mapping().items()]

    def items(self, what: str = "a list") -> list[Node]:
        """Items of a list."""
        if not isinstance(self.value, list):
            self.wrong(what)
            return []
        return [self.below(index, value) for index, value in enumerate(self.value)]

    def keys(self, known: Collection[str], *, refused: Mapping[str, tuple[str, str]] | None = None) -> None:
        """Note every key that is not known; `refused` holds what to say of some others: what and hint."""
        owner = self.name or "this file"
        for key, node in self.pairs():
            if refused and key in refused:
                node.fault(*refused[key])
            elif key not in known:
                node.fault(f"unknown key {key!r} in {owner}", did_you_mean(key, known, label="Known keys"))

    def text(self, what: str = "text") -> str | None:
        """A text that is not empty."""
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        self.wrong(what)
        return None

    def texts(self, what: str = "a list of texts") -> list[str]:
        """The texts of a list."""
        return [text for item in self.items(what) if (text := item.text()) is not None]

    def whole(self, low: int) -> int | None:
        """A whole number, at least `low`."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= low:
            return self.value
        self.wrong(f"a whole number >= {low}")
        return None

    def number(self, what: str = "a number", *, low: float = float("-inf"), high: float = float("inf")) -> float | None:
        """A finite number from `low` to `high`."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool) and low <= self.value <= high:
            return float(self.value)
        self.wrong(what)
        return None

    def flag(self) -> bool | None:
        """True or false."""
        if isinstance(self.value, bool):
            return self.value
        self.wrong("true or false")
        return None

    def wrong(self, what: str, hint: str = "") -> None:
        """Note that something else was expected."""
        unquoted = isinstance(self.value, str) and not self.quoted
        seen = "text" if unquoted else shown(self.value)
        self.fault(f"{self.name or 'this file'} must be {what}, not {seen}", hint or self._as_yaml_sees_it())

    def _as_yaml_sees_it(self) -> str:
        """For ``1_000`` or ``Yes`` where a number or a truth value is expected."""
        seen = read_by_yaml_1_1(self.value) if isinstance(self.value, str) and self.quoted else ""
        if seen in ("true", "false"):
            return f"YAML 1.2 reads {self.value} as text: write {seen}."
        return f"YAML 1.2 reads {self.value} as text: write the number plainly." if "number" in seen else ""

    def _mapping(self) -> Mapping[str, Json]:
        if isinstance(self.value, Mapping):
            return self.value
        self.wrong("a mapping")
        return {}
