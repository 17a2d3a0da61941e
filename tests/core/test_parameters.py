"""Canonical model parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.parameters import canonical_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json


def told(given: Mapping[str, Json]) -> list[tuple[str, str, str]]:
    return [(fault.name, fault.what, fault.hint) for fault in canonical_parameters(given)[1]]


@pytest.mark.parametrize(
    ("written", "canonical", "value"),
    [
        ("temperature", "temperature", 0),
        ("maxOutputTokens", "max_output_tokens", 16),
        ("max_output_tokens", "max_output_tokens", 16),
        ("topP", "top_p", 0.5),
        ("frequencyPenalty", "frequency_penalty", -1),
        ("presencePenalty", "presence_penalty", 1),
        ("seed", "seed", -7),
        ("stopSequences", "stop", ["\n"]),
        ("allowMultipleToolCalls", "parallel_tool_calls", False),
        ("topK", "top_k", 40),
        ("max_completion_tokens", "max_completion_tokens", 5),
        ("reasoning_effort", "reasoning_effort", "low"),
        ("top_logprobs", "top_logprobs", 20),
        ("logit_bias", "logit_bias", {"50256": -100}),
        ("metadata", "metadata", {"team": "support"}),
    ],
)
def test_a_parameter_is_found_under_its_canonical_name(written: str, canonical: str, value: Json) -> None:
    assert canonical_parameters({written: value}) == ({canonical: value}, ())


def test_additional_properties_are_merged_and_need_not_be_known() -> None:
    given: Mapping[str, Json] = {"topP": 1, "additionalProperties": {"guided_choice": ["a", "b"], "topK": 3}}

    assert canonical_parameters(given) == ({"top_p": 1, "guided_choice": ["a", "b"], "top_k": 3}, ())


def test_null_means_not_given() -> None:
    assert canonical_parameters({"seed": None, "additionalProperties": None}) == ({}, ())


@pytest.mark.parametrize(
    ("given", "what", "hint"),
    [
        (
            {"temprature": 0},
            "unknown parameter 'temprature'",
            "Did you mean 'temperature'? What only this provider knows goes under `additionalProperties`.",
        ),
        (
            {"guided_choice": []},
            "unknown parameter 'guided_choice'",
            "What only this provider knows goes under `additionalProperties`.",
        ),
        ({"n": 3}, "the parameter 'n' cannot be set", "Several answers per case are `samples:` of the suite."),
        ({"stream": True}, "the parameter 'stream' cannot be set", "Answers are read whole."),
        ({"stream_options": {}}, "the parameter 'stream_options' cannot be set", "Answers are read whole."),
        (
            {"store": True},
            "the parameter 'store' cannot be set",
            "Answers are kept on this machine, not at the provider.",
        ),
        ({"model": "x"}, "the parameter 'model' cannot be set", "The model stands in `model:`."),
        ({"messages": []}, "the parameter 'messages' cannot be set", "Messages stand in the prompt file."),
        ({"tools": []}, "the parameter 'tools' cannot be set", "Tools stand in the prompt file."),
        ({"functions": []}, "the parameter 'functions' cannot be set", "Tools stand in the prompt file."),
        ({"function_call": "x"}, "the parameter 'function_call' cannot be set", "Write `tool_choice`."),
        (
            {"response_format": {}},
            "the parameter 'response_format' cannot be set",
            "The form of the answer stands in the prompt file.",
        ),
        ({"audio": {}}, "the parameter 'audio' cannot be set", "Only answers of text are evaluated."),
        ({"modalities": []}, "the parameter 'modalities' cannot be set", "Only answers of text are evaluated."),
        ({"temperature": 2.5}, "'temperature' must be a number from 0 to 2, not 2.5", ""),
        ({"temperature": True}, "'temperature' must be a number from 0 to 2, not true", ""),
        ({"topP": "0.5"}, "'topP' must be a number from 0 to 1, not '0.5'", ""),
        ({"frequencyPenalty": 3}, "'frequencyPenalty' must be a number from -2 to 2, not 3", ""),
        ({"seed": 1.5}, "'seed' must be a whole number, not 1.5", ""),
        ({"maxOutputTokens": 0}, "'maxOutputTokens' must be a whole number >= 1, not 0", ""),
        ({"top_logprobs": 21}, "'top_logprobs' must be a whole number from 0 to 20, not 21", ""),
        ({"logprobs": "yes"}, "'logprobs' must be true or false, not 'yes'", ""),
        ({"stop": [1]}, "'stop' must be text or a list of texts, not a list", ""),
        ({"verbosity": 1}, "'verbosity' must be text, not 1", ""),
        ({"logit_bias": []}, "'logit_bias' must be a mapping, not a list", ""),
        ({"additionalProperties": []}, "additionalProperties must be a mapping", ""),
    ],
)
def test_a_wrong_parameter_is_told(given: Mapping[str, Json], what: str, hint: str) -> None:
    (name,) = given

    assert told(given) == [(name, what, hint)]
    assert canonical_parameters(given)[0] == {}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"top_p": 1, "topP": 1}, "'topP' is given twice, as 'top_p' too"),
        ({"max_tokens": 1, "maxOutputTokens": 1}, "'maxOutputTokens' is given twice, as 'max_tokens' too"),
        ({"seed": 1, "additionalProperties": {"seed": 2}}, "'seed' is given twice, as 'seed' too"),
    ],
)
def test_two_spellings_of_one_parameter_are_told(given: Mapping[str, Json], what: str) -> None:
    assert [fault[1:] for fault in told(given)] == [(what, "Keep one.")]


def test_all_faults_are_told_and_the_good_parameters_kept() -> None:
    found, faults = canonical_parameters({"n": 2, "seed": 1, "sede": 1, "additionalProperties": {"stream": True}})

    assert found == {"seed": 1}
    assert [fault.name for fault in faults] == ["n", "sede", "stream"]
