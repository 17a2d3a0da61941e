"""Production's model and the candidate's side by side, in plain text of less than 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.side_by_side import Quality, SideBySide

UNKNOWN = "unknown"
_NAME, _VALUE = 24, 12
_MODEL = 60


def side_by_side_lines(told: SideBySide) -> Iterator[str]:
    """The two models, then a line per metric, for the cost, the latency and the tokens."""
    yield f"production: {one_line(told.models[0], width=_MODEL)}"
    yield f"candidate:  {one_line(told.models[1], width=_MODEL)}"
    yield _row("", "production", "candidate", "change")
    for each in told.qualities:
        yield _quality(each)
    old, new = told.production, told.candidate
    costs = [None if each is None else each * told.cases for each in (old.cost_usd, new.cost_usd)]
    yield _use("cost per case", old.cost_usd, new.cost_usd, form="${:.6f}")
    yield _use(f"cost of {told.cases} cases", *costs, form="${:.4f}")
    yield _use("latency p50", old.p50_s, new.p50_s, form="{:.3f} s")
    yield _use("latency p95", old.p95_s, new.p95_s, form="{:.3f} s")
    yield _use("tokens in, per answer", old.tokens_in, new.tokens_in, form="{:.1f}")
    yield _use("tokens out, per answer", old.tokens_out, new.tokens_out, form="{:.1f}")
    if old.p50_s is None:
        yield "production's latency is unknown: its answers are not in the store; --prompt-control times both"
    if None in (old.cost_usd, new.cost_usd):
        yield "a cost is unknown: write the price under `prices:` in promptgate.yaml"


def _row(name: str, old: str, new: str, change: str) -> str:
    return f"{one_line(name, width=_NAME):{_NAME}}{old:>{_VALUE}}{new:>{_VALUE}}{change:>10}"


def _quality(each: Quality) -> str:
    old, new = each.production, each.candidate
    change = "" if old is None or new is None else f"{new - old:+.3f}"
    row = _row(each.metric, _shown(old, "{:.3f}"), _shown(new, "{:.3f}"), change)
    return f"{row}  {each.verdict}".rstrip()


def _use(name: str, old: float | None, new: float | None, *, form: str) -> str:
    change = f"{(new - old) / old:+.0%}" if old and new is not None else ""
    return _row(name, _shown(old, form), _shown(new, form), change).rstrip()


def _shown(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else form.format(value)
