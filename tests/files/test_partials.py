"""Text that prompts share: how it is put in, what it may be called, and where its faults are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_promptgate.core.types import Json, PromptVersion

HEAD = "---\ninputs:\n  - {name: topic, kind: string}\n---\nsystem:\n"


def loaded(root: Path, files: Mapping[str, str], prompt: str = "a/v1.txt") -> PromptVersion:
    for name, text in files.items():
        path = root / "prompts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_prompt_file(root / "prompts" / prompt, root=root)


def told(root: Path, files: Mapping[str, str], prompt: str = "a/v1.txt") -> str:
    with pytest.raises(PromptGateError) as caught:
        loaded(root, files, prompt)
    return str(caught.value)


def texts(prompt: PromptVersion, values: Mapping[str, Json]) -> list[str]:
    return [message.content for message in render(prompt, values)]


def test_a_partial_is_put_in_without_its_front_matter_and_is_part_of_the_digest(tmp_path: Path) -> None:
    files = {
        "shared/safety.prompty": "---\nmetadata: {owner: legal}\n---\n\nNo advice on {{ topic }}.\n\n",
        "a/v1.prompty": f'{HEAD}Be kind.\n{{% include "shared/safety.prompty" %}}\nBye.\n',
    }

    prompt = loaded(tmp_path, files, "a/v1.prompty")

    assert prompt.messages[0].content == "Be kind.\nNo advice on {{ topic }}.\nBye."
    assert list(prompt.partials) == ["prompts/a/v1.prompty", "prompts/shared/safety.prompty"]
    written_out = {"a/v2.prompty": f"{HEAD}Be kind.\nNo advice on {{{{ topic }}}}.\nBye.\n"}
    assert loaded(tmp_path, written_out, "a/v2.prompty").digest == prompt.digest
    reworded = {"shared/safety.prompty": "---\nmetadata: {owner: us}\n---\nNo advice on {{ topic }}!\n"}
    assert loaded(tmp_path, reworded, "a/v1.prompty").digest != prompt.digest


@pytest.mark.parametrize(
    "template",
    [
        'x {% include "p/plain" %} y',
        'x  {%- include "p/plain" -%}  y',
        'x {{ v -}} {% include "p/space" %} {{- v }}',
        '{% set t = 1 %}{% include "p/sets" %}{{ t }}{{ own is defined }}',
        '{% for i in [1, 2] %}{% include "p/loop" %},{% endfor %}',
        '{% macro m(i) %}{% include "p/loop" %}{% endmacro %}{{ m(7) }}',
        '{% if v %}{% include "p/plain" %}{% endif %}{# {% include "gone" %} #}{% raw %}{% include "x" %}{% endraw %}',
        '{% include "p/nested" %}',
        '{% include "p/plain" with context %}',
        "{%+ include 'p/plain' +%} z",
        '{% from "p/macros" import greet, bye as b, word %}{{ greet("A") }}{{ b() }}{{ word }}',
        '{% import "p/macros" as m %}{{ m.greet("A") }}{{ m.bye() }}{{ m.word }}',
        '{% import "p/macros" as m %}{% from "p/macros" import greet %}{{ m.greet("A") ~ greet("B") }}',
        '{% from "p/macros" import wrap %}{% call wrap() %}in{% endcall %}',
        '{% from "p/macros" import listed %}{{ listed([1, 2]) }}{% set word = "mine" %}{{ word }}',
        '{% set greet = 1 %}{% from "p/second" import twice %}{{ twice("A") }}{{ greet }}',
        '{% include "p/uses" %}{{ greet is defined }}',
        '{% from "p/macros" import twin %}{{ twin(2) }}',
        'A\n\n\n{%- if v %}\n{% include "p/plain" %}\n{%- endif %}\nB',
    ],
)
def test_what_is_put_in_renders_as_jinja_renders_it(tmp_path: Path, template: str) -> None:
    partials = {
        "p/plain": "P {{ v }}",
        "p/space": "  S {{ v }}  ",
        "p/sets": "{% set t = 2 %}{% set own = 3 %}{{ t }}",
        "p/loop": "{{ i }}",
        "p/nested": '[{% include "p/sets" %}|{% include "p/plain" %}]',
        "p/macros": (
            '{# Greetings. #}{% set word = "Hello" %}\n'
            "{% macro greet(name, mark='!') %}{{ word }} {{ name }}{{ mark }}{{ bye(name=name) }}{% endmacro %}\n"
            "{% macro bye(name='x') %} Bye {{ name | upper }}{% endmacro %}\n"
            "{% macro wrap() %}<{{ caller() }}>{% endmacro %}\n"
            "{% macro listed(xs) %}{% for x in xs %}{{ _one(x) }}{% endfor %}{% endmacro %}\n"
            "{% macro _one(x) %}({{ {'word': x}.word }}{{ x is not none }}){% endmacro %}\n"
            "{%- macro twin(n) %}{{ n }}{% if n %}{{ twin(n - 1) }}{% endif %}{% endmacro %}\n"
        ),
        "p/second": '{% from "p/macros" import greet as g %}{% macro twice(n) %}{{ g(n) }}{{ g(n, mark="?") }}{% endmacro %}',
        "p/uses": '{% from "p/macros" import greet %}{{ greet("U") }}',
    }
    jinja = Environment(loader=DictLoader(partials), undefined=StrictUndefined, keep_trailing_newline=True)

    prompt = loaded(tmp_path, {**partials, "a/v1.txt": template})

    assert texts(prompt, {"v": "V"}) == [jinja.from_string(template).render(v="V").strip("\n")]


def test_a_macro_serves_the_messages_after_its_import(tmp_path: Path) -> None:
    files = {
        "shared/m.jinja": "{% macro bold(text) %}**{{ text }}**{% endmacro %}",
        "a/v1.prompty": (
            '---\ninputs: [{name: q, kind: string}]\n---\nsystem:\n{% from "shared/m.jinja" import bold %}\nHi.\n\n'
            "user:\n{{ bold(q) }}\n"
        ),
    }

    assert texts(loaded(tmp_path, files, "a/v1.prompty"), {"q": "{{ 7*7 }}"}) == ["Hi.", "**{{ 7*7 }}**"]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ('"/etc/passwd"', "'/etc/passwd' is an absolute path"),
        ('"C:/x.txt"', "'C:/x.txt' is an absolute path"),
        ('"../secret.txt"', "'../secret.txt' leads out of the prompts directory"),
        ('"shared/../../secret.txt"', "'shared/../../secret.txt' leads out of the prompts directory"),
        (r'"shared\\safety.txt"', r"'shared\\safety.txt' has a backslash"),
        ('"./shared/safety.txt"', "'./shared/safety.txt' is no name of a partial"),
        ('"shared//safety.txt"', "'shared//safety.txt' is no name of a partial"),
        ('"shared/.env"', "'shared/.env' is no name of a partial"),
        ('""', "'' is no name of a partial"),
        (r'"a\u001b[2J"', r"'a\x1b[2J' is no name of a partial"),
    ],
)
def test_a_name_that_is_no_path_below_the_prompts_directory_is_refused(tmp_path: Path, tag: str, message: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    files = {"shared/safety.txt": "Safe.", "shared/.env": "KEY=1", "a/v1.txt": f"Hi.\n{{% include {tag} %}}"}

    assert told(tmp_path, files) == (
        f"prompts/a/v1.txt:2: {message}\n"
        '  A partial is named by its path in the prompts directory: {% include "shared/safety.prompty" %}'
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            '{% include "shared/saftey.txt" %}',
            "there is no partial 'shared/saftey.txt' in prompts/\n"
            "  Did you mean 'shared/safety.txt'? Partials: shared/m.jinja, shared/safety.txt.",
        ),
        (
            '{% include "Shared/safety.txt" %}',
            "there is no partial 'Shared/safety.txt' in prompts/\n"
            "  Did you mean 'shared/safety.txt'? Upper and lower case differ.",
        ),
        (
            '{% include "shared" %}',
            "'shared' is a directory, not a partial\n  Name a file in it.",
        ),
        (
            '{% include "b/v1.txt" %}',
            "'b/v1.txt' is a version of a prompt, not a partial\n"
            "  Move what both share into a file of its own, such as shared/safety.prompty, and include that.",
        ),
        *(
            (
                tag,
                "the name of a partial is not written out\n  A partial is named in quotes, so that its text is known "
                'before anything runs: {% include "shared/a.txt" %}',
            )
            for tag in (
                "{% include name %}",
                '{% include "shared/" ~ name %}',
                '{% include ["shared/safety.txt"] %}',
                "{% import name as m %}",
                "{% from name import bold %}",
            )
        ),
        (
            '{% include "shared/safety.txt" ignore missing %}',
            "'ignore missing' is not available in prompts\n"
            "  A version has one text: remove the tag, or write the partial.",
        ),
        (
            '{% include "shared/safety.txt" without context %}',
            "'without context' is not available in prompts\n"
            "  A partial sees the variables of the prompt: leave these words out.",
        ),
        (
            '{% from "shared/m.jinja" import blod %}',
            "the partial has no macro 'blod'\n  Did you mean 'bold'? It has: bold.",
        ),
        (
            '{% if 1 %}{% import "shared/m.jinja" as m %}{% endif %}',
            "an {% import %} inside a block\n  Write it outside of blocks, at the top of the message or partial.",
        ),
    ],
)
def test_a_tag_that_cannot_be_followed_is_told_at_its_line(tmp_path: Path, template: str, message: str) -> None:
    files = {
        "shared/safety.txt": "Safe.",
        "shared/m.jinja": "{% macro bold(x) %}{{ x }}{% endmacro %}",
        "b/v1.txt": "Hi.",
        "a/v1.txt": f"Hi.\n\n{template}",
    }

    assert told(tmp_path, files) == f"prompts/a/v1.txt:3: {message}"


@pytest.mark.parametrize(
    ("partial", "message"),
    [
        (
            "Hi.\nuser:\nYou.",
            "2: a role marker in a partial: 'user:'\n  A partial is text of one message: write the "
            "role marker in the prompt, and include the text below.",
        ),
        (
            "---\nmodel: gpt-4o\n---\nHi.",
            "2:1: a partial has no 'model'\n  Write it in the prompts that include the partial.",
        ),
        ("---\nname: x\n---\n\n", " the partial is empty"),
        (
            "Hi.\n{{ topic",
            "2: not a valid template: unexpected end of template, expected 'end of print statement'\n"
            "  {{ x }} puts a value in, {% if x %} is a statement; as plain text they stand between {% raw %} and "
            "{% endraw %}.",
        ),
        (
            "Hi.\n{% extends 'b' %}",
            "2: {% extends %} is not available in prompts\n"
            "  Put shared text into a partial and {% include %} it, or use a {% macro %}.",
        ),
        (
            "Hi.\n\n{{ tpoic }}",
            "3: the template uses 'tpoic', which is not declared\n"
            "  Declare it under `inputs:` of prompts/a/v1.prompty, which includes this partial.",
        ),
        (
            '\n{% include "shared/gone" %}',
            "2: there is no partial 'shared/gone' in prompts/\n  Partials: shared/p.prompty.",
        ),
        (
            '\n{% include "shared/p.prompty" %}',
            "2: the partial includes itself: shared/p.prompty -> shared/p.prompty\n  Take one of these tags out.",
        ),
        ("a\x07", "1:2: control character U+0007\n  Delete it, or end the line there with a line feed."),
    ],
)
def test_a_fault_in_a_partial_is_told_at_its_own_file_and_line(tmp_path: Path, partial: str, message: str) -> None:
    files = {
        "shared/p.prompty": partial,
        "a/v1.prompty": f'{HEAD}Hi {{{{ topic }}}}.\n{{% include "shared/p.prompty" %}}\n',
    }

    assert told(tmp_path, files, "a/v1.prompty") == f"prompts/shared/p.prompty:{message}"


@pytest.mark.parametrize(
    ("macros", "message"),
    [
        (
            "{% macro a() %}x{% endmacro %}\nHi.",
            "1: text outside of the macros of an imported partial\n"
            "  A file of macros holds {% macro %} and {% set %} alone. To print a partial, {% include %} it.",
        ),
        (
            "{% set x = 1 %}\n{% macro a(x) %}{{ x }}{% endmacro %}",
            "2: 'x' is bound at the top of this partial, and here again\n  Give one of them another name.",
        ),
    ],
)
def test_a_file_of_macros_that_cannot_be_imported_is_told(tmp_path: Path, macros: str, message: str) -> None:
    files = {"shared/m.jinja": macros, "a/v1.txt": 'Hi.{% from "shared/m.jinja" import a %}'}

    assert told(tmp_path, files) == f"prompts/shared/m.jinja:{message}"


def test_a_fault_while_rendering_is_told_where_it_stands(tmp_path: Path) -> None:
    files = {
        "shared/p.txt": "{% set x = v.gone.too %}One.",
        "shared/m.jinja": "{% macro a(x) %}\n{{ x }}{% endmacro %}\n\n{% macro b(x) %}\n{{ x.gone }}{% endmacro %}",
        "a/v1.txt": 'Hi.\n\n{% include "shared/p.txt" %}',
        "b/v1.txt": '{% from "shared/m.jinja" import b %}Hi.\n{{ b(v) }}',
        "c/v1.txt": "Hi.\n{{ v.gone }}",
    }
    places = []
    for name in "abc":
        prompt = loaded(tmp_path, files, f"{name}/v1.txt")
        with pytest.raises(PromptGateError) as caught:
            render(prompt, {"v": {}})
        places.append(str(caught.value))

    assert places == [
        "prompts/shared/p.txt:1: a@v1: 'dict object' has no attribute 'gone'",
        "prompts/shared/m.jinja:5: b@v1: 'dict object' has no attribute 'gone'",
        "prompts/c/v1.txt:2: c@v1: 'dict object' has no attribute 'gone'",
    ]


def test_links_may_not_lead_out_of_the_prompts_directory(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret", encoding="utf-8")
    shared = tmp_path / "prompts" / "shared"
    shared.mkdir(parents=True)
    (shared / "safety.txt").write_text("Safe.", encoding="utf-8")
    (shared / "inside.txt").symlink_to("safety.txt")
    (shared / "file.txt").symlink_to(outside / "secret.txt")
    (shared / "folder").symlink_to(outside)

    assert loaded(tmp_path, {"a/v1.txt": '{% include "shared/inside.txt" %}'}).messages[0].content == "Safe."
    for name in ("shared/file.txt", "shared/folder/secret.txt"):
        assert told(tmp_path, {"a/v1.txt": f'{{% include "{name}" %}}'}) == (
            f"prompts/a/v1.txt:1: {name!r} is a link that leads out of the prompts directory\n"
            "  Partials stand in the prompts directory: copy it there."
        )


def test_partials_in_partials_are_bounded_in_depth_and_in_size(tmp_path: Path) -> None:
    chain = {f"p/{n}": f'{{% include "p/{n + 1}" %}}' for n in range(11)}
    growing = {f"q/{n}": f'{{% include "q/{n + 1}" %}}' * 10 for n in range(9)}
    files = {**chain, "p/11": "x", **growing, "q/9": "x" * 100}

    assert told(tmp_path, {**files, "a/v1.txt": '{% include "p/0" %}'}) == (
        "prompts/p/9:1: partials are nested more than 10 deep\n  Put some together."
    )
    assert told(tmp_path, {**files, "a/v1.txt": '{% include "q/0" %}'}) == (
        "prompts/q/4:1: with its partials it has more than 10,000 parts or 5,000,000 characters\n  Include less."
    )


def test_a_file_of_partials_is_no_prompt(tmp_path: Path) -> None:
    prompt = loaded(tmp_path, {"a/v1.txt": "Hi.", "shared/safety/v1.prompty": "Safe."})

    assert prompt.partials == {}
    assert loaded(tmp_path, {"b/v1.txt": '{% include "shared/safety/v1.prompty" %}'}, "b/v1.txt").messages == (
        prompt.messages[0].__class__(role="user", content="Safe."),
    )
