"""What the lockfile holds of one suite and slot, see `lockfile_format`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.expressions import ExpressionError, parse_expression
from pytest_promptgate.core.recorded import Figures, kept_by, recorded_metrics
from pytest_promptgate.core.types import (
    Baseline,
    Contract,
    MetricGate,
    ModelPin,
    Tolerance,
)
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.lockfile_anchors import decode_acceptance, decode_anchor, encode_acceptance, encode_anchor
from pytest_promptgate.files.lockfile_cases import decode_case, encode_case
from pytest_promptgate.files.lockfile_promises import KEYS, encode_promises, with_promises
from pytest_promptgate.files.shapes import (
    WrongShapeError,
    anything,
    boolean,
    count,
    entries,
    field,
    items,
    known,
    named_entries,
    number,
    optional,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.recorded import Kept
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.lockfile_format import Tree

_SLOT = frozenset(
    {
        "accepted",
        "anchor",
        "cases",
        "gates",
        "metrics",
        "model",
        "must_pass",
        "path",
        "prompt",
        "prompt_digest",
        "rule",
        "samples",
        "scorers",
        *KEYS,
    }
)


def encode_baseline(baseline: Baseline, *, aggregates: Mapping[str, Aggregate]) -> Tree:
    """One slot's entry, every leaf encoded; raises ValueError for samples that were not answered."""
    contract = baseline.contract
    kept = kept_by(contract)
    cases = {case: encode_case(record, kept) for case, record in baseline.cases.items()}
    return {
        **_beside(baseline, kept, cases),
        **encode_promises(contract),
        "cases": cases,
        "gates": {metric: encode(_gate(gate)) for metric, gate in contract.gates.items()},
        "metrics": {
            metric: encode(_metric(contract.metrics[metric], figures))
            for metric, figures in recorded_metrics(baseline, aggregates=aggregates).items()
        },
        "model": encode(pin_entry(baseline.pin)),
        "must_pass": encode(sorted(contract.must_pass)),
        "path": encode(contract.path),
        "prompt": encode(baseline.prompt),
        "prompt_digest": encode(baseline.prompt_digest),
        "rule": encode(contract.rule),
        "samples": encode(contract.samples),
        "scorers": {scorer: encode(fingerprint) for scorer, fingerprint in baseline.scorers.items()},
    }


def _beside(baseline: Baseline, kept: Kept, cases: Mapping[str, str]) -> dict[str, Tree]:
    beside: dict[str, Tree] = {}
    if baseline.accepted:
        beside["accepted"] = tuple(map(encode_acceptance, baseline.accepted))
    if baseline.anchor is not None:
        beside["anchor"] = encode_anchor(baseline.anchor, kept=kept, baseline=cases, pin=pin_entry)
    return beside


def _gate(gate: MetricGate) -> dict[str, Json]:
    return {
        "floor": None if gate.floor is None else float(gate.floor),
        "gated": gate.gated,
        "relative": gate.tolerance.relative,
        "tolerance": float(gate.tolerance.amount),
    }


def _metric(expression: str, figures: Figures | None) -> dict[str, Json]:
    if figures is None:
        return {"expression": expression}
    value = None if figures.value is None else float(figures.value)
    return {"expression": expression, "scored": figures.scored, "unscored": figures.unscored, "value": value}


def pin_entry(pin: ModelPin) -> dict[str, Json]:
    """A pin as the lockfile and the outputs write it."""
    return {"name": pin.name, "parameters": pin.parameters, "provider": pin.provider, "vouched": pin.vouched}


def decode_baseline(suite: str, slot: str, value: Json) -> tuple[Baseline, Mapping[str, Figures | None]]:
    """One slot's baseline, and its metrics as they are recorded.

    Raises:
        WrongShapeError: It is no such entry.
    """
    entry = known(value, _SLOT)
    metrics = field(entry, "metrics", lambda inner: entries(inner, _read_metric))
    cases = field(entry, "cases", lambda inner: named_entries(inner, decode_case))
    baseline = Baseline(
        suite=suite,
        slot=slot,
        prompt=field(entry, "prompt", text),
        prompt_digest=field(entry, "prompt_digest", text),
        pin=field(entry, "model", read_pin),
        scorers=field(entry, "scorers", lambda inner: entries(inner, text)),
        contract=_contract(entry, {name: expression for name, (expression, _) in metrics.items()}),
        cases=cases,
        anchor=field(entry, "anchor", lambda inner: decode_anchor(inner, cases=cases, pin=read_pin))
        if "anchor" in entry
        else None,
        accepted=field(entry, "accepted", lambda inner: items(inner, decode_acceptance)) if "accepted" in entry else (),
    )
    return baseline, {name: figures for name, (_, figures) in metrics.items()}


def _contract(entry: Mapping[str, Json], metrics: Mapping[str, str]) -> Contract:
    contract = Contract(
        path=field(entry, "path", text),
        rule=field(entry, "rule", text),
        samples=field(entry, "samples", count),
        metrics=metrics,
        gates=field(entry, "gates", lambda inner: entries(inner, _read_gate)),
        must_pass=field(entry, "must_pass", lambda inner: items(inner, text)),
    )
    return with_promises(contract, entry)


def _read_metric(value: Json) -> tuple[str, Figures | None]:
    entry = known(value, ("expression", "scored", "unscored", "value"))
    expression = field(entry, "expression", _read_expression)
    if entry.keys() == {"expression"}:
        return expression, None
    return expression, Figures(
        value=field(entry, "value", optional(number)),
        scored=field(entry, "scored", count),
        unscored=field(entry, "unscored", count),
    )


def _read_expression(value: Json) -> str:
    expression = text(value)
    try:
        parse_expression(expression)
    except ExpressionError as error:
        raise WrongShapeError(error.what) from None
    return expression


def _read_gate(value: Json) -> MetricGate:
    entry = known(value, ("floor", "gated", "relative", "tolerance"))
    return MetricGate(
        gated=field(entry, "gated", boolean),
        tolerance=Tolerance(amount=field(entry, "tolerance", number), relative=field(entry, "relative", boolean)),
        floor=field(entry, "floor", optional(number)),
    )


def read_pin(value: Json) -> ModelPin:
    """A pin, as `pin_entry` writes it; raises WrongShapeError."""
    entry = known(value, ("name", "parameters", "provider", "vouched"))
    return ModelPin(
        provider=field(entry, "provider", text),
        name=field(entry, "name", text),
        parameters=field(entry, "parameters", lambda inner: entries(inner, anything)),
        vouched=field(entry, "vouched", boolean),
    )
