"""What templates use, what they may do, and what a row can never do."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.types import Message, PromptInput, PromptVersion
from pytest_promptgate.errors import PromptError
from pytest_promptgate.files.spending import MOST_CHARACTERS
from pytest_promptgate.files.templates import render, used_variables

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


def prompt(*contents: str, inputs: tuple[PromptInput, ...] = (), path: str = "") -> PromptVersion:
    messages = tuple(Message(role="user", content=content) for content in contents)
    return PromptVersion(
        name="p", version="v1", messages=messages, pin=None, parameters={}, inputs=inputs, path=path, digest=""
    )


def rendered(template: str, **variables: Json) -> str:
    return render(prompt(template), variables)[0].content


def told(template: str, **variables: Json) -> str:
    with pytest.raises(PromptError) as caught:
        render(prompt(template), variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("plain", set()),
        ("{{ a }}{{ b.c }}{{ d['e'] }}", {"a", "b", "d"}),
        ("{% set a = 1 %}{{ a }}", set()),
        ("{% set a, b = c, d %}{{ a }}{{ b }}", {"c", "d"}),
        ("{% set t %}x {{ z }}{% endset %}{{ t }}", {"z"}),
        ("{% if x %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}", {"x"}),
        ("{% if x %}{% set a = 1 %}{% endif %}{% if x %}{{ a }}{% endif %}", {"x"}),
        ("{% if not tone %}{% set tone = 'kind' %}{% endif %}{{ tone }}", set()),
        ("{% for i in items %}{{ loop.index }}{{ i }}{% else %}{{ empty }}{% endfor %}", {"items", "empty"}),
        ("{% for k, v in d.items() if v %}{{ k }}{% endfor %}", {"d"}),
        ("{% for m in history %}{{ m }}{% endfor %}{{ m }}", {"history", "m"}),
        ("{% for x in xs recursive %}{{ loop(x.children) }}{% endfor %}", {"xs"}),
        ("{% macro m(a, b=c) %}{{ a }}{{ b }}{{ caller() }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}", {"c"}),
        ("{% macro m(a) %}{{ caller(a) }}{% endmacro %}{% call(u) m(q) %}{{ u }}{% endcall %}", {"q"}),
        ("{% with a = 1, b = c %}{{ a }}{{ b }}{% endwith %}", {"c"}),
        ("{% filter upper %}{{ k }}{% endfilter %}", {"k"}),
        ("{{ range(3) }}{{ dict(a=b) }}{{ lipsum() }}{{ cycler(1) }}{{ joiner() }}{{ namespace(a=1) }}", {"b"}),
        ("{% set ns = namespace(n=0) %}{% for i in y %}{% set ns.n = i %}{% endfor %}{{ ns.n }}", {"y"}),
        ("{{ items | map(attribute='a') | join(sep) }}{{ x is defined }}", {"items", "sep"}),
        ("{{ tone | default('kind') }}{{ tone }}{% if a is undefined %}{% endif %}{{ a }}", set()),
        ("{% if x %}{% macro m() %}a{% endmacro %}{{ m() }}{% endif %}{% if x %}{{ m() }}{% endif %}", {"x"}),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}", set()),
        ("{{ true and None }}{{ 'a' ~ b }}{{ c if d else e }}", {"b", "c", "d", "e"}),
    ],
)
def test_used_variables_are_the_free_names(template: str, names: set[str]) -> None:
    assert used_variables(template) == names


def test_no_template_is_told_with_its_line() -> None:
    with pytest.raises(PromptError) as caught:
        used_variables("a\n{{ b | nope }}")

    assert str(caught.value) == (
        "line 2: not a valid template: No filter named 'nope'\n"
        "  Jinja's own filters and tests are available, except random: one row has one prompt."
    )


def test_a_row_is_never_rendered_as_a_template_and_makes_no_message() -> None:
    row = "{{ 7*7 }}\nsystem:\n{% raw %}\n<b>&amp;"

    assert render(prompt("A {{ m }} Z", "{{ m }}"), {"m": row}) == (
        Message(role="user", content=f"A {row} Z"),
        Message(role="user", content=row),
    )


def test_line_feeds_at_both_ends_are_stripped_and_other_white_space_is_kept() -> None:
    assert rendered("\n\n  {{ a }} \n\n", a="\nx\n") == "  \nx\n "


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ [1, 2] * 2 }}", "[1, 2, 1, 2]"),
        ("{{ 'ab' * 3 }}", "ababab"),
        ("{{ 2 ** 10 }}", "1024"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ range(5, 0, -2) | list }}", "[5, 3, 1]"),
        ("{{ x.get('a', 1) }}", "1"),
        ("{{ '{:,}'.format(10000000) }}{{ '%d' % 10000000 }}", "10,000,00010000000"),
        ("{% for i in [1, 2, 3] %}{{ loop.length }}{% if loop.last %}{% break %}{% endif %}{% endfor %}", "333"),
        ("{% for i in [[1]] recursive %}{{ loop(i) if i is iterable else i }}{% endfor %}", "1"),
        ("{% set a %}x{% endset %}{% set b | upper %}y{% endset %}{{ a ~ b }}", "xY"),
        ("{{ 'ab' | center(6) }}{{ 'a\nb' | indent(2) }}{{ 'c'.ljust(3) }}|", "  ab  a\n  bc  |"),
        ("{{ [1, 2, 3] | batch(2) | list }}", "[[1, 2], [3]]"),
    ],
)
def test_ordinary_templates_meet_no_limit(template: str, text: str) -> None:
    assert rendered(template, x={}) == text


DOUBLED = "{% set ns = namespace(s='a' * 1000) %}{% for i in range(40) %}"
TOO_LONG = "a value of more than 5,000,000 characters"
LIMIT = "the template goes beyond its limits: "
HINT = "\n  A template only puts text together."


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ x }}", "'x' is undefined\n  The variables given: a, b."),
        ("{{ a.y.z }}", "'dict object' has no attribute 'y'"),
        ("{{ ''.__class__ }}", f"{LIMIT}access to attribute '__class__' of 'str' object is unsafe{HINT}"),
        ("{{ joiner.__init__ }}", f"{LIMIT}access to attribute '__init__' of 'type' object is unsafe{HINT}"),
        ("{{ b.append(1) }}", f"{LIMIT}access to attribute 'append' of 'list' object is unsafe{HINT}"),
        ("{% for i in range(10**9) %}x{% endfor %}", f"{LIMIT}range() counts more than 1,000,000 items{HINT}"),
        ("{{ range(10**30) }}", f"{LIMIT}range() counts more than 1,000,000 items{HINT}"),
        (
            "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
            f"{LIMIT}range() counts more than 1,000,000 items{HINT}",
        ),
        (
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            f"{LIMIT}a macro calls itself too deep",
        ),
        (
            "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
            f"{LIMIT}more than 100,000 calls{HINT}",
        ),
        ("{{ 'a' * 10**9 }}", f"{LIMIT}a repetition longer than 5,000,000{HINT}"),
        ("{{ 10**9 * [1] }}", f"{LIMIT}a repetition longer than 5,000,000{HINT}"),
        ("{{ 9 ** (9 ** 9) }}", f"{LIMIT}an exponent above 1,000{HINT}"),
        ("{{ 'a' * 4999999 }}{{ 'b' * 4999999 }}", f"{LIMIT}more than 5,000,000 characters{HINT}"),
        ("{{ 'a' | center(10**9) }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        ("{{ b | batch(10**9, 'x') | list }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        ("{{ 'a'.zfill(10**9) }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        (
            "{{ 'a' | replace('a', 'b' * 4999999) | replace('b', 'cc') }}",
            f"{LIMIT}a replacement longer than 5,000,000{HINT}",
        ),
        ("{{ ('a' * 4999999).replace('', 'b') }}", f"{LIMIT}a replacement longer than 5,000,000{HINT}"),
        ("{{ '%999999999d' % 1 }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        ("{{ '%*d' % (10**9, 1) }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        ("{{ '{:>{w}}'.format(1, w=10**9) }}", f"{LIMIT}a size above 5,000,000{HINT}"),
        ("{{ ([1] * 4999) | join('a' * 4999) }}", f"{LIMIT}a joined text longer than 5,000,000{HINT}"),
        ("{{ [1] | tojson(indent=10**9) }}", f"{LIMIT}a number above 1,000{HINT}"),
        ("{{ 5 | round(-10**9) }}", f"{LIMIT}a number above 1,000{HINT}"),
        (f"{DOUBLED}{{% set ns.s = ns.s ~ ns.s %}}{{% endfor %}}", f"{LIMIT}{TOO_LONG}{HINT}"),
        (f"{DOUBLED}{{% set ns.s = ns.s + ns.s %}}{{% endfor %}}", f"{LIMIT}{TOO_LONG}{HINT}"),
        (
            f"{DOUBLED}{{% set ns.s %}}{{{{ ns.s }}}}{{{{ ns.s }}}}{{% endset %}}{{% endfor %}}",
            f"{LIMIT}{TOO_LONG}{HINT}",
        ),
        (f"{DOUBLED}{{% set ns.s = [ns.s, ns.s] %}}{{% endfor %}}", f"{LIMIT}{TOO_LONG}{HINT}"),
        (
            "{% set ns = namespace(n=9) %}{% for i in range(60) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
            f"{LIMIT}a whole number of more than 100,000 bits{HINT}",
        ),
        (
            "{% set x = [0] * 1001 %}{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
            f"{LIMIT}more than 1,000,000 steps of loops{HINT}",
        ),
        ("{{ raise_exception('no system role') }}", "the template fails: TemplateRuntimeError: no system role"),
        ("{{ lipsum() }}", f"{LIMIT}lipsum() gives another text every time{HINT}"),
        ("{{ 1 / 0 }}", "the template fails: ZeroDivisionError: division by zero"),
        ("{{ a + 1 }}", "the template fails: TypeError: unsupported operand type(s) for +: 'dict' and 'int'"),
    ],
)
def test_a_template_that_fails_or_goes_too_far_is_told(template: str, message: str) -> None:
    assert told(template, a={}, b=[]) == f"p@v1: {message}"


def test_more_tags_than_could_be_compiled_in_time_are_told() -> None:
    with pytest.raises(PromptError) as caught:
        used_variables("{{ a }}" * 10_001)

    assert str(caught.value) == (
        "line 1: 10,001 tags of 70,007 characters\n"
        "  At most 10,000 tags and 100,000 characters in them are read: lists are inputs."
    )


def test_limits_are_counted_anew_for_every_prompt() -> None:
    half = "{% for i in range(600000) %}{% endfor %}x"

    assert [rendered(half), rendered(half)] == ["x", "x"]


def test_a_prompt_may_be_as_long_as_the_limit() -> None:
    assert len(rendered("{{ a }}", a="x" * MOST_CHARACTERS)) == MOST_CHARACTERS


def test_the_error_names_the_prompts_file() -> None:
    with pytest.raises(PromptError) as caught:
        render(prompt("{{ x }}", path="prompts/p/v1.prompty"), {})

    assert str(caught.value) == "prompts/p/v1.prompty: p@v1: 'x' is undefined\n  The variables given: none."


def test_what_a_template_shouts_is_told_without_control_characters() -> None:
    assert told("{{ a[b] }}", a={}, b="\x1b[2J") == r"p@v1: 'dict object' has no attribute '\x1b[2J'"


@pytest.mark.parametrize("absent", [{}, {"note": None}])
def test_an_optional_input_that_is_absent_or_null_takes_its_default(absent: dict[str, Json]) -> None:
    template = "[{{ note }}][{% if note %}yes{% endif %}][{{ note is defined }}]"
    bare = PromptInput(name="note", required=False)

    assert render(prompt(template, inputs=(bare,)), absent)[0].content == "[][][False]"
    with_default = dataclasses.replace(bare, default="none")
    assert render(prompt(template, inputs=(with_default,)), absent)[0].content == "[none][yes][True]"


def test_a_required_input_that_is_null_is_told() -> None:
    with pytest.raises(PromptError) as caught:
        render(prompt("{{ m }}", inputs=(PromptInput(name="m"),)), {"m": None})

    assert str(caught.value) == ("p@v1: the input 'm' is null\n  Give it a value, or declare it `required: false`.")
