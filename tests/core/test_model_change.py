"""``--prompt-model SUITE=PIN`` as it is written."""

from __future__ import annotations

import pytest

from pytest_promptgate.core.model_change import ModelChange, parse_model_changes


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("triage=gpt-4.1-2025-04-14", ModelChange(suite="triage", model="gpt-4.1-2025-04-14")),
        (" a b = openai/x ", ModelChange(suite="a b", model="openai/x")),
        ("triage[fast]=ollama/a@sha256:0=1", ModelChange(suite="triage", slot="fast", model="ollama/a@sha256:0=1")),
    ],
)
def test_a_change_names_suite_slot_and_model(text: str, change: ModelChange) -> None:
    assert parse_model_changes([text]) == (change,)


@pytest.mark.parametrize("text", ["triage", "=x", "triage=", "triage[]=x", "triage=a b", ""])
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it SUITE=PROVIDER/MODEL, or SUITE") as caught:
        parse_model_changes([text])

    assert str(caught.value) == f"{text!r}: write it SUITE=PROVIDER/MODEL, or SUITE[SLOT]=PROVIDER/MODEL"


def test_two_models_for_one_slot_are_refused() -> None:
    with pytest.raises(ValueError, match="drop one") as caught:
        parse_model_changes(["triage[a]=x", "triage[b]=x", "triage[a]=y"])

    assert str(caught.value) == "'triage[a]=y': triage[a]=x is given too: drop one of the two"
