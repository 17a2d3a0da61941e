"""The scorer tool_call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.parsing import NotJsonError, parse_json, reference_json
from pytest_promptgate.scorers.quoting import VALUE, quoted
from pytest_promptgate.scorers.settings import flag, name_of_expected, wrong
from pytest_promptgate.scorers.structure import compare

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion, Json, ToolCall

_FORMS = "a tool's name, {name, arguments}, a list of these, or null for no call"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    name: str
    arguments: Mapping[str, Json] | None  # None: any will do


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graded:
    value: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalls:
    """How well the tools that the model called are the expected ones: mean over the longer of both lists.

    A call of another tool scores 0; of the right one, the share of what is right, where the name counts as one
    value and each value of the arguments as another. Arguments that are not a JSON object score 0. Missing calls
    and calls that are too many score 0 each. No call where none is expected scores 1.

    Attributes:
        expected: Column, or key of the expected value: a tool's name (any arguments), ``{name, arguments}``,
            a list of these, or null (or an empty list) for no call.
        exact: 1.0 or 0.0, nothing between.
        ignore_order: Calls may come in any order; their arguments' lists may not.
    """

    expected: str | None = None
    exact: bool = False
    ignore_order: bool = False

    revision: ClassVar[int] = 1
    reads_text: ClassVar[bool] = False
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        flag("exact", self.exact)
        flag("ignore_order", self.ignore_order)

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        _wanted_calls(expected_of(case, self.expected))

    def __call__(self, completion: Completion, case: Case) -> Score:
        wanted = _wanted_calls(expected_of(case, self.expected))
        calls = completion.tool_calls
        if not wanted or not calls:
            return _none_of_one(wanted, calls)
        pairs = _matched(wanted, calls) if self.ignore_order else list(zip_longest(wanted, calls))
        graded = [_graded(want, call) for want, call in pairs]
        value = sum(each.value for each in graded) / len(graded)
        reason = "; ".join(each.reason for each in graded if each.reason)
        return Score(value=float(value == 1.0) if self.exact else value, reason=reason)


def _wanted_calls(value: Json) -> tuple[_Wanted, ...]:
    value = reference_json(value)
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_wanted(each) for each in value)
    return (_wanted(value),)


def _wanted(value: Json) -> _Wanted:
    if isinstance(value, str) and value:
        return _Wanted(name=value, arguments=None)
    if isinstance(value, Mapping) and set(value) <= {"name", "arguments"}:
        name, arguments = value.get("name"), reference_json(value.get("arguments"))
        if isinstance(name, str) and name and (arguments is None or isinstance(arguments, Mapping)):
            return _Wanted(name=name, arguments=arguments)
    raise wrong("an expected tool call", _FORMS, value)


def _none_of_one(wanted: Sequence[_Wanted], calls: Sequence[ToolCall]) -> Score:
    if not wanted and not calls:
        return Score(value=1.0)
    if calls:
        return Score(value=0.0, reason=f"called {_names(calls)}, expected no call")
    return Score(value=0.0, reason=f"called no tool, expected {_names(wanted)}")


def _names(calls: Sequence[_Wanted | ToolCall]) -> str:
    more = f" and {len(calls) - 3} more" if len(calls) > 3 else ""
    return ", ".join(quoted(call.name, width=VALUE) for call in calls[:3]) + more


def _matched(wanted: Sequence[_Wanted], calls: Sequence[ToolCall]) -> list[tuple[_Wanted | None, ToolCall | None]]:
    """Each expected call with the best call that is left, the best pairs first, ties by position."""
    ranked = sorted(
        (-_graded(want, call).value, here, there)
        for here, want in enumerate(wanted)
        for there, call in enumerate(calls)
    )
    partner: dict[int, int] = {}
    for _, here, there in ranked:
        if here not in partner and there not in partner.values():
            partner[here] = there
    pairs: list[tuple[_Wanted | None, ToolCall | None]] = [
        (want, calls[partner[here]] if here in partner else None) for here, want in enumerate(wanted)
    ]
    return [*pairs, *((None, call) for there, call in enumerate(calls) if there not in partner.values())]


def _graded(want: _Wanted | None, call: ToolCall | None) -> _Graded:
    if call is None:
        assert want is not None
        return _Graded(value=0.0, reason=f"no call of {quoted(want.name, width=VALUE)}")
    called = quoted(call.name, width=VALUE)
    if want is None:
        return _Graded(value=0.0, reason=f"a call of {called} is too many")
    if want.name != call.name:
        return _Graded(value=0.0, reason=f"called {called}, expected {quoted(want.name, width=VALUE)}")
    if want.arguments is None:
        return _Graded(value=1.0)
    try:
        # Some providers write no arguments as an empty text.
        arguments = parse_json(call.arguments) if call.arguments.strip() else {}
    except NotJsonError as error:
        return _Graded(value=0.0, reason=f"arguments of {called}: {error}")
    if not isinstance(arguments, Mapping):
        return _Graded(value=0.0, reason=f"arguments of {called}: not a JSON object")
    found = compare(want.arguments, arguments)
    reason = f"arguments of {called}: {found.reason}" if found.reason else ""
    return _Graded(value=(1 + found.matched) / (1 + found.total), reason=reason)
