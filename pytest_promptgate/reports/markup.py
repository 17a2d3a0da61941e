"""HTML in which no text can be anything but text: every string that is not `Markup` is escaped on its way in."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from pytest_promptgate.core.printable import printable

_VOID = frozenset({"br", "line", "rect", "circle", "path", "polyline"})  # nothing stands between start and end


class Markup(str):
    """Text that is HTML already. Made by `tag` and `joined` alone."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | Iterable[Markup | str]"


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Args:
        children: Strings are escaped, with control and direction characters written out; `Markup` is taken as it is.
        attributes: None and False leave one out, True gives one without a value; ``class_`` and ``aria_label`` stand
            for ``class`` and ``aria-label``.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    inner = joined(*children)
    return Markup(f"<{name}{given}/>" if name in _VOID and not inner else f"<{name}{given}>{inner}</{name}>")


def joined(*children: Child) -> Markup:
    """Elements and texts one after the other."""
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(printable(child), quote=False)
    return "".join(map(_child, child))


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.5g}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(printable(shown))}"'
