"""Small drawings of a report, as SVG without a script or a style of its own: classes alone, coloured by the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_promptgate.reports.markup import Markup, tag

WIDTH, HEIGHT = 180, 28  # of an interval
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A metric's change, told so that more is better."""

    change: float
    interval: tuple[float, float] | None  # at 95 %
    tolerance: float  # >= 0
    red: bool


def change_drawn(found: Change, *, label: str) -> Markup:
    """The change with its interval, the baseline as a line, the tolerated drop as a band; worse is to the left."""
    ends = [abs(found.change), found.tolerance, *map(abs, found.interval or ())]
    reach = 1.15 * max(ends) or 1.0
    middle = WIDTH / 2

    def at(value: float) -> float:
        return middle + value / reach * (middle - 4)

    low, high = found.interval or (found.change, found.change)
    tone = "red" if found.red else "calm"
    return tag(
        "svg",
        tag("title", label),
        tag("rect", class_="band", x=at(-found.tolerance), y=3, width=middle - at(-found.tolerance), height=HEIGHT - 6),
        tag("line", class_="zero", x1=middle, x2=middle, y1=0, y2=HEIGHT),
        tag("line", class_=f"reach {tone}", x1=at(low), x2=at(high), y1=HEIGHT / 2, y2=HEIGHT / 2),
        tag("circle", class_=f"dot {tone}", cx=at(found.change), cy=HEIGHT / 2, r=4),
        class_="change",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal parts of a range, and how many values fall into each, before and now."""

    low: float
    high: float
    before: tuple[int, ...]
    now: tuple[int, ...]


def bins(before: Sequence[float], now: Sequence[float]) -> Bins | None:
    """`BINS` parts of the range of all values, from 0 to 1 if they are all within; None if there is no value."""
    values = [*before, *now]
    if not values:
        return None
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    if not math.isfinite(high - low):
        return None
    if low == high:
        high = low + 1.0

    def counted(found: Sequence[float]) -> tuple[int, ...]:
        counts = [0] * BINS
        for value in found:
            counts[min(BINS - 1, int((value - low) / (high - low) * BINS))] += 1
        return tuple(counts)

    return Bins(low=low, high=high, before=counted(before), now=counted(now))


def bins_drawn(found: Bins, *, label: str) -> Markup:
    """A pair of bars per part: the baseline's, and this run's."""
    most = max(*found.before, *found.now, 1)
    bars = []
    for kind, counts, shift in (("before", found.before, 1.0), ("now", found.now, 9.0)):
        for part, count in enumerate(counts):
            tall = 56.0 * count / most
            bars.append(
                tag(
                    "rect",
                    tag("title", f"{kind}: {count}"),
                    class_=kind,
                    x=part * 20 + shift,
                    y=60 - tall,
                    width=8,
                    height=tall,
                )
            )
    base = tag("line", class_="zero", x1=0, x2=200, y1=60, y2=60)
    return tag(
        "svg", tag("title", label), bars, base, class_="bins", viewBox="0 0 200 62", role="img", aria_label=label
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One run of a trend."""

    value: float
    interval: tuple[float, float] | None
    label: str  # what the reader is told of it
    marked: bool = False  # something happened here: another prompt version or model, an accepted regression


def trend_drawn(dots: Sequence[Dot], *, label: str) -> Markup:
    """The runs from left to right, oldest first, with their intervals; `dots` is not empty."""
    ends = [end for dot in dots for end in (dot.value, *(dot.interval or ()))]
    low, high = float(min(ends)), float(max(ends))
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = 380 / max(1, len(dots) - 1)

    def at(value: float) -> float:
        return 74.0 - (value - low) / (high - low) * 68

    places = [(10 + step * index, at(dot.value)) for index, dot in enumerate(dots)]
    shapes = [
        tag("line", class_="zero", x1=x, x2=x, y1=0, y2=80)
        for dot, (x, _) in zip(dots, places, strict=True)
        if dot.marked
    ]
    shapes += [
        tag("line", class_="reach calm", x1=x, x2=x, y1=at(dot.interval[0]), y2=at(dot.interval[1]))
        for dot, (x, _) in zip(dots, places, strict=True)
        if dot.interval is not None
    ]
    shapes.append(tag("polyline", class_="trend", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places)))
    shapes += [
        tag("circle", tag("title", dot.label), class_="dot calm", cx=x, cy=y, r=3.5)
        for dot, (x, y) in zip(dots, places, strict=True)
    ]
    return tag("svg", tag("title", label), shapes, class_="trend", viewBox="0 0 400 80", role="img", aria_label=label)
