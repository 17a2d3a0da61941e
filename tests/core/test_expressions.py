"""Metric expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.expressions import Expression, ExpressionError, parse_expression, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json


@pytest.mark.parametrize(
    ("text", "aggregate", "source", "arguments"),
    [
        ("mean(queue)", "mean", "queue", {}),
        (" p95 ( latency_s ) ", "p95", "latency_s", {}),
        ("f1(queue, label=billing)", "f1", "queue", {"label": "billing"}),
        ("f1(queue,label='a, (b)', average = macro)", "f1", "queue", {"label": "a, (b)", "average": "macro"}),
        ('f1(queue, label="don\'t")', "f1", "queue", {"label": "don't"}),
        ("rate(has-id, at=0.5)", "rate", "has-id", {"at": 0.5}),
        ("x(a, b=1, c=-2, d=true, e=null, f='1', g=1e3)", "x", "a",
         {"b": 1, "c": -2, "d": True, "e": None, "f": "1", "g": 1000.0}),
        ("f1(größe, label=spät)", "f1", "größe", {"label": "spät"}),
    ],
)  # fmt: skip
def test_an_expression_is_read(text: str, aggregate: str, source: str, arguments: Mapping[str, Json]) -> None:
    assert parse_expression(text) == Expression(aggregate=aggregate, source=source, arguments=arguments)


SHAPE = "Write it like mean(queue), p95(latency_s) or f1(queue, label=billing)."


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("mean", "'mean' is no metric", SHAPE),
        ("mean(queue", "'mean(queue' is no metric", SHAPE),
        ("mean(queue) + 1", "'mean(queue) + 1' is no metric", SHAPE),
        ("1st(queue)", "'1st(queue)' is no metric", SHAPE),
        ("mean()", "'mean()' names nothing to measure", SHAPE),
        ("mean(a b)", "'mean(a b)' names nothing to measure", SHAPE),
        ("__import__('os').system('x')", "\"__import__('os').system('x')\" names nothing to measure", SHAPE),
        ("f1(queue, label)", "'label' in 'f1(queue, label)' is no argument", "Arguments look like label=billing."),
        ("f1(queue, label=a b)", "'label=a b' in 'f1(queue, label=a b)' is no argument",
         "Arguments look like label=billing."),
        ("f1(queue, a=1, a=2)", "'a' stands twice in 'f1(queue, a=1, a=2)'", "Keep one."),
        ("f1(queue, label='x)", "\"f1(queue, label='x)\" has a quote without its end", SHAPE),
        ("rate(queue, at=1e999)", "1e999 in 'rate(queue, at=1e999)' is no finite number", "Quote it if it is text."),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_told(text: str, what: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)

    assert (caught.value.what, caught.value.hint) == (what, hint)


@pytest.mark.parametrize("value", ["billing", "a, b", "don't", "1", "true", "", 1, 0.5, True, None])
def test_a_written_argument_reads_back_as_itself(value: Json) -> None:
    assert parse_expression(f"f1(queue, label={written(value)})").arguments == {"label": value}
