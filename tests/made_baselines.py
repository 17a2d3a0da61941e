"""Baselines for tests, built from a few facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.types import (
    Baseline,
    CaseRecord,
    Completion,
    Contract,
    Grade,
    Json,
    Message,
    MetricGate,
    ModelPin,
    Observation,
    PromptInput,
    PromptVersion,
    Recipe,
    Score,
    Tolerance,
)

PIN = ModelPin(provider="openai", name="gpt-4o-2024-11-20", parameters={"temperature": 0})


def made_contract(**changes: Any) -> Contract:
    facts: dict[str, Any] = {
        "path": "evals/triage.eval.yaml",
        "rule": "strict",
        "samples": 1,
        "metrics": {"accuracy": "mean(queue)"},
        "gates": {"accuracy": MetricGate(tolerance=Tolerance(amount=0.05, relative=True))},
        "must_pass": (),
    }
    return Contract(**{**facts, **changes})


def made_case(case: str, *samples: Mapping[str, Grade], row: str = "r1", texts: Sequence[str] = ()) -> CaseRecord:
    """A case with one observation per mapping of grades; `texts` are its answers, default "billing"."""
    return CaseRecord(
        id=case,
        row=row,
        request=f"request-of-{case}",
        observations=tuple(
            Observation(
                case=case,
                sample=number,
                grades=grades,
                tokens_in=12,
                tokens_out=3,
                tokens_cached=None,
                output=output_digest(Completion(text=texts[number - 1] if texts else "billing")),
            )
            for number, grades in enumerate(samples, 1)
        ),
    )


def made_recipe(*, label: str = "support-triage@v3", digest: str = "d3", constants: Mapping[str, Json] = {}) -> Recipe:
    name, version = label.split("@")
    prompt = PromptVersion(
        name=name,
        version=version,
        messages=(Message(role="system", content="You are {{ who }}."), Message(role="user", content="{{ message }}")),
        pin=PIN,
        parameters={"max_output_tokens": 16},
        inputs=(PromptInput(name="message"), PromptInput(name="who", required=False, default="Ann")),
        tools=({"type": "function", "function": {"name": "find"}},),
        response_format={"type": "json_object"},
        digest=digest,
    )
    return Recipe(prompt=prompt, inputs={"message": "text"}, constants=constants)


def made_baseline(
    cases: Sequence[CaseRecord] = (), *, suite: str = "triage", slot: str = "default", **changes: Any
) -> Baseline:
    records = cases or (
        made_case("t-001", {"queue": Score(value=1.0)}),
        made_case("t-002", {"queue": Score(value=0.0)}),
    )
    facts: dict[str, Any] = {
        "prompt": "support-triage@v3",
        "prompt_digest": "d3",
        "pin": PIN,
        "scorers": {"queue": "fingerprint-of-queue"},
        "contract": made_contract(),
    }
    return Baseline(suite=suite, slot=slot, cases={each.id: each for each in records}, **{**facts, **changes})
