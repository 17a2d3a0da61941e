"""The scorer json_match, and the comparison behind it. The only module that imports deepdiff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.alignment import HOLE, Tree, aligned
from pytest_promptgate.scorers.parsing import NotJsonError, parse_json, reference_json
from pytest_promptgate.scorers.quoting import quoted_json, quoted_path
from pytest_promptgate.scorers.settings import flag, name_of_expected

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion, Json

_SHOWN = 3  # differences in one reason

_Leaf: TypeAlias = "tuple[str, Json]"  # kind and value
_Difference: TypeAlias = "tuple[list[str | int], Tree, Tree]"  # path, expected and answered; `HOLE` for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two JSON values have in common; a leaf is a value that is no container, or an empty container."""

    matched: int  # leaves at the same path with the same value
    total: int  # leaves of the expected value, and those that only the answer has; >= 1
    reason: str = ""  # the first differences by path; untrusted, short, printable

    @property
    def share(self) -> float:
        """0 … 1; exactly 1 iff the values are the same."""
        return self.matched / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonMatch:
    """The share of JSON values that are right: matched / (expected values + values that are too many).

    The order of keys is free. A missing key is not null, ``true`` is not 1, ``"1"`` is not 1. An answer that is
    not JSON scores 0.

    Attributes:
        expected: Column, or key of the expected value. A text that starts with ``{`` or ``[`` is read as JSON.
        exact: 1.0 or 0.0, nothing between.
        ignore_order: Lists are compared without regard to order; else position by position.
        strict_numbers: 1 and 1.0 differ; else they are one number, as JSON says.
        fenced: The answer may be one Markdown code block.
    """

    expected: str | None = None
    exact: bool = False
    ignore_order: bool = False
    strict_numbers: bool = False
    fenced: bool = False

    revision: ClassVar[int] = 1
    reads_json: ClassVar[bool] = True
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        for name in ("exact", "ignore_order", "strict_numbers", "fenced"):
            flag(name, getattr(self, name))

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        reference_json(expected_of(case, self.expected))

    def __call__(self, completion: Completion, case: Case) -> Score:
        expected = reference_json(expected_of(case, self.expected))
        try:
            answered = parse_json(completion.text, fenced=self.fenced)
        except NotJsonError as error:
            return Score(value=0.0, reason=str(error))
        found = compare(expected, answered, ignore_order=self.ignore_order, strict_numbers=self.strict_numbers)
        if found.share == 1.0:
            return Score(value=1.0)
        return Score(value=0.0 if self.exact else found.share, reason=found.reason)


def compare(expected: Json, answered: Json, *, ignore_order: bool = False, strict_numbers: bool = False) -> Comparison:
    """Compare two JSON values leaf by leaf; both have passed `parsing.checked`."""
    # deepdiff's own idea of equal leaves (keys "__private" are skipped, numbers compared by type, long texts
    # diffed line by line) is not JSON's: it gets one opaque word for each distinct leaf.
    words: dict[_Leaf, str] = {}
    wanted = _encoded(expected, words, strict_numbers)
    given = _encoded(answered, words, strict_numbers)
    total = _count(wanted)
    if wanted == given:
        return Comparison(matched=total, total=total)
    found = _differences(wanted, aligned(wanted, given) if ignore_order else given)
    if not found:
        return Comparison(matched=total, total=total)
    lost = sum(_count(old) for _, old, _ in found)
    extra = sum(max(0, _count(new) - _count(old)) for _, old, new in found)
    return Comparison(matched=total - lost, total=total + extra, reason=_reason(found, words))


def _encoded(value: Json, words: dict[_Leaf, str], strict_numbers: bool) -> Tree:
    if isinstance(value, Mapping):
        if value:
            return {key: _encoded(each, words, strict_numbers) for key, each in value.items()}
        leaf: _Leaf = ("empty", "{}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if value:
            return [_encoded(each, words, strict_numbers) for each in value]
        leaf = ("empty", "[]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not strict_numbers:
        leaf = ("number", value)
    else:
        leaf = (type(value).__name__, value)
    return words.setdefault(leaf, f"w{len(words)}")


def _differences(wanted: Tree, given: Tree) -> list[_Difference]:
    from deepdiff import DeepDiff
    from deepdiff.helper import NotPresent

    found: Mapping[str, Any] = DeepDiff(
        wanted,
        given,
        view="tree",
        zip_ordered_iterables=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    return [
        (
            level.path(output_format="list"),
            HOLE if isinstance(level.t1, NotPresent) else level.t1,
            HOLE if isinstance(level.t2, NotPresent) else level.t2,
        )
        for levels in found.values()
        for level in levels
    ]


def _count(tree: Tree) -> int:
    if isinstance(tree, str):
        return int(tree != HOLE)
    return sum(map(_count, tree.values() if isinstance(tree, dict) else tree))


def _reason(found: list[_Difference], words: Mapping[_Leaf, str]) -> str:
    values = {word: leaf for leaf, word in words.items()}
    # Siblings share a container, so positions are never compared with keys.
    first = sorted(found, key=lambda difference: difference[0])[:_SHOWN]
    told = [_told(*difference, values) for difference in first]
    return "; ".join(told) + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _told(path: list[str | int], old: Tree, new: Tree, values: Mapping[str, _Leaf]) -> str:
    where = quoted_path(path)
    if new == HOLE:
        return f"{where} is missing, expected {_text(old, values)}"
    if old == HOLE:
        return f"{where} is not expected: {_text(new, values)}"
    return f"{where} is {_text(new, values)}, expected {_text(old, values)}"


def _text(tree: Tree, values: Mapping[str, _Leaf]) -> str:
    if isinstance(tree, str):
        kind, value = values[tree]
        return str(value) if kind == "empty" else quoted_json(value)
    size = f"{len(tree)} {'key' if isinstance(tree, dict) else 'item'}{'' if len(tree) == 1 else 's'}"
    return f"an object of {size}" if isinstance(tree, dict) else f"a list of {size}"
