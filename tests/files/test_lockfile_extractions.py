"""A failed extraction stays one in the lockfile, so that an unchanged suite still counts it."""

from __future__ import annotations

import json

import pytest
from made_baselines import made_case

from pytest_promptgate.core.recorded import Kept
from pytest_promptgate.core.types import Score
from pytest_promptgate.files.lockfile_cases import decode_case, encode_case
from pytest_promptgate.files.shapes import WrongShapeError

LOST = Score(value=0.0, reason="extraction failed: no code block", labels=("(not extracted)", "tech"), unextracted=True)


@pytest.mark.parametrize(
    ("labels", "written", "read"),
    [
        (frozenset[str](), {"unextracted": 0.0}, Score(value=0.0, unextracted=True)),
        (
            frozenset({"queue"}),
            {"unextracted": [0.0, "(not extracted)", "tech"]},
            Score(value=0.0, labels=("(not extracted)", "tech"), unextracted=True),
        ),
    ],
)
def test_a_failed_extraction_reads_back(labels: frozenset[str], written: object, read: Score) -> None:
    line = json.loads(encode_case(made_case("t-001", {"queue": LOST}), Kept(labels=labels, latency=False)))
    assert line["samples"][0]["scores"] == {"queue": written}
    assert decode_case("t-001", line).observations[0].grades == {"queue": read}


@pytest.mark.parametrize("value", [None, "0", [0.0], True])
def test_what_is_no_such_grade_is_told(value: object) -> None:
    line = json.loads(encode_case(made_case("t-001", {"queue": LOST}), Kept(labels=frozenset(), latency=False)))
    line["samples"][0]["scores"]["queue"] = {"unextracted": value}
    with pytest.raises(WrongShapeError, match="unextracted"):
        decode_case("t-001", line)
