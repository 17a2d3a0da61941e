"""Planning: variables, requests, ordinals, and what is told before anything is asked."""

from __future__ import annotations

import pytest
from fakes import PIN, case, planned, prompt, suite
from hypothesis import given
from hypothesis import strategies as st

from pytest_promptgate.core.plan import is_reserved, plan, slowness, slug
from pytest_promptgate.core.types import Message, ModelPin, PromptInput, PromptVersion
from pytest_promptgate.errors import DatasetError, Faults, PromptError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t-017", "t-017"),
        ("ünïcode", "ünïcode"),
        (" two  words ", "two-words"),
        ("a::b", "a-b"),
        ("a:b", "a:b"),
        ("t[1]", "t-1"),
        ("line\nfeed\ttab", "line-feed-tab"),
        ("\x1b[31mred", "31mred"),
        ("right\u202eleft", "right-left"),
        ("::", ""),
    ],
)
def test_a_slug_can_stand_in_a_node_id(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text())
def test_a_slug_stays_as_it_is_when_slugged_again(text: str) -> None:
    once = slug(text)
    assert slug(once) == once
    assert not {"[", "]", " "} & set(once)
    assert "::" not in once


def test_ids_that_the_plugin_needs_itself_are_reserved() -> None:
    assert [name for name in ("cases", "gate:accuracy", "case", "gate") if is_reserved(name)] == [
        "cases",
        "gate:accuracy",
    ]


def test_trials_stand_in_dataset_order_with_the_samples_of_a_case_side_by_side() -> None:
    made = planned(suite([case("b"), case("a")], samples=2))
    assert [trial.id for trial in made.trials] == ["b", "b#2", "a", "a#2"]
    assert made.of_case(1) == made.trials[2:]


def test_identical_requests_are_ranked_by_case_id_and_sample_whatever_the_order_of_rows() -> None:
    rows = [case("c", "same"), case("a", "same"), case("b", "other")]
    ranks = {trial.id: trial.ordinal for trial in planned(suite(rows, samples=2)).trials}
    assert ranks == {"a": 0, "a#2": 1, "c": 2, "c#2": 3, "b": 0, "b#2": 1}
    assert ranks == {trial.id: trial.ordinal for trial in planned(suite(rows[::-1], samples=2)).trials}


def test_a_variable_comes_from_the_named_column_then_the_constant_then_its_own_column_then_the_default() -> None:
    names = ("mapped", "constant", "same", "free")
    inputs = [PromptInput(name=name, required=name != "free", default="default") for name in names]
    row = case("t", "text", mapped="no", constant="no", same="column", other="from inputs")
    made = planned(
        suite(
            [row],
            template=prompt("{mapped}|{constant}|{same}|{free}", inputs=inputs),
            inputs={"mapped": "other"},
            constants={"constant": "Acme"},
        )
    )
    assert made.trials[0].request.messages[0].content == "from inputs|Acme|column|default"


def test_the_pins_parameters_win_over_the_prompts() -> None:
    pin = ModelPin(provider=PIN.provider, name=PIN.name, parameters={"temperature": 1, "seed": 7})
    made = planned(suite([case("t")], slots={"default": pin}))
    assert made.trials[0].request.parameters == {"temperature": 1, "seed": 7}


def test_a_row_without_a_required_input_is_told_with_its_place_and_its_columns() -> None:
    with pytest.raises(DatasetError) as caught:
        planned(suite([case("t", txt="x")], template=prompt("{message}", inputs=[PromptInput(name="message")])))
    assert str(caught.value) == (
        "data/fake.jsonl:1: case 't' has no input 'message' of prompt fake@v1\n  Its columns: text, txt."
    )


def test_a_mapped_column_that_a_row_lacks_is_told_with_the_nearest_name() -> None:
    with pytest.raises(DatasetError) as caught:
        planned(suite([case("t")], inputs={"text": "texts"}))
    assert str(caught.value) == (
        "data/fake.jsonl:1: case 't' has no column 'texts' for input 'text' of prompt fake@v1\n"
        "  Did you mean 'text'? Its columns: text."
    )


def test_what_the_renderer_refuses_is_told_at_the_row() -> None:
    with pytest.raises(PromptError) as caught:
        planned(suite([case("t")], template=prompt("{text} {queue}")))
    assert str(caught.value) == (
        "data/fake.jsonl:1: case 't' cannot be rendered: 'queue' is undefined\n  The template: prompts/fake/v1.txt"
    )


def test_faults_of_several_rows_are_told_together_and_at_most_ten() -> None:
    with pytest.raises(Faults) as caught:
        planned(suite([case(f"t-{number}") for number in range(50)], template=prompt("{queue}")))
    assert len(caught.value.errors) == 10


def test_a_message_that_all_rows_share_is_kept_once() -> None:
    def render(_prompt: PromptVersion, variables: object) -> tuple[Message, ...]:
        return Message(role="system", content="long text"), Message(role="user", content=str(variables))

    first, second = plan(suite([case("a"), case("b")]), "default", render=render).trials
    assert first.request.messages[0] is second.request.messages[0]
    assert first.request.messages[1] != second.request.messages[1]


def test_the_longest_prompt_is_held_to_be_the_slowest() -> None:
    made = planned(suite([case("a", "short"), case("b", "much longer")]))
    assert max(made.trials, key=slowness).id == "b"
