"""Calibrations of judges in the lockfile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from calibration_values import CALIBRATION
from made_baselines import made_baseline

from pytest_promptgate.core.calibration import Golden
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.lockfile import read_lockfile, save_baselines, save_calibration
from pytest_promptgate.files.lockfile_format import Lockfile, dumps, loads

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
{
  "lockfile_version": 1,
  "prompts": {},
  "rubrics": {
    "a.yaml": {"agreement":0.9,"arm_bias":0.0,"arm_bias_interval":[-0.01,0.01],"bias":0.1,"bias_interval":[-0.035,0.235],\
"kappa":0.8,"labels":100,"rubric":"digest","sensitivity":1.0,"specificity":0.8,"unscored":1,"weighted_kappa":0.8},
    "b.yaml": {"agreement":0.9,"bias":0.1,"bias_interval":[-0.035,0.235],"kappa":0.8,"labels":100,"rubric":"digest",\
"sensitivity":1.0,"specificity":0.8,"unscored":1,"weighted_kappa":0.8}
  },
  "suites": {}
}
"""
BOTH = replace(CALIBRATION, arm_bias=0.0, arm_bias_interval=(-0.01, 0.01))
LOCKFILE = Lockfile(calibrations={"b.yaml": CALIBRATION, "a.yaml": BOTH})


def test_each_rubric_stands_on_one_line_after_the_version() -> None:
    assert dumps(LOCKFILE) == TEXT
    assert loads(TEXT, file="promptgate.lock.json") == LOCKFILE


def test_a_lockfile_without_calibrations_is_as_it_was() -> None:
    assert "rubrics" not in dumps(Lockfile())
    assert loads(dumps(Lockfile()), file="promptgate.lock.json").calibrations == {}


def test_the_golden_set_stands_on_the_same_line() -> None:
    golden = Golden(
        suite="triage",
        labels="labels.csv",
        digest="d",
        people=(1.0, 0.0, 0.5),
        verdicts=(1.0, None, 0.5),
        served=("m-1",),
    )
    lockfile = Lockfile(calibrations={"b.yaml": replace(CALIBRATION, golden=golden)})

    text = dumps(lockfile)

    assert (
        '"golden":{"digest":"d","labels":"labels.csv","people":[1.0,0.0,0.5],"served":["m-1"],"suite":"triage","verdicts":[1.0,null,0.5]}'
        in text
    )
    assert loads(text, file="promptgate.lock.json") == lockfile
    for other, what in {
        "[1.0,true,0.5]": "golden.verdicts[1]: expected a number, found true",
        "[1.0,1.5,0.5]": "golden.verdicts[1]: expected a number from 0 to 1, found 1.5",
        "[1.0,null]": "golden: expected as many verdicts as people's scores, found [2, 3]",
    }.items():
        with pytest.raises(LockfileError) as told:
            loads(text.replace("[1.0,null,0.5]", other), file="promptgate.lock.json")
        assert str(told.value).splitlines()[0] == f"promptgate.lock.json:5: rubrics.b.yaml.{what}"


def test_a_calibration_takes_the_place_of_the_older_one_and_baselines_leave_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "promptgate.lock.json"

    assert save_calibration(path, "b.yaml", BOTH)
    assert save_calibration(path, "b.yaml", CALIBRATION)
    before = path.read_bytes()
    assert not save_calibration(path, "b.yaml", CALIBRATION)
    assert path.read_bytes() == before

    save_baselines(path, [made_baseline()])
    assert read_lockfile(path).calibrations == {"b.yaml": CALIBRATION}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"labels":100', '"labels":-1', "rubrics.b.yaml.labels: expected a whole number from 0, found -1"),
        ("[-0.035,0.235]", "[-0.035]", "rubrics.b.yaml.bias_interval: expected [low, high], found [-0.035]"),
        ('"unscored":1,', "", "rubrics.b.yaml: 'unscored' is missing"),
        (
            '"unscored":1,',
            '"unscored":1,"x":1,',
            "rubrics.b.yaml.x: this version of pytest-promptgate knows no such key",
        ),
        ('"kappa":0.8', '"kappa":NaN', ""),
    ],
)
def test_a_line_that_is_none_is_told_with_its_place(old: str, new: str, what: str) -> None:
    text = dumps(Lockfile(calibrations={"b.yaml": CALIBRATION})).replace(old, new, 1)

    with pytest.raises(LockfileError) as told:
        loads(text, file="promptgate.lock.json")

    if what:
        assert str(told.value) == (
            f"promptgate.lock.json:5: {what}\n"
            "  It is written by pytest --update-baseline and promptgate calibrate. "
            "Take back the committed one: git checkout -- promptgate.lock.json"
        )
