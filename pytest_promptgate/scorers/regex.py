"""The scorer regex."""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.normalisers import normalised, normaliser_names, text_of
from pytest_promptgate.scorers.patterns import captured
from pytest_promptgate.scorers.quoting import label, quoted
from pytest_promptgate.scorers.settings import choice, name_of_expected, strings, unknown, wrong

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion

_FLAGS = {
    "ignore_case": re.IGNORECASE,
    "multiline": re.MULTILINE,
    "dotall": re.DOTALL,
    "verbose": re.VERBOSE,
    "ascii": re.ASCII,
}
NOTHING = "(no match)"  # the label of an answer that the pattern does not match


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """1.0 if the pattern matches the answer and, if `expected` is set, the group holds the expected text; else 0.0.

    Attributes:
        pattern: As Python's `re` reads it.
        expected: None: any match will do. Else a column, a key of the expected value, or ``expected``.
        group: Number or name of the group to compare; 0 is the whole match.
        normalize: Normalisers for both texts, if they are compared.
        flags: Names: ignore_case, multiline, dotall, verbose, ascii.
        match: ``search`` anywhere, or ``fullmatch``: the whole answer.
        timeout_s: Seconds for one match, wall clock; more is an error of that case.
    """

    pattern: str
    expected: str | None = None
    group: int | str = 0
    normalize: tuple[str, ...] = ("strip",)
    flags: tuple[str, ...] = ()
    match: str = "search"
    timeout_s: float = 2.0

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        choice("match", self.match, ("search", "fullmatch"))
        object.__setattr__(self, "normalize", normaliser_names(self.normalize))
        object.__setattr__(self, "flags", _flag_names(self.flags))
        _check_pattern(self.pattern, _combined(self.flags), self.group)
        seconds = self.timeout_s
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= 60:
            raise wrong("timeout_s", "a number of seconds above 0 and up to 60", seconds)

    @property
    def needs_expected(self) -> bool:
        """True if the group is compared."""
        return self.expected is not None

    @property
    def labels(self) -> bool:
        """True if the group is compared."""
        return self.expected is not None

    @property
    def combined(self) -> int:
        """The flags as `re` takes them."""
        return _combined(self.flags)

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        if self.expected is not None:
            text_of(expected_of(case, self.expected))

    def __call__(self, completion: Completion, case: Case) -> Score:
        found = captured(
            self.pattern,
            completion.text,
            flags=self.combined,
            full=self.match == "fullmatch",
            group=self.group,
            timeout_s=self.timeout_s,
        )
        missed = f"{quoted(self.pattern)} does not match {quoted(completion.text)}"
        if self.expected is None:
            return Score(value=float(found is not None), reason="" if found is not None else missed)
        expected = normalised(text_of(expected_of(case, self.expected)), self.normalize)
        if found is None:
            return Score(value=0.0, reason=missed, labels=(NOTHING, label(expected)))
        answered = normalised(found, self.normalize)
        reason = "" if answered == expected else f"found {quoted(answered)}, expected {quoted(expected)}"
        return Score(value=float(not reason), reason=reason, labels=(label(answered), label(expected)))


def _flag_names(value: object) -> tuple[str, ...]:
    if value in ((), []):
        return ()
    for name in (names := strings("flags", value)):
        if name not in _FLAGS:
            raise unknown("flags", name, _FLAGS)
    return names


@functools.lru_cache
def _combined(names: tuple[str, ...]) -> int:
    return int(functools.reduce(operator.or_, (_FLAGS[name] for name in names), re.NOFLAG))


def _check_pattern(pattern: object, flags: int, group: object) -> None:
    if not isinstance(pattern, str) or not pattern:
        raise wrong("pattern", "a regular expression", pattern)
    try:
        compiled = re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"pattern {quoted(pattern)} is no regular expression: {error}") from error
    known = (*range(compiled.groups + 1), *compiled.groupindex)
    if isinstance(group, bool) or group not in known:
        accepted = ", ".join(map(str, known))
        raise ValueError(f"group cannot be {group!r} in pattern {quoted(pattern)}. Accepted: {accepted}")
