from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.calibration import Golden
from pytest_promptgate.core.drift import drift_of
from pytest_promptgate.core.types import Score, Unscored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.drift import Drift


def drift(
    then: Sequence[float | None],
    now: Sequence[float | None],
    people: Sequence[float] | None = None,
    *,
    served: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> Drift:
    truth = people if people is not None else [each or 0.0 for each in then]
    golden = Golden(
        suite="triage", labels="labels.csv", digest="d", people=tuple(truth), verdicts=tuple(then), served=served[0]
    )
    grades = [Unscored(reason="?") if each is None else Score(value=each) for each in now]
    return drift_of(golden, grades, served=served[1])


def test_the_same_verdicts_are_no_drift() -> None:
    found = drift([1.0, 0.0] * 20, [1.0, 0.0] * 20)

    assert not found.drifted
    assert str(found) == (
        "no drift (at 0.005 each): 0 of 40 golden verdicts changed, mean score 0.500 -> 0.500 (p 1), "
        "nearness to people 1.000 -> 1.000 (p 1)"
    )


@pytest.mark.parametrize(("changed", "p", "drifts"), [(8, 2 / 2**8, False), (9, 2 / 2**9, True)])
def test_scores_that_all_go_one_way_are_drift(changed: int, p: float, drifts: bool) -> None:
    # People say a half of everything: all scores are as near to them as ever, so the first test alone can tell.
    found = drift([0.0] * 40, [1.0] * changed + [0.0] * (40 - changed), [0.5] * 40)

    assert found.p_shift == pytest.approx(p)
    assert (found.p_near, found.drifted) == (1.0, drifts)
    assert (found.flipped, found.before, found.now) == (changed, 0.0, changed / 40)


def test_verdicts_that_leave_people_in_both_directions_are_drift() -> None:
    then = [0.0, 1.0] * 20
    found = drift(then, [1 - each for each in then[:8]] + then[8:])

    assert found.p_shift == 1.0
    assert found.p_near == pytest.approx(1 / 2**8)
    assert (found.near_before, found.near_now) == (1.0, 0.8)
    assert found.drifted


def test_a_judge_that_wavers_has_not_drifted() -> None:
    then = [0.0, 1.0] * 20
    people = [1 - each for each in then[:8]] + then[8:16] + then[16:]
    now = [1 - each for each in then[:16]] + then[16:]  # eight nearer to people, eight farther

    found = drift(then, now, people)

    assert (found.flipped, found.drifted) == (16, False)


def test_verdicts_that_are_no_longer_given_count_against_the_judge() -> None:
    found = drift([1.0] * 40, [None] * 8 + [1.0] * 32)

    assert (found.flipped, found.p_shift) == (8, 1.0)
    assert found.p_near == pytest.approx(1 / 2**8)
    assert found.drifted
    assert drift([1.0] * 40, [None] * 40).drifted


def test_an_answer_that_never_had_a_verdict_is_compared_with_nothing() -> None:
    assert not drift([None] * 9 + [1.0] * 31, [None] * 9 + [1.0] * 31).drifted


@pytest.mark.parametrize(
    ("then", "now", "moved"),
    [
        (("a-1",), ("a-1",), ""),
        ((), ("a-1",), ""),
        (("a-1",), (), ""),
        (("a-1",), ("a-1", "b-2"), "answered by a-1, b-2, at its calibration by a-1"),
    ],
)
def test_another_served_model_is_drift(then: tuple[str, ...], now: tuple[str, ...], moved: str) -> None:
    found = drift([1.0], [1.0], served=(then, now))

    assert (found.moved, found.drifted) == (moved, bool(moved))
    assert str(found).endswith(f", {moved}" if moved else "(p 1)")
