"""What the lockfile holds of judges: how far each agrees with people, by its rubric's path; one line each.

::

    "rubrics": {path: {"agreement", "alpha", "arm_bias", "arm_bias_interval", "bias", "bias_interval", "golden",
                       "kappa", "kappa_interval", "labels", "position_consistency", "rubric", "self_consistency",
                       "sensitivity", "specificity", "unscored", "weighted_kappa", "weighted_kappa_interval"}}
    What does not apply is missing.
    "golden": {"digest", "labels", "people": [score], "served": [name], "suite", "verdicts": [score or null]}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.calibration import Calibration, Golden
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.shapes import count, entries, field, items, known, number, optional, text, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.types import Json


def encode_calibrations(calibrations: Mapping[str, Calibration]) -> dict[str, str]:
    """One line per rubric."""
    return {path: encode(_plain(each)) for path, each in calibrations.items()}


def _plain(calibration: Calibration) -> dict[str, Json]:
    return {name: value for name, value in asdict(calibration).items() if value is not None}


def decode_calibrations(value: Json) -> dict[str, Calibration]:
    """Calibrations by the rubric's path.

    Raises:
        WrongShapeError: It holds no such lines.
    """
    return entries(value, _read)


def _interval(value: Json) -> tuple[float, float]:
    found = items(value, number)
    if len(found) != 2:
        raise wrong("[low, high]", value)
    return found[0], found[1]


def _score(value: Json) -> float:
    found = number(value)
    if not 0 <= found <= 1:
        raise wrong("a number from 0 to 1", value)
    return found


def _golden(value: Json) -> Golden:
    entry = known(value, ("suite", "labels", "digest", "people", "verdicts", "served"))
    golden = Golden(
        suite=field(entry, "suite", text),
        labels=field(entry, "labels", text),
        digest=field(entry, "digest", text),
        people=field(entry, "people", lambda each: items(each, _score)),
        verdicts=field(entry, "verdicts", lambda each: items(each, optional(_score))),
        served=field(entry, "served", lambda each: items(each, text)),
    )
    if len(golden.people) != len(golden.verdicts):
        raise wrong("as many verdicts as people's scores", [len(golden.verdicts), len(golden.people)])
    return golden


_NEEDED: Mapping[str, Callable[[Json], Any]] = {
    "rubric": text,
    "labels": count,
    "unscored": count,
    **dict.fromkeys(("agreement", "kappa", "weighted_kappa", "bias"), number),
    "bias_interval": _interval,
}
_OPTIONAL: Mapping[str, Callable[[Json], Any]] = {
    **dict.fromkeys(("sensitivity", "specificity", "alpha", "position_consistency", "self_consistency"), number),
    "arm_bias": number,
    **dict.fromkeys(("arm_bias_interval", "kappa_interval", "weighted_kappa_interval"), _interval),
    "golden": _golden,
}


def _read(value: Json) -> Calibration:
    entry = known(value, (*_NEEDED, *_OPTIONAL))
    found: dict[str, Any] = {name: field(entry, name, read) for name, read in _NEEDED.items()}
    found |= {name: field(entry, name, read) if name in entry else None for name, read in _OPTIONAL.items()}
    return Calibration(**found)
