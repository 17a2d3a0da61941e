"""The smoke tier: a handful of representative cases, the same ones every time."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case, Json, Suite

SMOKE_COLUMN = "smoke"
_NAMED = 5  # cases in a note
_NO = frozenset({"", "0", "false", "no", "off", "n", "f"})


def smoke_cases(suite: Suite) -> tuple[str, ...]:
    """The ids of the suite's smoke tier (``smoke: 8``), in dataset order."""
    return tuple(case.id for case in smoke(suite.cases, suite.smoke))


def smoke_notes(suite: Suite) -> tuple[str, ...]:
    """A word about marked rows that found no room in the tier; nothing if all did."""
    left = sorted(case.id for case in suite.cases if _is_marked(case))[suite.smoke :]
    if not left:
        return ()
    listed = ", ".join(left[:_NAMED]) + (", …" if len(left) > _NAMED else "")
    marked = suite.smoke + len(left)
    return (
        f"{marked} rows are marked `smoke` and the tier takes {suite.smoke}: {listed} left out. "
        f"Mark fewer, or write `smoke: {marked}` into {suite.path}",
    )


def smoke(cases: Sequence[Case], count: int) -> tuple[Case, ...]:
    """At most `count` cases, in dataset order; which ones does not depend on the order of the rows.

    Rows with a truthy column ``smoke`` come first. The rest is filled by covering tags and expected labels: each
    further case is of the stratum that covers most of what is least covered, the largest such stratum first, and
    within it the one whose inputs are nearest to the median length.

    Args:
        cases: The whole suite's.
        count: >= 1; with as many marked rows or more, the first of them by id.
    """
    marked = sorted((case for case in cases if _is_marked(case)), key=lambda case: case.id)
    chosen = marked[:count]
    if len(chosen) < count:
        chosen += _stratified(cases, chosen, count - len(chosen))
    wanted = {case.id for case in chosen}
    return tuple(case for case in cases if case.id in wanted)


def _is_marked(case: Case) -> bool:
    value = case.inputs.get(SMOKE_COLUMN)
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)


def _stratified(cases: Sequence[Case], chosen: Sequence[Case], count: int) -> list[Case]:
    labels = _labels(cases)
    covered: Counter[str] = Counter(feature for case in chosen for feature in _features(case, labels))
    strata = _strata(cases, {case.id for case in chosen}, labels)
    sizes = {features: len(members) for features, members in strata.items()}
    picked: list[Case] = []
    while strata and len(picked) < count:
        best = min(strata, key=lambda features: (*_need(features, covered), -sizes[features], sorted(features)))
        picked.append(strata[best].popleft())
        covered.update(best)
        if not strata[best]:
            del strata[best]
    return picked


def _need(features: frozenset[str], covered: Counter[str]) -> tuple[int, float]:
    """Smaller is more wanted: how many features are new, then how often they stand in already, on average."""
    return -sum(feature not in covered for feature in features), sum(map(covered.__getitem__, features)) / len(features)


def _strata(cases: Sequence[Case], taken: set[str], labels: frozenset[str]) -> dict[frozenset[str], deque[Case]]:
    lengths = {case.id: _length(case) for case in cases}
    middle = sorted(lengths.values())[len(lengths) // 2]
    strata: dict[frozenset[str], deque[Case]] = {}
    for case in sorted(cases, key=lambda case: (abs(lengths[case.id] - middle), case.id)):
        if case.id not in taken:
            strata.setdefault(_features(case, labels), deque()).append(case)
    return strata


def _features(case: Case, labels: frozenset[str]) -> frozenset[str]:
    label = _label(case.expected)
    return frozenset([*(f"tag:{tag}" for tag in case.tags), *([label] if label in labels else [])] or ["plain"])


def _labels(cases: Sequence[Case]) -> frozenset[str]:
    # A value that occurs once is an answer, not a label.
    counts = Counter(_label(case.expected) for case in cases if case.has_expected)
    return frozenset(label for label, times in counts.items() if label and times > 1)


def _label(expected: Json) -> str:
    return f"label:{expected!r}" if isinstance(expected, str | int | float | bool) else ""


def _length(case: Case) -> int:
    texts = (value for column, value in case.inputs.items() if column != SMOKE_COLUMN)
    return sum(len(value if isinstance(value, str) else repr(value)) for value in texts)
