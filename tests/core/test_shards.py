"""Shards: every case in exactly one, on every machine the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_promptgate.core.shards import Shard, parse_shard, shard_of


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_each_case_is_in_exactly_one_shard(case: str, count: int) -> None:
    assert sum(case in Shard(number=number, count=count) for number in range(1, count + 1)) == 1


def test_the_shard_of_a_case_is_the_same_on_every_machine() -> None:
    assert [shard_of(f"c-{number}", 3) for number in range(8)] == [1, 3, 1, 3, 2, 2, 1, 1]


def test_shards_are_about_equal() -> None:
    sizes = [0, 0, 0, 0]
    for number in range(4000):
        sizes[shard_of(f"case-{number}", 4) - 1] += 1
    assert all(abs(size - 1000) < 100 for size in sizes)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert parse_shard("2/3") == Shard(number=2, count=3)
    assert str(parse_shard(" 2/3 ")) == "2/3"


@pytest.mark.parametrize("text", ["", "2", "0/3", "a/b", "1/0", "-1/3", "1/3/5", "01/3"])
def test_what_is_no_shard_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected I/N, such as 2/3 for the second of three machines$"):
        parse_shard(text)


def test_a_shard_beyond_the_last_is_told() -> None:
    with pytest.raises(ValueError, match=r"^expected I/N with I from 1 to 3$"):
        parse_shard("4/3")
