"""Rounds of a response store."""

from __future__ import annotations

from pytest_promptgate.core.rounds import counting, following

CONFIRM = "0123456789" * 3 + "12"  # a digest may consist of digits


def test_without_a_complete_round_the_first_one_counts() -> None:
    assert counting([]) == ("",)


def test_the_newest_complete_round_is_read_first_and_older_ones_after_it() -> None:
    assert counting(["2", "10", "1"]) == ("10", "2", "1", "")


def test_rounds_of_other_kinds_are_left_alone() -> None:
    assert counting([CONFIRM, "1", "confirm"]) == ("1", "")


def test_a_refresh_writes_the_round_after_the_newest_complete_one() -> None:
    assert following([]) == "1"
    assert following(["1", "2", CONFIRM]) == "3"
