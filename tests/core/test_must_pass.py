"""The warning that luck alone fails cases which must pass."""

from __future__ import annotations

from dataclasses import replace

from gate_world import spec, suite

from pytest_promptgate.core.must_pass import luck_notes
from pytest_promptgate.core.types import MustPass, Suite

TAIL = "in which nothing changed. Keep must_pass for what cannot vary; a floor or the gate tells luck from loss"


def strict_on(count: int, *, samples: int = 1) -> Suite:
    names = [f"t-{number}" for number in range(30)]
    rule = MustPass(cases=frozenset(names[:count]), scorers=("queue",))
    return replace(suite(spec(), names, samples=samples), must_pass=(rule, rule) if count else ())


def test_twenty_cases_that_must_pass_fail_18_percent_of_the_runs_by_luck() -> None:
    told = f"20 cases must pass: if each answer is right 99% of the time, 18% of the runs fail {TAIL}"

    assert luck_notes(strict_on(20), kind="openai") == (told,)


def test_every_sample_has_to_pass() -> None:
    told = (
        f"2 cases with 5 answers each must pass: if each answer is right 99% of the time, 10% of the runs fail {TAIL}"
    )

    assert luck_notes(strict_on(2, samples=5), kind="openai") == (told,)


def test_up_to_five_answers_and_models_that_cannot_be_lucky_need_no_warning() -> None:
    assert luck_notes(strict_on(0), kind="openai") == luck_notes(strict_on(5), kind="openai") == ()
    assert luck_notes(strict_on(30), kind="embedded") == ()
    assert luck_notes(strict_on(6), kind="openai") != ()
