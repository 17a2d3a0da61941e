"""Every vector of the gate's statistics reproduces, and the script that runs such files tells what does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gate_vectors
import pytest

FILE = Path(__file__).parent / "gate_vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]


def test_there_are_104_vectors() -> None:
    assert len(VECTORS) == 104


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['id']}-{vector['fn']}")
def test_a_vector_reproduces_within_its_tolerance(vector: dict[str, Any]) -> None:
    assert gate_vectors.mismatch(vector) == ""


def script(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, gate_vectors.__file__, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script_says_that_all_agree() -> None:
    found = script(FILE)

    assert (found.returncode, found.stdout, found.stderr) == (0, "104 vectors, 0 mismatches\n", "")


def test_the_script_prints_each_mismatch_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    vectors = [
        {"id": "a", "fn": "mcnemar_exact", "input": {"worse": 1, "better": 0}, "expected": 0.25, "tol": 1e-9},
        {"id": "b", "fn": "holm", "input": {"p": [0.5]}, "expected": [0.5], "tol": 0},
        {"id": "c", "fn": "wilson", "input": {"k": 0, "n": 0, "conf": 0.95}, "expected": [0, 1], "tol": 0},
    ]
    path.write_text(json.dumps({"vectors": vectors}), encoding="utf-8")

    found = script(path)

    assert found.returncode == 1
    assert found.stdout == (
        "a mcnemar_exact: expected 0.25, got 0.5\n"
        "c wilson: ValueError: an interval of a share needs at least one trial\n"
        "3 vectors, 2 mismatches\n"
    )


def test_an_unknown_function_is_a_mismatch() -> None:
    told = gate_vectors.mismatch({"id": "x", "fn": "magic", "input": {}, "expected": 1})

    assert told.startswith("x magic: there is no such function; known are bh, broken_case_test, ")
