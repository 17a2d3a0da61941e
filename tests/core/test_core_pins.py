"""Pins: the table of labelled ids, the messages, and the comparison with the model that answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_promptgate.core.pin_rules import ALIASES
from pytest_promptgate.core.pins import PinStatus, ServedModel, check_pin, compare_served, label, parse_model
from pytest_promptgate.core.types import ModelPin
from pytest_promptgate.errors import PinError, Place

ITEMS = json.loads((Path(__file__).parent / "pins.json").read_text())["items"]
WHERE = Place(file="evals/x.eval.yaml", line=3, column=8)


def pin(name: str, *, provider: str = "openai", vouched: bool = False) -> ModelPin:
    return ModelPin(provider=provider, name=name, vouched=vouched)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item['provider']}/{item['model']}")
def test_every_labelled_id_is_labelled_so(item: dict[str, Any]) -> None:
    found = label(item["provider"], item["model"])

    assert (found.status, found.suggestion) == (item["label"], item["suggested_pin"])


def test_the_table_holds_its_83_undoubted_rows() -> None:
    assert sum(not item["doubt"] for item in ITEMS) == 83


@pytest.mark.parametrize(
    ("family", "model", "status"),
    [
        ("openai", "ft:gpt-4o-2024-08-06:acme::aBc123", "pinned"),
        ("openai", "ft:gpt-4o:acme::aBc123", "unknown"),
        ("openai", "gpt-4o-2024-02-30", "unknown"),
        ("openai", "gpt-4o-1024-02-03", "unknown"),
        ("openai", " ", "unknown"),
        ("openai", "gpt-4-9999", "unknown"),
        ("openai", "gpt-4o-2024-11-20\n", "unknown"),
        ("anthropic", "claude-sonnet-4-5-20251345", "unknown"),
        ("anthropic", "claude-mythos-preview", "unknown"),
        ("anthropic", "claude-2.1", "floating"),
        ("bedrock", "global.anthropic.claude-sonnet-5", "pinned"),
        ("bedrock", "eu.anthropic.claude-3-haiku-20241345-v1:0", "unknown"),
        ("vertex", "claude-opus-4-6@default", "unknown"),
        ("gemini", "models/gemini-2.0-flash-001", "pinned"),
        ("mistral", "mistral-small", "floating"),
        ("mistral", "mistral-large-2499", "unknown"),
        ("cohere", "command-r-13-2024", "unknown"),
        ("hf", "meta-llama/Llama-3.1-8B-Instruct", "floating"),
        ("replicate", "meta/llama:" + "0" * 64, "pinned"),
        ("ollama", "llama3.1@sha256:" + "0" * 64, "pinned"),
        ("openrouter", "~anthropic/claude-latest", "floating"),
        ("openrouter", "deepseek/deepseek-r1:free", "floating"),
        ("openrouter", "deepseek/deepseek-r1-0528", "unknown"),
        ("litellm", "my-alias", "unknown"),
        ("embedded", "nearest-example-1", "pinned"),
        ("embedded", "nearest-example-2", "unknown"),
        ("a-family-without-rules", "gpt-4o-2024-11-20", "unknown"),
    ],
)
def test_further_ids_are_labelled_by_the_rules(family: str, model: str, status: str) -> None:
    assert label(family, model).status == status


def test_every_suggested_snapshot_is_pinned_except_the_redirected_preview() -> None:
    unpinned = [
        (family, snapshot)
        for family, aliases in ALIASES.items()
        for snapshot in aliases.values()
        if label(family, snapshot).status is not PinStatus.PINNED
    ]

    assert unpinned == [("gemini", "gemini-2.5-pro")]


def test_a_suggestion_keeps_the_prefix_of_a_proxy() -> None:
    assert label("litellm", "openai/gpt-4o").suggestion == "openai/gpt-4o-2024-08-06"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("gpt-4o-2024-11-20", ("openai", "gpt-4o-2024-11-20")),
        ("embedded/nearest-example-1", ("embedded", "nearest-example-1")),
        ("hf/meta-llama/Llama-3.1-8B", ("hf", "meta-llama/Llama-3.1-8B")),
        ("", ("openai", "")),
    ],
)
def test_the_provider_ends_at_the_first_slash(text: str, parts: tuple[str, str]) -> None:
    assert parse_model(text) == parts


@pytest.mark.parametrize(
    ("family", "name", "message"),
    [
        (
            "openai",
            "gpt-4o",
            (
                "evals/x.eval.yaml:3:8: openai/gpt-4o is a floating alias\n"
                "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name."
            ),
        ),
        (
            "openai",
            "chatgpt-4o-latest",
            (
                "evals/x.eval.yaml:3:8: openai/chatgpt-4o-latest is a floating alias\n"
                "  Its provider can move it without notice (-latest is an alias by design). Name one fixed snapshot."
            ),
        ),
        (
            "gemini",
            "gemini-2.5-pro-preview-03-25",
            (
                "evals/x.eval.yaml:3:8: gemini/gemini-2.5-pro-preview-03-25 is a floating alias\n"
                "  Its provider can move it without notice (an alias of dated snapshots). Name one fixed snapshot."
            ),
        ),
        (
            "openai",
            "gpt-6-sol",
            (
                "evals/x.eval.yaml:3:8: cannot tell whether openai/gpt-6-sol is one fixed snapshot: no rule tells\n"
                "  If you know that it never moves, give your word: {id: openai/gpt-6-sol, pinned: true}."
            ),
        ),
        (
            "openai",
            "gtp-4o-mini",
            (
                "evals/x.eval.yaml:3:8: cannot tell whether openai/gtp-4o-mini is one fixed snapshot: no rule tells\n"
                "  Did you mean openai/gpt-4o-mini-2024-07-18?"
                " If you know that it never moves, give your word: {id: openai/gtp-4o-mini, pinned: true}."
            ),
        ),
        (
            "embedded",
            "nearest-example",
            (
                "evals/x.eval.yaml:3:8: cannot tell whether embedded/nearest-example is one fixed snapshot:"
                " no rule tells\n"
                "  Write embedded/nearest-example-1, or for embeddings embedded/hashed-words-1."
            ),
        ),
    ],
)
def test_a_model_that_is_no_snapshot_is_refused(family: str, name: str, message: str) -> None:
    with pytest.raises(PinError) as caught:
        check_pin(pin(name, provider=family), family=family, where=WHERE)

    assert str(caught.value) == message


def test_the_users_word_counts_for_what_nobody_knows_but_not_for_an_alias() -> None:
    check_pin(pin("llama-3.1-8b", provider="local", vouched=True), family="vllm", where=WHERE)
    with pytest.raises(PinError):
        check_pin(pin("gpt-4o", vouched=True), family="openai", where=WHERE)


@pytest.mark.parametrize(
    ("family", "asked", "served", "expected"),
    [
        ("openai", "gpt-4o-2024-11-20", "gpt-4o-2024-11-20", "same"),
        ("openai", "gpt-4o-2024-11-20", "openai/gpt-4o-2024-11-20", "format only"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o-2024-08-06", "other"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o-mini-2024-11-20", "other"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o", "not verifiable"),
        ("openai", "gpt-4o-2024-11-20", "", "not verifiable"),
        ("openai", "gpt-4-32k-0613", "gpt-4-0613-32k", "format only"),
        ("openai", "gpt-6-sol", "gpt-6-sol-2026-09-01", "format only"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::aBc", "ft:gpt-4o-2024-08-06:acme:tone:aBc", "format only"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::aBc", "ft:gpt-4o-2024-08-06:acme::abc", "other"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::aBc", "gpt-4o-2024-08-06", "other"),
        ("azure", "gpt-4o-2024-11-20", "gpt-4o-2024-08-06", "other"),
        ("azure", "my-deployment", "gpt-4o-2024-11-20", "not verifiable"),
        ("azure", "gpt-3.5-turbo-0613", "gpt-35-turbo", "not verifiable"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "format only"),
        ("bedrock", "anthropic.claude-opus-4-6-v1", "claude-opus-4-6", "format only"),
        ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "anthropic.claude-3-5-sonnet-20241022-v1:0", "other"),
        ("vertex", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929", "format only"),
        ("gemini", "gemini-2.0-flash-001", "models/gemini-2.0-flash-001", "not verifiable"),
        ("gemini", "gemini-2.5-pro-preview-03-25", "models/gemini-2.5-pro", "other"),
        ("mistral", "mistral-large-2411", "mistral-large-2411", "not verifiable"),
        ("mistral", "ministral-8b-2512", "ministral-2512-8b", "not verifiable"),
        ("mistral", "mistral-large-2411", "mistral-large-2512", "other"),
        ("groq", "openai/gpt-oss-120b", "gpt-oss-120b", "not verifiable"),
        ("litellm", "team-alias", "gpt-4o-2024-11-20", "not verifiable"),
        ("deepseek", "deepseek-v3", "deepseek-v4-flash", "other"),
        ("hf", "meta-llama/L-8B@" + "0" * 40, "meta-llama/L-8B", "not verifiable"),
        ("vllm", "my-model", "my-model", "same"),
        ("vllm", "my-model", "another", "other"),
        ("llamacpp", "/models/tiny.gguf", "/models/tiny.gguf", "not verifiable"),
    ],
)
def test_the_model_that_answered_is_compared_after_normalising(
    family: str, asked: str, served: str, expected: str
) -> None:
    assert compare_served(pin(asked), family, served) is ServedModel(expected)
