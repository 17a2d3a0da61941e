"""The smoke tier: representative, and the same cases every time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakes import case, suite
from hypothesis import given
from hypothesis import strategies as st

from pytest_promptgate.core.selection import smoke, smoke_cases, smoke_notes

if TYPE_CHECKING:
    import random

    from pytest_promptgate.core.types import Case, Json


def labelled(id: str, label: str, *tags: str, text: str = "text", mark: Json = None) -> Case:  # noqa: A002
    columns = {} if mark is None else {"smoke": mark}
    return replace(case(id, text, expected=label, **columns), tags=tags)


def ids(cases: tuple[Case, ...]) -> list[str]:
    return [each.id for each in cases]


def test_marked_rows_come_first() -> None:
    rows = [labelled(f"t-{number}", "a") for number in range(9)]
    rows[7] = labelled("t-7", "a", mark=True)
    rows[8] = labelled("t-8", "a", mark="yes")
    assert ids(smoke(rows, 2)) == ["t-7", "t-8"]


@pytest.mark.parametrize("mark", [False, 0, "", "false", "No", "0"])
def test_a_falsy_mark_marks_nothing(mark: Json) -> None:
    assert ids(smoke([labelled("a", "x"), labelled("b", "x", mark=mark)], 1)) == ["a"]


def test_of_more_marked_rows_than_there_is_room_for_the_first_by_id_are_taken() -> None:
    assert ids(smoke([labelled(name, "x", mark=1) for name in "cab"], 2)) == ["a", "b"]


def test_every_label_is_covered_before_one_comes_twice() -> None:
    rows = [labelled(f"{label}-{number}", label) for label in "abc" for number in range(5)]
    assert sorted(name[0] for name in ids(smoke(rows, 3))) == ["a", "b", "c"]


def test_with_more_labels_than_room_the_frequent_ones_are_taken() -> None:
    rows = [
        labelled(f"{label}-{number}", label)
        for label, times in (("x", 2), ("y", 9), ("z", 5))
        for number in range(times)
    ]
    assert sorted(name[0] for name in ids(smoke(rows, 2))) == ["y", "z"]


def test_tags_are_covered_too() -> None:
    rows = [labelled(f"t-{number}", "a", "common") for number in range(9)] + [labelled("rare", "a", "safety")]
    assert "rare" in ids(smoke(rows, 2))


def test_within_a_stratum_the_row_nearest_the_median_length_is_taken() -> None:
    rows = [labelled(name, "a", text="x" * length) for name, length in (("short", 1), ("middle", 50), ("long", 900))]
    assert ids(smoke(rows, 1)) == ["middle"]


def test_free_text_answers_are_no_labels() -> None:
    rows = [labelled(f"t-{number}", f"answer {number}", text="x" * number) for number in range(1, 10)]
    assert ids(smoke(rows, 1)) == ["t-5"]


def test_a_small_suite_is_its_own_smoke_tier() -> None:
    rows = [labelled(name, name) for name in "abc"]
    assert smoke_cases(suite(rows)) == ("a", "b", "c")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 30)), min_size=1, max_size=30),
    st.integers(1, 10),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(
    rows: list[tuple[str, str, int]], count: int, chance: random.Random
) -> None:
    cases = [labelled(f"t-{n}", label, tag, text="x" * length) for n, (label, tag, length) in enumerate(rows)]
    shuffled = chance.sample(cases, len(cases))
    assert set(ids(smoke(cases, count))) == set(ids(smoke(shuffled, count)))
    assert len(smoke(cases, count)) == min(count, len(cases))


def test_marked_rows_that_find_no_room_are_told() -> None:
    rows = [labelled(f"t-{number:02}", "a", mark=True) for number in range(12)]
    whole = suite(rows)

    assert smoke_notes(replace(whole, smoke=10)) == (
        "12 rows are marked `smoke` and the tier takes 10: t-10, t-11 left out. "
        f"Mark fewer, or write `smoke: 12` into {whole.path}",
    )
    assert "t-02, t-03, t-04, t-05, t-06, … left out" in smoke_notes(replace(whole, smoke=2))[0]
    assert smoke_notes(replace(whole, smoke=12)) == ()


@given(st.integers(1, 8), st.sets(st.integers(0, 11), max_size=8), st.randoms(use_true_random=False))
def test_marked_rows_come_first_in_any_order_of_the_rows(count: int, marks: set[int], chance: random.Random) -> None:
    rows = [labelled(f"t-{number:02}", "ab"[number % 2], mark=number in marks) for number in range(12)]
    marked = sorted(f"t-{number:02}" for number in marks)

    chosen = ids(smoke(chance.sample(rows, len(rows)), count))

    assert {*marked[:count]} <= {*chosen}
    assert {*chosen} == {*ids(smoke(rows, count))}
