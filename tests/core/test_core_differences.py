"""What differs from the baseline, and what a suite no longer promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import PIN, baseline, given, observations, spec, suite, tolerance

from pytest_promptgate.core.differences import differences
from pytest_promptgate.core.promises import CONTRACT, loosened, loosened_verdict, lost_verdict, promises
from pytest_promptgate.core.types import (
    Baseline,
    CaseRecord,
    Differences,
    Direction,
    GatePolicy,
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


def lower(then: Baseline) -> Baseline:
    return replace(then, contract=replace(then.contract, directions={"accuracy": Direction.LOWER}))


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
            lower(promised(MetricGate(floor=3))),
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
        (
            promised(MetricGate()),
            suite(spec(lower=True), ["a"]),
            ["accuracy was better when higher, and is better when lower now"],
        ),
        (lower(promised(MetricGate())), suite(spec(lower=True), ["a"]), []),
        (
            promised(MetricGate(), must_pass=("a", "b")),
            replace(
                kept(MetricGate()),
                must_pass=(MustPass(cases=frozenset({"a", "b"}), scorers=("queue",), pass_at=0.5),),
            ),
            ["a, b had to reach 1 in queue, and 0.5 now"],
        ),
        (
            replace(promised(MetricGate(), must_pass=("a",)), scorers={"queue": "queue-1", "tone": "tone-1"}),
            replace(kept(MetricGate()), must_pass=(MustPass(cases=frozenset({"a"}), scorers=("queue",)),)),
            ["a need not pass tone any more"],
        ),
        (
            promised(MetricGate(), rule="confirm"),
            replace(
                kept(MetricGate()),
                rule="confirm",
                policy=GatePolicy(alpha=0.01, confirm_samples=3, confirm_max_calls=5, max_drop=None),
            ),
            [
                "alpha was 0.05, and is 0.01 now",
                "confirm_samples were 8, and are 3 now",
                "confirm_max_calls were 48, and are 5 now",
                "max_drop was 0.1, and is gone",
            ],
        ),
        (
            promised(MetricGate(), rule="confirm"),
            replace(kept(MetricGate()), rule="confirm", policy=GatePolicy(max_drop=0.2, confirm_max_calls=48)),
            ["max_drop was 0.1, and is 0.2 now"],
        ),
        (
            promised(MetricGate(), rule="significant"),
            replace(kept(MetricGate()), rule="significant", policy=GatePolicy(early_stop="e", first_round=True)),
            [
                "first_round was off, and is on now",
                "early_stop was off, and is e now, which leaves the closing test less of alpha",
            ],
        ),
    ],
)
def test_what_was_promised_and_is_no_longer(then: Baseline, now: Suite, sentences: list[str]) -> None:
    assert list(loosened(now, then)) == sentences
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


def test_cases_that_are_gone_are_red_whatever_they_scored() -> None:
    then = baseline(spec(), observations({"a": [1.0], "b": [1.0], "d": [1.0], "e": [0.5]}))

    (found,) = promises(suite(spec(), ["a", "b", "c"]), then)

    assert (found.metric, found.outcome, found.red) == ("(dataset)", Outcome.INCONCLUSIVE, True)
    assert found.reason == (
        "the dataset has changed: 2 recorded cases are gone: d, e (used to pass: d); "
        "2 of 4 are gone or edited, more than 10 %"
    )


def test_a_tenth_of_the_cases_may_be_edited() -> None:
    names = [f"t-{number}" for number in range(10)]
    then = baseline(spec(), observations({name: [1.0] for name in names}))
    edited = {**then.cases, "t-0": replace(then.cases["t-0"], row="another")}

    assert lost_verdict(suite(spec(), names), replace(then, cases=edited)) is None
    edited["t-1"] = replace(edited["t-1"], row="another")
    found = lost_verdict(suite(spec(), names), replace(then, cases=edited))
    assert found is not None
    assert found.reason == "the dataset has changed: 2 of 10 are gone or edited, more than 10 %"


def test_without_a_baseline_nothing_was_promised() -> None:
    assert promises(NOW, None) == ()


def test_the_same_suite_differs_in_nothing() -> None:
    world = given({"a": [1.0]}, {"a": [1.0]})
    assert world.baseline is not None
    then = replace(world.baseline, prompt="support-triage@v3", prompt_digest="prompt-3")

    assert differences(world.suite, PIN, then) == Differences()
