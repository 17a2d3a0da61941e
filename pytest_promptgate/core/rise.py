"""When the anchor moves up: after a rise that is no luck, and to fresh answers (GATE §6).

The answers that showed the rise were chosen for being high, so they would hold every later change to their luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import anchor_of, arms_since
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.decision import is_better

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_promptgate.core.anchor import Side
    from pytest_promptgate.core.types import Baseline, CaseRecord, PromptVersion, Suite

RISE_ALPHA = 0.01  # at which a rise moves the anchor up
STORED_SAMPLES = 15  # of each case of a new anchor, where stored samples decide: fewer are too often lucky


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """What moves the anchor up."""

    metrics: frozenset[str] = frozenset()  # whose anchor moves; empty: it stays
    cases: Mapping[str, CaseRecord] | None = None  # fresh answers it moves to; None: the run's, which cannot be lucky


def risen(suite: Suite, old: Baseline, now: Side) -> frozenset[str]:
    """The metrics and gated slices that are above the anchor of `old` by more than luck.

    Args:
        suite: That `now` measured.
        old: The baseline, with its anchor.
        now: A run.
    """
    arms = {spec.name: arms_since(spec, anchor_of(old), now) for spec in suite.judged}
    return frozenset(name for name, each in arms.items() if each is not None and is_better(each, alpha=RISE_ALPHA))


def borne_out(suite: Suite, names: Collection[str], old: Baseline, fresh: Side) -> frozenset[str]:
    """Those of `names` that are above the anchor in fresh answers too: an anchor does not move down."""
    arms = {spec.name: arms_since(spec, anchor_of(old), fresh) for spec in suite.judged if spec.name in names}
    return frozenset(name for name, each in arms.items() if each is not None and each.gain > EPSILON)


def anchors_itself(old: Baseline, prompt: PromptVersion, pin: str) -> bool:
    """Whether the anchor was measured with this very prompt and model: what is above it then is luck."""
    anchor = anchor_of(old)
    return (anchor.prompt_digest, str(anchor.pin)) == (prompt.digest, pin)


def anchor_samples(suite: Suite) -> int:
    """Fresh answers per case that a new anchor takes."""
    return max(suite.samples, STORED_SAMPLES) if suite.rule in ("significant", "non_inferior") else suite.samples
