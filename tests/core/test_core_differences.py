"""What differs from the baseline, and what a suite no longer promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import PIN, baseline, given, observations, spec, suite, tolerance

from pytest_promptgate.core.differences import CONTRACT, differences, loosened, loosened_verdict
from pytest_promptgate.core.types import (
    Baseline,
    CaseRecord,
    Differences,
    Message,
    MetricGate,
    ModelPin,
    MustPass,
    Outcome,
    Suite,
    Verdict,
)

NOW = suite(spec(), ["a", "b", "c"])
THEN = baseline(spec(), observations({"a": [1.0], "b": [1.0], "d": [1.0]}))


def test_without_a_baseline_nothing_differs() -> None:
    assert differences(NOW, PIN, None) == Differences()


def test_all_that_differs_is_told() -> None:
    then = replace(
        THEN,
        messages=(
            Message(role="system", content="Route it.\nBe short."),
            Message(role="user", content="{{ message }}"),
        ),
        pin=ModelPin(provider="openai", name="gpt-4o-2024-08-06", parameters={"temperature": 1, "seed": 7}),
        scorers={"queue": "queue-0"},
        cases={**THEN.cases, "b": CaseRecord(id="b", row="another row", request="request", observations=())},
    )

    assert differences(NOW, PIN, then) == Differences(
        prompt="v2 -> v3",
        prompt_diff=(
            "--- support-triage@v2",
            "+++ support-triage@v3",
            "@@ -1,5 +1,4 @@",
            " system:",
            " Route it.",
            "-Be short.",
            " user:",
            " {{ message }}",
        ),
        model="openai/gpt-4o-2024-08-06 -> openai/gpt-4o-2024-11-20",
        parameters=("seed: 7 -> unset", "temperature: 1 -> 0"),
        scorers=("queue",),
        added=("c",),
        removed=("d",),
        passing=("d",),
        edited=("b",),
    )


@pytest.mark.parametrize(
    ("before", "digest", "expected"),
    [
        ("support-triage@v3", "prompt-3", ""),
        ("support-triage@v3", "prompt-2", "support-triage@v3, edited in place"),
        ("triage@v2", "prompt-2", "triage@v2 -> support-triage@v3"),
    ],
)
def test_the_step_of_the_prompt(before: str, digest: str, expected: str) -> None:
    then = replace(THEN, prompt=before, prompt_digest=digest)

    assert differences(NOW, PIN, then).prompt == expected


def promised(gate: MetricGate, *, rule: str = "strict", samples: int = 1, must_pass: tuple[str, ...] = ()) -> Baseline:
    then = baseline(spec(), observations({"a": [1.0]}), gate=gate)
    return replace(then, contract=replace(then.contract, rule=rule, samples=samples, must_pass=must_pass))


def kept(gate: MetricGate) -> Suite:
    return suite(spec(), ["a"], gate=gate)


@pytest.mark.parametrize(
    ("then", "now", "sentences"),
    [
        (promised(MetricGate()), kept(MetricGate()), []),
        (promised(MetricGate(gated=False)), suite(spec(name="other"), ["a"]), []),
        (promised(MetricGate()), suite(spec(name="other"), ["a"]), ["the gate on accuracy is gone"]),
        (promised(MetricGate()), kept(MetricGate(gated=False)), ["accuracy was gated, and is only shown now"]),
        (
            promised(MetricGate()),
            kept(MetricGate(tolerance=tolerance(0.02))),
            ["the tolerance of accuracy was 0, and is 0.02 now"],
        ),
        (
            promised(MetricGate(tolerance=tolerance(0.02))),
            kept(MetricGate(tolerance=tolerance("1%"))),
            ["the tolerance of accuracy was 0.02, and is 1% now"],
        ),
        (promised(MetricGate(tolerance=tolerance("5%"))), kept(MetricGate()), []),
        (promised(MetricGate(floor=0.8)), kept(MetricGate()), ["the floor of accuracy was 0.8, and is gone"]),
        (
            promised(MetricGate(floor=0.8)),
            kept(MetricGate(floor=0.7)),
            ["the floor of accuracy was 0.8, and is 0.7 now"],
        ),
        (promised(MetricGate(floor=0.8)), kept(MetricGate(floor=0.9)), []),
        (
            promised(MetricGate(floor=3)),
            suite(spec(lower=True), ["a"], gate=MetricGate(floor=4)),
            ["the ceiling of accuracy was 3, and is 4 now"],
        ),
        (
            promised(MetricGate(), samples=5),
            kept(MetricGate()),
            ["samples were 5, and are 1 now"],
        ),
        (promised(MetricGate(), rule="confirm"), kept(MetricGate()), []),
        (
            promised(MetricGate()),
            replace(kept(MetricGate()), rule="confirm"),
            ["the rule was strict, and is confirm now"],
        ),
        (
            promised(MetricGate(), must_pass=("a", "b")),
            replace(kept(MetricGate()), must_pass=(MustPass(cases=frozenset({"a"}), scorers=("queue",)),)),
            ["no longer must pass: b"],
        ),
    ],
)
def test_what_was_promised_and_is_no_longer(then: Baseline, now: Suite, sentences: list[str]) -> None:
    assert list(loosened(now, then.contract)) == sentences
    assert list(differences(now, PIN, then).loosened) == sentences


def test_loosened_promises_are_red_in_one_verdict() -> None:
    assert loosened_verdict([]) is None
    assert loosened_verdict(["the gate on accuracy is gone", "no longer must pass: b"]) == Verdict(
        metric=CONTRACT,
        outcome=Outcome.INCOMPARABLE,
        reason="the suite promises less than its baseline: the gate on accuracy is gone; no longer must pass: b",
        gated=True,
        red=True,
        baseline=None,
        current=None,
    )


def test_the_same_suite_differs_in_nothing() -> None:
    world = given({"a": [1.0]}, {"a": [1.0]})
    assert world.baseline is not None
    then = replace(world.baseline, prompt="support-triage@v3", prompt_digest="prompt-3")

    assert differences(world.suite, PIN, then) == Differences()
