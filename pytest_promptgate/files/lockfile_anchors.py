"""What a slot's entry holds beside its baseline: the anchor, and what was accepted; missing where there is none.

::

    "accepted": [{"from", "kind", "metric", "reason", "to"}]                       one line each, oldest first
    "anchor": {"cases": {id: one line, see `lockfile_cases`},                      missing if they are the baseline's
               "drift": {metric: {"change", "variance"}},
               "model", "prompt", "prompt_digest", "reason", "scorers": {scorer: fingerprint}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Acceptance, AcceptanceKind, Anchor, Drift, ModelPin
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.lockfile_cases import decode_case, encode_case
from pytest_promptgate.files.shapes import entries, field, known, named_entries, number, text, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.recorded import Kept
    from pytest_promptgate.core.types import CaseRecord, Json
    from pytest_promptgate.files.lockfile_format import Tree

_ANCHOR = ("cases", "drift", "model", "prompt", "prompt_digest", "reason", "scorers")
_ACCEPTANCE = ("from", "kind", "metric", "reason", "to")


def encode_anchor(anchor: Anchor, *, kept: Kept, baseline: Mapping[str, str], pin: Callable[[ModelPin], Json]) -> Tree:
    """The anchor's entry, every leaf encoded.

    Args:
        anchor: Of the baseline whose entry this stands in.
        kept: As for the baseline's own cases.
        baseline: The lines of the baseline's cases.
        pin: Writes a model.
    """
    lines = {case: encode_case(record, kept) for case, record in anchor.cases.items()}
    return {
        **({} if lines == baseline else {"cases": lines}),
        "drift": {metric: encode(_drift(drift)) for metric, drift in anchor.drift.items()},
        "model": encode(pin(anchor.pin)),
        "prompt": encode(anchor.prompt),
        "prompt_digest": encode(anchor.prompt_digest),
        "reason": encode(anchor.reason),
        "scorers": {scorer: encode(fingerprint) for scorer, fingerprint in anchor.scorers.items()},
    }


def _drift(drift: Drift) -> dict[str, Json]:
    return {"change": float(drift.change), "variance": float(drift.variance)}


def decode_anchor(value: Json, *, cases: Mapping[str, CaseRecord], pin: Callable[[Json], ModelPin]) -> Anchor:
    """An anchor from its entry.

    Args:
        value: The entry.
        cases: The baseline's, which are the anchor's if it has none.
        pin: Reads a model.

    Raises:
        WrongShapeError: It is no such entry.
    """
    entry = known(value, _ANCHOR)
    own = field(entry, "cases", lambda inner: named_entries(inner, decode_case)) if "cases" in entry else cases
    return Anchor(
        prompt=field(entry, "prompt", text),
        prompt_digest=field(entry, "prompt_digest", text),
        pin=field(entry, "model", pin),
        scorers=field(entry, "scorers", lambda inner: entries(inner, text)),
        cases=own,
        reason=field(entry, "reason", text),
        drift=field(entry, "drift", lambda inner: entries(inner, _read_drift)),
    )


def _read_drift(value: Json) -> Drift:
    entry = known(value, ("change", "variance"))
    return Drift(change=field(entry, "change", number), variance=field(entry, "variance", number))


def encode_acceptance(acceptance: Acceptance) -> str:
    """The line of one acceptance."""
    return encode(
        {
            "from": acceptance.before,
            "kind": acceptance.kind,
            "metric": acceptance.metric,
            "reason": acceptance.reason,
            "to": acceptance.after,
        }
    )


def decode_acceptance(value: Json) -> Acceptance:
    """An acceptance from its line; raises WrongShapeError."""
    entry = known(value, _ACCEPTANCE)
    return Acceptance(
        kind=field(entry, "kind", _read_kind),
        metric=field(entry, "metric", text),
        before=field(entry, "from", text),
        after=field(entry, "to", text),
        reason=field(entry, "reason", text),
    )


def _read_kind(value: Json) -> AcceptanceKind:
    if value not in list(AcceptanceKind):
        raise wrong(" or ".join(AcceptanceKind), value)
    return AcceptanceKind(str(value))
