"""``metrics:`` of a suite: ``{accuracy: mean(queue), cost: total(cost_usd)}``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import (
    PERCENTILES,
    argument_fault,
    direction_of,
    known_aggregates,
    known_arguments,
)
from pytest_promptgate.core.expressions import NAME, ExpressionError, parse_expression
from pytest_promptgate.core.labels import needs_labels
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import BoundScorer, Direction, MetricSpec
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_promptgate.core.expressions import Expression
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

_RESERVED = ("rule",)  # `gate:` has a key of that name beside its metrics


def read_metrics(
    root: Node, scorers: tuple[BoundScorer, ...], written: Collection[str], context: SuiteContext
) -> tuple[MetricSpec, ...]:
    """The metrics in the order written; without `metrics:` one mean per scorer, by its name. Faults are noted.

    Args:
        scorers: Those that could be built.
        written: Names of all that stand in the suite; a metric of a faulty one is left out in silence.
    """
    node = root.get("metrics")
    if node is None:
        return tuple(_mean(scorer) for scorer in scorers)
    if node.value == {}:
        node.fault("metrics names no metric", "Leave the key out for one mean per scorer.")
    by_name = {scorer.name: scorer for scorer in scorers}
    metrics = (_metric(name, below, by_name, written, context) for name, below in node.pairs())
    return tuple(metric for metric in metrics if metric is not None)


def _mean(scorer: BoundScorer) -> MetricSpec:
    return MetricSpec(
        name=scorer.name,
        aggregate="mean",
        source=scorer.name,
        direction=scorer_direction(scorer),
        place=scorer.place,
    )


def _metric(
    name: str, node: Node, scorers: Mapping[str, BoundScorer], written: Collection[str], context: SuiteContext
) -> MetricSpec | None:
    if not NAME.fullmatch(name) or name in _RESERVED:
        node.fault(f"{name!r} is no name for a metric", "Use letters, digits, '_' and '-', a letter first; not 'rule'.")
    text = node.text("an expression such as mean(queue)")
    if text is None:
        return None
    try:
        expression = parse_expression(text)
    except ExpressionError as fault:
        node.fault(fault.what, fault.hint)
        return None
    before = len(node.faults)
    _check_aggregate(expression, node, context)
    if written:  # else the suite has no scorers at all, which is noted
        _check_source(expression, node, {*written, *OBSERVABLES})
    scorer = scorers.get(expression.source)
    if scorer is not None or expression.source in OBSERVABLES:
        _check_labels(expression, node, scorer)
    elif len(node.faults) == before:
        return None  # its scorer has faults, which are noted
    return MetricSpec(
        name=name,
        aggregate=expression.aggregate,
        source=expression.source,
        arguments=expression.arguments,
        direction=direction_of(
            expression.aggregate,
            expression.source,
            {each.name: scorer_direction(each) for each in scorers.values()},
        ),
        place=node.place,
    )


def scorer_direction(scorer: BoundScorer) -> Direction:
    """Which way of its scores is better: as it declares, else higher."""
    return Direction(getattr(scorer.scorer, "direction", Direction.HIGHER))


def _check_aggregate(expression: Expression, node: Node, context: SuiteContext) -> None:
    aggregate = expression.aggregate
    known = known_aggregates() | context.aggregates.keys()
    if aggregate not in known:
        told = {*(known - PERCENTILES), "p50", "p90", "p95", "p99"}
        hint = did_you_mean(aggregate, told, label="Aggregates")
        node.fault(f"unknown aggregate {aggregate!r}", f"{hint.removesuffix('.')}; every p1 … p99.")
        return
    for name, value in expression.arguments.items():
        accepted = known_arguments(aggregate)
        if fault := argument_fault(aggregate, name, value):
            hint = "" if name in accepted else did_you_mean(name, accepted, label="Arguments")
            node.fault(fault, hint)


def _check_source(expression: Expression, node: Node, known: set[str]) -> None:
    if expression.source not in known:
        hint = did_you_mean(expression.source, known, label="There are")
        node.fault(f"{expression.source!r} is neither a scorer of this suite nor a figure of the run", hint)


def _check_labels(expression: Expression, node: Node, scorer: BoundScorer | None) -> None:
    if not needs_labels(expression.aggregate):
        return
    # A plain function may give labels with its scores, which only running it tells.
    if scorer is None or not getattr(scorer.scorer, "labels", inspect.isroutine(scorer.scorer)):
        node.fault(
            f"{expression.aggregate} needs labels, and {expression.source!r} gives none",
            "Labels come from scorers that compare a text with the expected one, such as exact_match.",
        )
