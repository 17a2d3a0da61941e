"""``inputs:`` and ``constants:`` of a suite, held against the prompt's inputs and the dataset's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_promptgate.core.types import Json, PromptVersion
    from pytest_promptgate.files.node import Node


def read_inputs(
    root: Node, prompt: PromptVersion | None, columns: Collection[str] | None
) -> tuple[dict[str, str], dict[str, Json]]:
    """Columns and constants by template variable, as written. Faults are noted.

    Args:
        prompt: None: it has faults, and nothing is held against it.
        columns: None: the dataset has faults, and nothing is held against it.
    """
    inputs_node, constants_node = root.get("inputs"), root.get("constants")
    inputs = _columns(inputs_node, columns)
    constants = {name: below.value for name, below in (constants_node.pairs() if constants_node else [])}
    for name in inputs:
        if name in constants and constants_node:
            what = f"{name!r} is both a constant and an input from a column"
            constants_node.below(name, None).fault(what, "Keep one.")
    if prompt is not None:
        _check_known(inputs_node, inputs, prompt)
        _check_known(constants_node, constants, prompt)
    if prompt is not None and columns is not None:
        _check_complete(root.get("prompt") or root.get("target") or root, prompt, columns, {*inputs, *constants})
    return inputs, constants


def variables_from(prompt: PromptVersion, inputs: Mapping[str, str], constants: Collection[str]) -> frozenset[str]:
    """The columns that the prompt's variables are filled from."""
    own = {each.name for each in prompt.inputs if each.name not in inputs and each.name not in constants}
    return frozenset({*inputs.values(), *own})


def _columns(node: Node | None, columns: Collection[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, below in node.pairs() if node else []:
        column = below.text("the name of a column")
        if column is None:
            continue
        found[name] = column
        if columns is not None and column not in columns:
            hint = did_you_mean(column, columns, label="Columns")
            below.fault(f"no row has a column {column!r}", f"{hint}\nA fixed value goes under `constants:`.")
    return found


def _check_known(node: Node | None, names: Collection[str], prompt: PromptVersion) -> None:
    known = [each.name for each in prompt.inputs]
    for name in names if node else ():
        if node and name not in known:
            what = f"{name!r} is no input of {prompt.title}"
            node.below(name, None).fault(what, did_you_mean(name, known, label="Inputs"))


def _check_complete(node: Node, prompt: PromptVersion, columns: Collection[str], given: Collection[str]) -> None:
    for each in prompt.inputs:
        if each.required and each.name not in given and each.name not in columns:
            hint = did_you_mean(each.name, columns, label="Columns")
            node.fault(
                f"the input {each.name!r} of {prompt.title} has neither a column nor a constant nor a default",
                f"{hint}\nWrite `inputs: {{{each.name}: COLUMN}}` or `constants: {{{each.name}: VALUE}}`.",
            )
