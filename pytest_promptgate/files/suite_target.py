"""``target:`` of a suite: users' own callable, as a prompt version whose inputs are its parameters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.fingerprint import callable_fingerprint, digest
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.core.types import ModelPin, PromptInput, PromptVersion, Target
from pytest_promptgate.errors import ToolboxError
from pytest_promptgate.files.imported import import_callable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from pytest_promptgate.files.node import Node

KEYS = frozenset({"call", "version", "timeout_s"})
TIMEOUT_S = 600.0
_DAY_S = 86_400.0
_FROM_CODE = "source-"
_HINT = 'Write `target: {call: package.module:function, version: "1"}`'
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def read_target(root: Node, directory: Path) -> PromptVersion | None:
    """What ``target`` names, imported; None after noting a fault.

    Its version (or, without one, the digest of its source) stands for the prompt's, and is one of its parameters, so
    that every request of another version is another request.

    Args:
        root: Of the suite; it has a ``target``.
        directory: That joins ``sys.path``.
    """
    node = root.get("target")
    assert node is not None
    call = node
    if isinstance(node.value, Mapping):
        node.keys(KEYS)
        named = node.get("call")
        if named is None:
            node.fault("target lacks 'call'", "Write {call: package.module:function, version: ...}.")
            return None
        call = named
    reference = call.text("package.module:function")
    function = import_callable(reference.strip(), call, directory, role=TARGET) if reference else None
    if reference is None or function is None:
        return None
    inputs = _inputs(function, call, _given(root))
    prompt = as_prompt(reference.strip(), function, inputs or (), node, hint=_HINT)
    return None if inputs is None else prompt


def as_prompt(
    reference: str, function: Callable[..., Any], inputs: tuple[PromptInput, ...], node: Node, *, hint: str
) -> PromptVersion | None:
    """A callable in the form of a prompt; None after noting a fault.

    Args:
        reference: What it is called in requests and reports.
        function: It, or what it stands for: its version, or the source of its module, tells one from the next.
        inputs: Its parameters.
        node: What may hold ``version`` and ``timeout_s``.
        hint: How to write a version there.
    """
    version = _version(node, function, hint)
    timeout_s = _timeout(node)
    source = "" if version else _source(function, node, hint)
    if version is None or source is None:
        return None
    identity = {"version": version} if version else {"source": source}
    return PromptVersion(
        name=reference,
        version=version or f"{_FROM_CODE}{source[:12]}",
        messages=(),
        pin=ModelPin(provider=TARGET, name=reference),
        parameters=identity,
        inputs=inputs,
        digest=digest((TARGET, reference, identity)),
        target=Target(reference=reference, version=version, timeout_s=timeout_s, call=function),
    )


def _given(root: Node) -> list[str]:
    """Names that the suite hands over whatever the signature says; a ``**kwargs`` takes them."""
    nodes = [node for key in ("inputs", "constants") if (node := root.get(key)) is not None]
    return [str(name) for node in nodes if isinstance(node.value, Mapping) for name in node.value]


def _inputs(function: Callable[..., Any], node: Node, given: Collection[str]) -> tuple[PromptInput, ...] | None:
    if inspect.isclass(function):
        node.fault(f"{node.value} is a class", "Name a function, or an instance that has __call__.")
        return None
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        node.fault(f"the parameters of {node.value} cannot be read", "Wrap it in a function of your own.")
        return None
    positional = next((each.name for each in parameters if each.kind is inspect.Parameter.POSITIONAL_ONLY), None)
    if positional is not None:
        hint = "A target is called with keyword arguments: remove the `/` from its signature."
        node.fault(f"the parameter {positional!r} of {node.value} cannot be given by name", hint)
        return None
    named = {each.name: each.default is inspect.Parameter.empty for each in parameters if each.kind in _NAMED}
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        named |= {name: True for name in given if name not in named}
    return tuple(PromptInput(name=name, kind="any", required=required) for name, required in named.items())


def _version(node: Node, function: Callable[..., Any], hint: str) -> str | None:
    """As the suite says, else the callable's own; "" if neither does; None after noting a fault."""
    written = node.get("version")
    if written is not None and (not isinstance(written.value, str | int) or isinstance(written.value, bool)):
        written.wrong("text", 'Write `version: "1"`, and raise it with every change.')
        return None
    version = getattr(function, "version", "") if written is None else written.value
    if not isinstance(version, str | int) or isinstance(version, bool):
        what = f"the attribute `version` of the target is a {type(version).__name__}, not text"
        node.fault(what, f"{hint}, which wins.")
        return None
    text = str(version).strip()
    if any(char.isspace() or char in "[]@" or not char.isprintable() for char in text) or "::" in text:
        what = f"{text!r} is no version of a target"
        (written or node).fault(what, "It stands in node ids: no white space, '@', '::' or brackets.")
        return None
    return text


def _source(function: Callable[..., Any], node: Node, hint: str) -> str | None:
    try:
        return callable_fingerprint(function)
    except ToolboxError as fault:
        node.fault(fault.what, f"{hint}, and raise it with every change.")
        return None


def _timeout(node: Node) -> float:
    written = node.get("timeout_s")
    seconds = written.number("seconds, a number from 0.001 to 86400", low=0.001, high=_DAY_S) if written else None
    return TIMEOUT_S if seconds is None or math.isnan(seconds) else seconds
