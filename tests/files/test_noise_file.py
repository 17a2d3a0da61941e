"""``.promptgate/noise.json``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_promptgate.core.noise import Noise, Source
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.noise import read_noise, write_noise

NOISE = Noise(
    flip_rate=0.155, spread=0.394, binary=True, source=Source.MEASURED, level=0.8, about="triage@v3, 100 cases"
)


def test_what_was_measured_is_read_again_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "own" / "noise.json"
    write_noise(path, "triage", "large", {"accuracy": ("k1", NOISE), "f1": ("k2", NOISE)})
    write_noise(path, "triage", "small", {"accuracy": ("k3", NOISE)})
    write_noise(path, "triage", "large", {"accuracy": ("k4", NOISE)})

    assert read_noise(path, "triage", "large") == {"accuracy": ("k4", NOISE)}
    assert read_noise(path, "triage", "small") == {"accuracy": ("k3", NOISE)}
    assert read_noise(path, "other", "small") == {}
    assert (path.parent / ".gitignore").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"triage": []}', '{"triage": {"default": 3}}'])
def test_a_damaged_file_tells_nothing_and_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "noise.json"
    path.write_text(text)

    assert read_noise(path, "triage", "default") == {}
    write_noise(path, "triage", "default", {"accuracy": ("k", NOISE)})
    assert read_noise(path, "triage", "default") == {"accuracy": ("k", NOISE)}


@pytest.mark.parametrize(
    "change",
    [
        *({"flip_rate": 1.5}, {"flip_rate": "x"}, {"spread": -1}, {"spread": float("nan")}, {"spread": float("inf")}),
        *({"binary": 1}, {"of": 3}, {"about": None}, {"level": float("nan")}, {"level": []}),
    ],
)
def test_an_entry_that_makes_no_sense_is_left_out(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "noise.json"
    write_noise(path, "triage", "default", {"accuracy": ("k", NOISE), "f1": ("k", NOISE)})
    value = json.loads(path.read_text())
    value["triage"]["default"]["f1"].update(change)
    path.write_text(json.dumps(value))

    assert read_noise(path, "triage", "default") == {"accuracy": ("k", NOISE)}


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "noise.json"
    path.mkdir()

    with pytest.raises(LockfileError) as caught:
        write_noise(path, "triage", "default", {"accuracy": ("k", NOISE)})

    assert str(caught.value) == (
        "noise.json: it cannot be written: Is a directory\n"
        "  The old content was kept. Mend the cause and run the command again: stored answers cost nothing."
    )
