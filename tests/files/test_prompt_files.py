"""`.prompty`, `.yaml` and `.txt` files that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.types import Message, ModelPin, PromptInput, PromptVersion
from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.templates import render

if TYPE_CHECKING:
    from pathlib import Path


TRIAGE = """\
---
name: triage
description: Route a message.
metadata:
  version: v1
  owner: "@support-ml"
  source: https://docs.example.com/triage
  reviewed: {by: ann}
model:
  id: gpt-4o-2024-11-20
  provider: openai
  options: {temperature: 0, maxOutputTokens: 16, stopSequences: ["\\n"], additionalProperties: {min_p: 0.1}}
inputs:
  - {name: company, kind: string, required: true}
  - {name: message, kind: string}
  - {name: tone, kind: string, default: kind}
---
system:
You work for {{ company }}. Be {{ tone }}.

user:
{{ message }}
"""


def load(tmp_path: Path, text: str, name: str = "triage/v1.prompty") -> PromptVersion:
    path = tmp_path / "prompts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return load_prompt_file(path, root=tmp_path)


def test_a_prompty_file_is_read_whole(tmp_path: Path) -> None:
    prompt = load(tmp_path, TRIAGE)

    assert prompt.label == "triage@v1"
    assert prompt.path == "prompts/triage/v1.prompty"
    assert prompt.messages == (
        Message(role="system", content="You work for {{ company }}. Be {{ tone }}."),
        Message(role="user", content="{{ message }}"),
    )
    assert prompt.pin == ModelPin(provider="openai", name="gpt-4o-2024-11-20")
    assert prompt.parameters == {"temperature": 0, "max_output_tokens": 16, "stop": ["\n"], "min_p": 0.1}
    assert prompt.inputs == (
        PromptInput(name="company"),
        PromptInput(name="message"),
        PromptInput(name="tone", required=False, default="kind"),
    )
    assert (prompt.description, prompt.owner, prompt.source) == (
        "Route a message.",
        "@support-ml",
        "https://docs.example.com/triage",
    )


def test_a_yaml_file_with_the_same_content_has_the_same_digest(tmp_path: Path) -> None:
    front, _, body = TRIAGE.removeprefix("---\n").partition("---\n")
    assert body
    messages = """\
messages:
  - role: system
    content: You work for {{ company }}. Be {{ tone }}.
  - role: user
    content: |
      {{ message }}
"""
    twin = load(tmp_path, front + messages, "triage/v1.yaml")

    assert twin.messages == load(tmp_path, TRIAGE).messages
    assert twin.digest == load(tmp_path, TRIAGE).digest


def test_a_text_file_is_one_user_message_whose_inputs_are_what_it_uses(tmp_path: Path) -> None:
    prompt = load(tmp_path, "\n{% set n = range(3)|length %}Say {{ what }} {{ n }} times.\n", "say/v2.txt")

    assert prompt.messages == (
        Message(role="user", content="{% set n = range(3)|length %}Say {{ what }} {{ n }} times."),
    )
    assert (prompt.label, prompt.pin, prompt.inputs) == ("say@v2", None, (PromptInput(name="what"),))
    assert render(prompt, {"what": "hi"})[0].content == "Say hi 3 times."


@pytest.mark.parametrize(
    "change",
    [
        ("{{ message }}", "{{ message }}!"),
        ("user:", "assistant:"),
        ("gpt-4o-2024-11-20", "gpt-4o-2024-08-06"),
        ("provider: openai", "provider: azure"),
        ("maxOutputTokens: 16", "maxOutputTokens: 17"),
        ("default: kind", "default: stern"),
        ("---\nsystem", "tools: {look: {kind: function}}\n---\nsystem"),
        ("---\nsystem", "outputs: {queue: {kind: string}}\n---\nsystem"),
    ],
)
def test_whatever_can_change_an_answer_changes_the_digest(tmp_path: Path, change: tuple[str, str]) -> None:
    assert load(tmp_path, TRIAGE.replace(*change)).digest != load(tmp_path, TRIAGE).digest


@pytest.mark.parametrize(
    "change",
    [
        ("Route a message.", "Routes a message."),
        ("owner: ", "reviewer: "),
        ("\n\nuser:", "\n\n\n# User:"),
        ("\n", "\r\n"),
        ("---\nname", "\ufeff---\nname"),
        ("maxOutputTokens", "max_output_tokens"),
    ],
)
def test_what_cannot_change_an_answer_keeps_the_digest(tmp_path: Path, change: tuple[str, str]) -> None:
    assert load(tmp_path, TRIAGE.replace(*change)).digest == load(tmp_path, TRIAGE).digest


@pytest.mark.parametrize(
    ("model", "pin"),
    [
        ("gpt-4o-2024-11-20", ModelPin(provider="openai", name="gpt-4o-2024-11-20")),
        ("anthropic/claude-x", ModelPin(provider="anthropic", name="claude-x")),
        ("{id: meta/llama, provider: local}", ModelPin(provider="local", name="meta/llama")),
        ("{id: local/meta/llama}", ModelPin(provider="local", name="meta/llama")),
        ("{options: {seed: 1}}", None),
    ],
)
def test_the_provider_is_a_key_or_ends_at_the_first_slash(tmp_path: Path, model: str, pin: ModelPin | None) -> None:
    assert load(tmp_path, f"---\nmodel: {model}\n---\nuser:\nHi.\n").pin == pin


def test_text_before_the_first_role_marker_is_a_system_message(tmp_path: Path) -> None:
    prompt = load(tmp_path, "---\n---\n\n  Be kind.\nASSISTANT:\nHello.\n")

    assert prompt.messages == (
        Message(role="system", content="Be kind."),
        Message(role="assistant", content="Hello."),
    )


def test_a_line_that_only_ends_in_a_colon_is_text(tmp_path: Path) -> None:
    prompt = load(tmp_path, "---\n---\nuser:\nUsers:\nExamples:\nSystems:\nuse:\nuser: hi\n")

    assert prompt.messages == (Message(role="user", content="Users:\nExamples:\nSystems:\nuse:\nuser: hi"),)


def test_inputs_may_be_a_mapping_by_name(tmp_path: Path) -> None:
    prompt = load(
        tmp_path, "---\ninputs: {a: {kind: string}, b: {kind: integer, required: false}}\n---\n{{ a }}{{ b }}"
    )

    assert prompt.inputs == (PromptInput(name="a"), PromptInput(name="b", kind="integer", required=False))


def test_a_set_or_macro_of_one_section_serves_the_next(tmp_path: Path) -> None:
    text = "---\n---\nsystem:\n{% set a = 1 %}{% macro m(x) %}<{{ x }}>{% endmacro %}One\nuser:\n{{ m(a) }}\n"

    assert [each.content for each in render(load(tmp_path, text), {})] == ["One", "<1>"]


def test_a_name_that_only_some_branch_binds_may_be_declared_or_not(tmp_path: Path) -> None:
    body = "---\nuser:\n{% if not tone %}{% set tone = 'kind' %}{% endif %}Be {{ tone }}.\n"
    declared = load(tmp_path, f"---\ninputs: [{{name: tone, kind: string, required: false}}]\n{body}")
    silent = load(tmp_path, f"---\n{body}")

    assert render(declared, {"tone": "stern"})[0].content == "Be stern."
    assert render(declared, {})[0].content == "Be kind."
    assert silent.inputs == ()


def test_a_folded_or_quoted_message_of_yaml_is_read_as_yaml_reads_it(tmp_path: Path) -> None:
    text = "messages:\n  - {role: user, content: 'a'}\n  - role: assistant\n    content: >\n      b\n      c\n"

    assert [each.content for each in load(tmp_path, text, "t/v1.yaml").messages] == ["a", "b c"]


def test_tools_of_both_forms_become_openais(tmp_path: Path) -> None:
    text = """\
---
tools:
  - name: look_up
    kind: function
    description: Find an order.
    parameters:
      number: {kind: string, description: Of the order., required: true}
      limit: {kind: integer}
  - {type: function, function: {name: own, parameters: {type: object, properties: {}}}}
---
user:
Hi.
"""
    assert load(tmp_path, text).tools == (
        {
            "type": "function",
            "function": {
                "name": "look_up",
                "description": "Find an order.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "number": {"type": "string", "description": "Of the order."},
                        "limit": {"type": "integer"},
                    },
                    "required": ["number"],
                },
            },
        },
        {"type": "function", "function": {"name": "own", "parameters": {"type": "object", "properties": {}}}},
    )
