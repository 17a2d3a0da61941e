"""Bounds of the retries; no clock, chance from a given generator."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from pytest_promptgate.errors import TransportFault
from pytest_promptgate.models.refusals import hints_of, retry_after
from pytest_promptgate.models.retries import RetryPolicy

POLICY = RetryPolicy()


def waits(fault: TransportFault, *, tries: int, elapsed: float = 0.0) -> list[float]:
    draw = random.Random(1)
    drawn = (POLICY.wait(fault, tries=tries, elapsed=elapsed, draw=draw) for _ in range(2000))
    return [wait for wait in drawn if wait is not None]


@pytest.mark.parametrize(("tries", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0)])
def test_jitter_is_full_and_its_bound_doubles(tries: int, bound: float) -> None:
    drawn = waits(TransportFault("x", "y"), tries=tries)
    assert 0 <= min(drawn) < 0.02 * bound
    assert 0.98 * bound < max(drawn) <= bound


def test_retry_after_is_waited_for_and_little_more() -> None:
    drawn = waits(TransportFault("x", "y", retry_after=2.0, overloaded=True), tries=9)
    assert min(drawn) >= 2.0
    assert max(drawn) <= 2.2


def test_retry_after_is_kept_twice_by_a_provider_that_answers_others_meanwhile() -> None:
    fault = TransportFault("x", "y", retry_after=2.0, overloaded=True)
    draw = random.Random(1)
    kept = [POLICY.wait(fault, tries=tries, elapsed=0.0, draw=draw, by_chance=True) for tries in (1, 2) * 50]
    later = [POLICY.wait(fault, tries=tries, elapsed=0.0, draw=draw, by_chance=True) for tries in (3, 12) * 50]
    assert all(wait is not None and wait >= 2.0 for wait in kept)
    assert all(wait is not None and wait <= 0.5 for wait in later)


def test_tries_and_time_are_bounded() -> None:
    broken, overloaded = TransportFault("x", "y"), TransportFault("x", "y", overloaded=True)
    assert not waits(broken, tries=6)
    assert waits(overloaded, tries=6)
    assert not waits(overloaded, tries=24)
    assert not waits(broken, tries=1, elapsed=120.0)
    assert not waits(TransportFault("x", "y", retry_after=61.0, overloaded=True), tries=1, elapsed=60.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Mon, 01 Jan 2029 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 01 Jan 2029 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_every_form_of_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=datetime(2029, 1, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("2m59.5s", 179.5), ("7", 7.0), ("1h1s", 3601.0)],
)
def test_every_form_of_a_reset_is_read(reset: str, seconds: float) -> None:
    found = hints_of({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": reset})
    assert found is not None
    assert (found.remaining, found.reset_s, found.limit) == (9.0, seconds, None)


def test_half_a_hint_is_none() -> None:
    assert hints_of({"x-ratelimit-remaining-requests": "9"}) is None
    assert hints_of({"x-ratelimit-remaining-requests": "x", "x-ratelimit-reset-requests": "1s"}) is None
