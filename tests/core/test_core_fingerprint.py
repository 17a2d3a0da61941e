"""Digests: equal for what is equal, different for everything that can change an answer or a score."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_promptgate.core.fingerprint import (
    callable_fingerprint,
    case_digest,
    digest,
    offer_fingerprint,
    output_digest,
    prompt_digest,
    request_digest,
    request_parts,
    scorer_fingerprint,
)
from pytest_promptgate.core.types import Completion, Json, Message, ModelPin, PromptInput, Request, ToolCall
from pytest_promptgate.errors import ToolboxError

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = Request(
    pin=ModelPin(provider="openai", name="gpt-4o-2024-11-20"),
    messages=(Message(role="system", content="Route it."), Message(role="user", content="Où est ma facture ?")),
    parameters={"temperature": 0, "seed": 7},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_a_digest_is_32_hexadecimal_characters_of_sha256_over_canonical_json() -> None:
    assert digest({"b": [1, None], "a": "é"}) == digest({"a": "é", "b": (1, None)})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e"


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.randoms(use_true_random=False))
def test_key_order_is_free(value: dict[str, Json], chance: object) -> None:
    keys = list(value)
    chance.shuffle(keys)  # type: ignore[attr-defined]

    assert digest({key: value[key] for key in keys}) == digest(value)


def test_numbers_text_and_booleans_differ() -> None:
    values: list[Json] = [1, 1.0, "1", True, None, [1], {"1": 1}]

    assert len({digest(each) for each in values}) == len(values)


def test_lone_surrogates_have_a_digest_and_what_is_not_finite_has_none() -> None:
    assert len(digest("\ud800")) == 32
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        digest(float("nan"))


def test_everything_that_can_change_the_answer_is_in_the_request_digest() -> None:
    others = [
        replace(REQUEST, pin=replace(REQUEST.pin, provider="azure-eu")),
        replace(REQUEST, pin=replace(REQUEST.pin, name="gpt-4o-2024-08-06")),
        replace(REQUEST, messages=REQUEST.messages[1:]),
        replace(REQUEST, parameters={"temperature": 1, "seed": 7}),
        replace(REQUEST, tools=({"type": "function"},)),
        replace(REQUEST, response_format={"type": "json_object"}),
    ]

    assert len({request_digest(each) for each in [REQUEST, *others]}) == 7
    assert request_digest(replace(REQUEST, pin=replace(REQUEST.pin, vouched=True))) == request_digest(REQUEST)


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (replace(REQUEST, messages=()), "messages"),
        (replace(REQUEST, parameters={}), "parameters"),
        (replace(REQUEST, response_format={"type": "json_object"}), "parameters"),
        (replace(REQUEST, pin=ModelPin(provider="openai", name="o3-2025-04-16")), "model"),
        (replace(REQUEST, tools=({"type": "function"},)), "tools"),
    ],
)
def test_the_parts_of_a_request_tell_what_differs(other: Request, part: str) -> None:
    before, after = request_parts(REQUEST), request_parts(other)

    assert set(before) == {"messages", "parameters", "model", "tools"}
    assert [name for name in before if before[name] != after[name]] == [part]


def test_a_prompt_digest_covers_its_whole_file() -> None:
    def of(**changes: object) -> str:
        given = {"messages": REQUEST.messages, "pin": REQUEST.pin, "parameters": {}, "inputs": (PromptInput(name="m"),)}
        return prompt_digest(**(given | changes))  # type: ignore[arg-type]

    changes: list[dict[str, object]] = [
        {},
        {"messages": ()},
        {"pin": None},
        {"parameters": {"seed": 1}},
        {"inputs": ()},
        {"inputs": (PromptInput(name="m", required=False, default="x"),)},
        {"tools": ({"type": "function"},)},
        {"response_format": {"type": "json_object"}},
    ]
    assert len({of(**each) for each in changes}) == len(changes)


def test_an_expected_null_is_not_a_missing_one() -> None:
    assert case_digest({"m": "x"}, None, True) != case_digest({"m": "x"}, None, False)
    assert case_digest({"m": "x"}, "a", True) != case_digest({"m": "x"}, "b", True)


def test_an_output_digest_covers_text_and_tool_calls_alone() -> None:
    answer = Completion(text="billing")

    assert output_digest(replace(answer, latency_s=3.0, served_model="x")) == output_digest(answer)
    assert output_digest(replace(answer, tool_calls=(ToolCall(name="a", arguments="{}"),))) != output_digest(answer)


def test_a_scorers_kind_revision_and_settings_are_its_identity() -> None:
    variants = [
        scorer_fingerprint("exact_match", 1, {}),
        scorer_fingerprint("exact_match", 2, {}),
        scorer_fingerprint("contains", 1, {}),
        scorer_fingerprint("exact_match", 1, {"normalize": ["strip"]}),
    ]

    assert len(set(variants)) == 4


def scorer_of_this_module(answer: object, _case: object) -> object:
    return answer


class Versioned:
    version = "2"

    def __call__(self, answer: object, _case: object) -> object:
        return answer


def test_a_declared_revision_stands_for_the_code() -> None:
    class Offer:
        revision = 3

    assert offer_fingerprint("exact_match", Offer, {}) == scorer_fingerprint("exact_match", 3, {})


def test_code_is_identified_by_its_version_or_by_its_modules_source(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import polite; "
        "from pytest_promptgate.core.fingerprint import callable_fingerprint as f; "
        "print(f(polite.by_source), f(polite.by_version), f(polite.Object()))"
    )
    seen = []
    for body in ("return 1", "return 2"):
        (tmp_path / "polite.py").write_text(
            f"def by_source(a, c):\n    {body}\n\n"
            f"def by_version(a, c):\n    {body}\n\nby_version.version = '1'\n\n"
            f"class Object:\n    def __call__(self, a, c):\n        {body}\n"
        )
        command = [sys.executable, "-B", "-c", program, str(tmp_path)]
        seen.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())

    assert [first == second for first, second in zip(*seen, strict=True)] == [False, True, False]


def test_a_version_belongs_to_its_function_and_a_partial_to_what_it_binds() -> None:
    bound = functools.partial(scorer_of_this_module, _case="x")

    assert callable_fingerprint(Versioned()) == callable_fingerprint(Versioned)
    assert callable_fingerprint(bound) == callable_fingerprint(functools.partial(scorer_of_this_module, _case="x"))
    assert callable_fingerprint(bound) != callable_fingerprint(functools.partial(scorer_of_this_module, _case="y"))


def test_code_without_source_asks_for_a_version() -> None:
    with pytest.raises(ToolboxError) as caught:
        callable_fingerprint(len)

    assert str(caught.value) == (
        "builtins:len: the source of its module cannot be read, so a change of it would go unseen\n"
        '  Give it a version, and raise it with every change: function.version = "1".'
    )


def test_a_partial_of_what_is_no_json_asks_for_a_version() -> None:
    with pytest.raises(ToolboxError) as caught:
        callable_fingerprint(functools.partial(scorer_of_this_module, object()))

    assert str(caught.value) == (
        f"{__name__}:scorer_of_this_module: a partial of it binds values that are no JSON,"
        " so a change of them would go unseen\n"
        '  Give the partial a version, and raise it with every change: function.version = "1".'
    )
