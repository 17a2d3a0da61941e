"""How a template uses its names, read from its syntax tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKING_TESTS = frozenset({"defined", "undefined"})
_ASKING_FILTERS = frozenset({"default", "d"})
_INSIDE = re.compile(r"__\w+__\Z")


def bound_names(tree: nodes.Template) -> frozenset[str]:
    """Names that a ``{% set %}`` or a ``{% macro %}`` binds somewhere."""
    targets = [each.target for each in tree.find_all(nodes.Assign)]
    targets += [each.target for each in tree.find_all(nodes.AssignBlock)]
    within = [node for target in targets for node in (target, *target.find_all(nodes.Name))]
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    return frozenset(macros | {node.name for node in within if isinstance(node, nodes.Name)})


def asked_about(tree: nodes.Template) -> frozenset[str]:
    """Names that the template itself takes for absent now and then: ``x is defined``, ``x | default('…')``."""
    asking = [each.node for each in tree.find_all(nodes.Test) if each.name in _ASKING_TESTS]
    asking += [each.node for each in tree.find_all(nodes.Filter) if each.name in _ASKING_FILTERS and each.node]
    return frozenset(each.name for each in asking if isinstance(each, nodes.Name))


def called_names(tree: nodes.Template) -> frozenset[str]:
    """Names that are called as functions."""
    return frozenset(each.node.name for each in tree.find_all(nodes.Call) if isinstance(each.node, nodes.Name))


def reaches_inside(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Line and name of every access to Python's inside, such as ``''.__class__``: the sandbox refuses them all."""
    for attribute in tree.find_all(nodes.Getattr):
        if _INSIDE.match(attribute.attr):
            yield attribute.lineno, attribute.attr
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and _INSIDE.match(str(item.arg.value)):
            yield item.lineno, str(item.arg.value)
    for each in tree.find_all(nodes.Filter):
        named = [arg.value for arg in each.args if isinstance(arg, nodes.Const)] if each.name == "attr" else []
        yield from ((each.lineno, str(value)) for value in named if _INSIDE.match(str(value)))
