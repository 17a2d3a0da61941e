"""The limiter as a state machine: no clock, no sleeping, hours of traffic in milliseconds."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from loopback.simulation import ask_all, at_most, at_random, bucket, simulate

from pytest_promptgate.models.limiter import Limiter
from pytest_promptgate.models.pacing import Hints, Spacing
from pytest_promptgate.models.retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable


def clean_round(limiter: Limiter, now: float) -> None:
    """As many as may start, all answered after a fifth of a second."""
    tickets = []
    while limiter.wait(now) == 0.0:
        tickets.append(limiter.start(now))
    for ticket in tickets:
        limiter.accepted(ticket, now + 0.2, 0.2)


def test_it_starts_where_it_is_told_and_never_above_the_cap() -> None:
    assert [Limiter(most=64).limit, Limiter(most=8).limit, Limiter(most=64, start=50).limit] == [20, 8, 50]


def test_the_limit_doubles_for_every_clean_round_up_to_the_cap() -> None:
    limiter = Limiter(most=100)
    seen = []
    for turn in range(6):
        clean_round(limiter, turn * 0.2)
        seen.append(limiter.limit)
    assert seen == [40, 80, 100, 100, 100, 100]


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    limiter = Limiter(most=100)
    for turn in range(200):
        ticket = limiter.start(turn * 1.0)
        limiter.accepted(ticket, turn + 0.2, 0.2)
    assert limiter.limit == 20


def test_nothing_starts_above_the_limit_until_something_ends() -> None:
    limiter = Limiter(most=2)
    first = limiter.start(0.0)
    assert limiter.wait(0.0) == 0.0
    limiter.start(0.0)
    assert math.isinf(limiter.wait(0.0))
    limiter.failed(first, 0.1)
    assert limiter.wait(0.1) == 0.0


def test_one_episode_is_one_cut() -> None:
    limiter = Limiter(most=64)
    tickets = [limiter.start(0.0) for _ in range(20)]
    for ticket in tickets:
        limiter.refused(ticket, 0.1)
    assert 5 <= limiter.limit <= 7  # once to about a quarter, however many were refused


def test_retry_after_holds_back_every_start() -> None:
    limiter = Limiter(most=64)
    limiter.refused(limiter.start(0.0), 0.1, 3.0)
    assert limiter.wait(0.1) == 3.0
    assert limiter.wait(3.0) == pytest.approx(0.1)
    assert limiter.wait(3.1) == 0.0


def test_a_very_long_retry_after_does_not_freeze_the_account() -> None:
    limiter = Limiter(most=64)
    limiter.refused(limiter.start(0.0), 0.0, 86_400.0)
    assert limiter.wait(0.0) == 60.0


def test_a_pause_ends_when_most_later_requests_are_answered() -> None:
    limiter = Limiter(most=64)
    tickets = [limiter.start(0.0) for _ in range(5)]
    limiter.refused(tickets[0], 0.1, 30.0)
    limiter.accepted(tickets[1], 0.2, 0.2)
    assert limiter.wait(0.2) == 0.0
    limiter.refused(tickets[2], 0.2, 30.0)
    assert limiter.wait(0.2) == 30.0


def test_requests_per_minute_are_kept_in_every_minute() -> None:
    traffic = simulate(Limiter(most=64, requests_per_minute=120), at_random(0.0), seconds=300)
    starts = traffic.starts
    assert max(sum(begin <= at < begin + 60 for at in starts) for begin in starts) <= 121
    assert traffic.answered(0, 300) >= 0.99 * 2 * 300


def test_tokens_per_minute_are_a_debt_that_the_next_request_waits_for() -> None:
    limiter = Limiter(most=64, tokens_per_minute=6000)
    limiter.start(0.0, tokens=50.0)
    assert limiter.wait(0.0) == 0.5
    limiter.allowance.correct_tokens(150.0)
    assert limiter.wait(0.0) == 2.0


def test_hints_of_little_that_remains_space_the_starts() -> None:
    limiter = Limiter(most=64)
    limiter.start(0.0)
    limiter.allowance.hint(0.0, Hints(remaining=2, reset_s=9.8, limit=100), tokens=False, under_way=limiter.under_way)
    assert limiter.wait(0.0) == 0.0
    limiter.start(0.0)
    assert limiter.wait(0.0) == pytest.approx(0.1 / 0.99 - 0.05, abs=0.06)
    limiter.allowance.hint(0.0, Hints(remaining=90, reset_s=1.0, limit=100), tokens=False, under_way=limiter.under_way)
    assert limiter.wait(0.0) == 0.0


def test_hints_of_few_tokens_that_remain_space_the_starts_by_their_tokens() -> None:
    limiter = Limiter(most=64)
    limiter.start(0.0, tokens=500.0)
    limiter.allowance.hint(
        0.0, Hints(remaining=900, reset_s=9.9, limit=10_801), tokens=True, under_way=limiter.under_way
    )
    limiter.start(0.0, tokens=500.0)
    assert limiter.wait(0.0) == pytest.approx(0.5 / 0.99 - 0.05, abs=0.06)
    limiter.allowance.hint(
        0.0, Hints(remaining=9_000, reset_s=1.8, limit=10_800), tokens=True, under_way=limiter.under_way
    )
    assert limiter.wait(0.0) == 0.0


@pytest.mark.parametrize("latency", [0.02, 0.2, 0.5])
@pytest.mark.parametrize(("rate", "burst"), [(50.0, 10.0), (50.0, 50.0), (50.0, 500.0), (100.0, 100.0)])
def test_a_token_bucket_is_used_to_the_full_and_hardly_ever_overrun(rate: float, burst: float, latency: float) -> None:
    traffic = simulate(Limiter(most=64), bucket(rate, burst), seconds=120, latency=lambda *_: latency)
    assert traffic.answered(20, 120) / (100 * rate) >= 0.95
    assert traffic.refused_share(20, 120) < 0.02


@pytest.mark.parametrize(
    ("rate", "burst", "latency", "retry_after"),
    [
        pytest.param(50.0, 10.0, 0.02, math.ceil, id="whole seconds of Retry-After, bucket of a fifth of a second"),
        pytest.param(50.0, 50.0, 0.5, lambda _: math.nan, id="no Retry-After, slow answers"),
        pytest.param(20.0, 20.0, 0.5, lambda _: math.nan, id="no Retry-After, slow answers, low rate"),
        pytest.param(100.0, 1000.0, 0.05, lambda _: math.nan, id="a large bucket that hides the rate for long"),
        pytest.param(200.0, 20.0, 0.02, math.ceil, id="whole seconds of Retry-After, high rate"),
        pytest.param(50.0, 1.0, 0.02, math.ceil, id="whole seconds of Retry-After, no burst at all"),
        pytest.param(5.0, 5.0, 0.2, math.ceil, id="small key"),
        pytest.param(2.0, 2.0, 0.02, lambda _: math.nan, id="smaller key"),
    ],
)
def test_its_rate_is_found_however_little_the_provider_says(
    rate: float, burst: float, latency: float, retry_after: Callable[[float], float]
) -> None:
    provider = bucket(rate, burst, retry_after=retry_after)
    traffic = simulate(Limiter(most=256), provider, seconds=240, latency=lambda *_: latency)
    assert traffic.answered(40, 240) / (200 * rate) >= 0.95
    assert traffic.refused_share(40, 240) < 0.02


def test_one_request_a_second_is_served() -> None:
    traffic = simulate(Limiter(most=64), bucket(1.0, 1.0, retry_after=math.ceil), seconds=600)
    assert traffic.answered(100, 600) / 500 >= 0.9
    assert traffic.refused_share(100, 600) < 0.02


@pytest.mark.parametrize("places", [1, 5, 30])
def test_a_provider_with_few_places_that_asks_for_long_waits_is_kept_busy(places: int) -> None:
    traffic = simulate(Limiter(most=64), at_most(places, retry_after=5.0), seconds=120)
    assert traffic.answered(20, 120) / (100 * places / 0.2) >= 0.9
    assert traffic.refused_share(20, 120) < 0.05


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("retry_after", [2.0, math.nan])
def test_refusals_by_chance_do_not_slow_it_down(share: float, retry_after: float) -> None:
    traffic = simulate(Limiter(most=64), at_random(share, retry_after=retry_after, seed=4), seconds=20)
    possible = 64 * (1 - share) / (0.2 * (1 - share) + 0.04 * share)
    assert traffic.answered(5, 20) / (15 * possible) >= 0.85


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("retry_after", [2.0, math.nan])
def test_refusals_by_chance_lose_nothing_and_cost_little_time(seed: int, retry_after: float) -> None:
    ideal = 1000 * 0.2 / 50
    for share, longest in ((0.05, 3.0), (0.4, 5.0), (0.6, 20.0)):
        provider = at_random(share, retry_after=retry_after, seed=seed)
        end = ask_all(1000, Limiter(most=50), provider, RetryPolicy(), seed=seed)
        assert (end.answered, end.given_up) == (1000, 0)
        assert end.seconds <= longest * ideal, share


def test_at_two_refusals_of_five_it_usually_takes_at_most_three_and_a_half_times_the_ideal() -> None:
    ideal = 1000 * 0.2 / 50
    ends = [
        ask_all(1000, Limiter(most=50), at_random(0.4, retry_after=2.0, seed=seed), RetryPolicy(), seed=seed)
        for seed in range(20)
    ]
    assert sorted(each.seconds for each in ends)[17] <= 3.5 * ideal


def test_what_was_taken_for_chance_is_looked_at_again() -> None:
    at_first, later = at_random(0.4, retry_after=2.0, seed=1), bucket(50.0, 50.0)
    limiter = Limiter(most=64)
    traffic = simulate(limiter, lambda now, n: (at_first if now < 10 else later)(now, n), seconds=200)
    assert traffic.answered(60, 200) / (140 * 50) >= 0.95
    assert traffic.refused_share(60, 200) < 0.02


@pytest.mark.parametrize("places", [1, 5, 30])
def test_a_provider_with_few_places_is_found_and_kept_busy(places: int) -> None:
    traffic = simulate(Limiter(most=64), at_most(places), seconds=120)
    assert traffic.answered(20, 120) / (100 * places / 0.2) >= 0.9
    assert traffic.refused_share(20, 120) < 0.05


def test_it_comes_back_when_the_provider_does() -> None:
    full, poor = at_random(0.0), bucket(5.0, 5.0)
    limiter = Limiter(most=64)
    traffic = simulate(limiter, lambda now, n: poor(now, n) if 20 <= now < 60 else full(now, n), seconds=240)
    assert traffic.answered(30, 60) <= 5.0 * 30 + 15
    assert traffic.answered(200, 240) / 40 >= 0.8 * 64 / 0.2


def test_it_never_freezes_while_a_provider_refuses_everything() -> None:
    traffic = simulate(Limiter(most=64), lambda now, _: 600.0 if now < 1000 else None, seconds=1300)
    assert traffic.answered(1100, 1300) > 100
    assert len(traffic.refusals) < 200


def test_a_provider_that_only_gets_slower_is_given_less() -> None:
    limiter = Limiter(most=256)
    traffic = simulate(
        limiter,
        at_random(0.0),
        seconds=60,
        latency=lambda _, under_way: 0.1 if under_way < 40 else 0.1 * (under_way / 40) ** 3,
    )
    assert traffic.limits[-1][1] < 256


@pytest.mark.parametrize("most", [1, 2, 8])
def test_slow_answers_one_after_the_other_do_not_end_it(most: int) -> None:
    limiter, now = Limiter(most=most), 0.0
    for latency in [0.001] * 30 + [0.1] * 60 + [0.001] * 30:
        now += limiter.wait(now)
        ticket = limiter.start(now)
        now += latency
        limiter.accepted(ticket, now, latency)
    assert limiter.under_way == 0
    assert now < 10


@pytest.mark.parametrize("seed", range(20))
def test_books_balance_whatever_comes_back(seed: int) -> None:
    draw = random.Random(seed)
    most = (1, 2, 8, 32)[seed % 4]
    limiter, now, open_tickets = Limiter(most=most), 0.0, list[int]()
    for _ in range(3000):
        now += draw.uniform(0.0, 0.02)
        if limiter.wait(now) == 0.0 and draw.random() < 0.7:
            open_tickets.append(limiter.start(now))
        elif open_tickets:
            ticket = open_tickets.pop(draw.randrange(len(open_tickets)))
            match draw.randrange(4):
                case 0:
                    limiter.refused(ticket, now, draw.choice([None, 0.01, 0.2]))
                case 1:
                    limiter.failed(ticket, now)
                case _:
                    limiter.accepted(ticket, now, draw.choice([0.001, 0.5]) * draw.uniform(0.5, 1))
        assert 1 <= limiter.limit <= most
        assert limiter.under_way == len(open_tickets)


def test_spacing_catches_up_no_more_than_its_slack() -> None:
    spacing = Spacing(10.0, slack=0.05)
    spacing.take(0.0)
    assert spacing.wait(0.0) == pytest.approx(0.05)
    spacing.take(100.0)
    assert spacing.wait(100.0) == pytest.approx(0.05)
