"""Ordinary tests live beside the evals: plain `pytest` runs these alone."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROMPTS = sorted((ROOT / "prompts").rglob("*.prompty"))


def messages(name):
    lines = (ROOT / "datasets" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("dataset", ["support.jsonl", "orders.jsonl"])
def test_no_prompt_gives_away_a_case(path, dataset):
    prompt = path.read_text(encoding="utf-8")

    assert [message for message in messages(dataset) if message in prompt] == []


@pytest.mark.parametrize("dataset", ["support.jsonl", "orders.jsonl"])
def test_no_message_stands_in_a_dataset_twice(dataset):
    found = messages(dataset)

    assert len(set(found)) == len(found) >= 60
