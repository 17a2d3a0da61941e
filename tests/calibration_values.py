"""A calibration as a value."""

from __future__ import annotations

from pytest_promptgate.core.calibration import Calibration

CALIBRATION = Calibration(
    rubric="digest",
    labels=100,
    unscored=1,
    agreement=0.9,
    kappa=0.8,
    weighted_kappa=0.8,
    bias=0.1,
    bias_interval=(-0.035, 0.235),
    sensitivity=1.0,
    specificity=0.8,
)
