"""What becomes of a suite's gates for the trust in its judges (GATE §8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.calibration import Opinion, Trust, opinion
from pytest_promptgate.core.rubrics import Rubric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.types import BoundScorer, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """The gated metrics of a suite whose judges are not fully trusted, each with the reason; by the metric's name."""

    shown: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # shown only
    doubted: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # gated, with a warning


def rubric_of(bound: BoundScorer) -> Rubric | None:
    """What a judge of ours judges by; None for any other scorer."""
    found = getattr(bound.scorer, "rubric", None)
    return found if isinstance(found, Rubric) else None


def rubrics_of(suite: Suite) -> dict[str, Rubric]:
    """The rubrics of `suite`, by scorer."""
    found = {bound.name: rubric_of(bound) for bound in suite.scorers}
    return {name: rubric for name, rubric in found.items() if rubric is not None}


def trusted(suite: Suite, known: Iterable[Mapping[str, Calibration]]) -> Trusted:
    """Which gates of `suite` rest on a judge that nobody should rely on.

    Args:
        suite: As it was read.
        known: As for `core.calibration.opinion`.
    """
    calibrations = tuple(known)
    rubrics = rubrics_of(suite)
    opinions = {name: (rubric.path, opinion(rubric, calibrations)) for name, rubric in rubrics.items()}
    by_metric = {
        spec.name: opinions[spec.source]
        for spec in suite.judged
        if spec.source in opinions and suite.gates[spec.name].gated
    }
    return Trusted(
        shown={name: _told(*each) for name, each in by_metric.items() if each[1].trust is Trust.SHOWS},
        doubted={name: _told(*each) for name, each in by_metric.items() if each[1].trust is Trust.WARNS},
    )


def _told(path: str, found: Opinion) -> str:
    return f"the judge of {path} {found.why}"


def without_gates(suite: Suite, shown: Iterable[str]) -> Suite:
    """`suite` with the metrics of `shown` not gated; what its baseline promised is held against that as ever."""
    names = frozenset(shown)
    if not names:
        return suite
    gates = {name: replace(gate, gated=gate.gated and name not in names) for name, gate in suite.gates.items()}
    return replace(suite, gates=gates)
