"""The Jinja environment of prompts: no way to Python's inside or to the disk, and no way to run without end.

Templates are reviewed code and rows are not, so rows are only ever values here.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from pytest_promptgate.files.sandbox_sizes import check_binop, check_filter, check_format, check_method
from pytest_promptgate.files.spending import spent

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context

_LOOP, _MADE = "promptgate_loop", "promptgate_made"  # filters that no template writes


def _range(*bounds: int) -> range:
    counted = range(*bounds)
    spent.count(counted)
    return counted


def _lipsum(*_: object, **__: object) -> NoReturn:
    raise SecurityError("lipsum() gives another text every time")


def _raise_exception(message: object = "") -> NoReturn:
    """As templates of chat models call it, to refuse what they cannot show."""
    raise TemplateRuntimeError(str(message))


class _Counted(NodeTransformer):
    """Has every loop counted, and every value that grows by being put together."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 (named by Jinja)
        self.generic_visit(node)
        node.iter = _through(_LOOP, node.iter)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:  # noqa: N802
        self.generic_visit(node)
        node.filter = _through(_MADE, node.filter)
        return node

    def _visit_grown(self, node: nodes.Expr) -> nodes.Filter:
        self.generic_visit(node)
        return _through(_MADE, node)

    visit_Concat = visit_List = visit_Dict = _visit_grown  # noqa: N815

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        return self._visit_grown(node) if node.ctx == "load" else node


def _through(name: str, node: Any) -> nodes.Filter:
    """The value of `node`; without one, of the block that the filter belongs to."""
    through = nodes.Filter(node, name, [], [], None, None)
    through.set_lineno(node.lineno if node is not None else 1)
    return through


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        _Counted().visit(source)
        return super()._generate(source, *args, **kwargs)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        spent.call()
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str):
            check_method(owner, function.__name__, *args)
        if isinstance(function, LoopContext) and args:
            args = (spent.loop(args[0]), *args[1:])
        return spent.make(super().call(context, function, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        check_binop(operator, left, right)
        return spent.make(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        @wraps(wrapped)
        def checked(*args: Any, **kwargs: Any) -> str:
            check_format(value.__self__, args, kwargs)
            return wrapped(*args, **kwargs)

        return checked


def _checked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is asked for its size before it is computed, and counted afterwards."""
    first = int(hasattr(function, "jinja_pass_arg"))  # some get the environment or the context first

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        spent.check_time()
        check_filter(name, *args[first:], **kwargs)
        return spent.make(function(*args, **kwargs))

    return checked


# Trailing line feeds are kept, as Prompty keeps them: those at both ends of a message are stripped at the end.
environment = _Environment(
    undefined=StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
    extensions=["jinja2.ext.loopcontrols"],  # {% break %}, {% continue %}: templates of chat models use them
)
environment.globals |= {"range": _range, "lipsum": _lipsum, "raise_exception": _raise_exception}
del environment.filters["random"]  # one row has one prompt
environment.filters = {name: _checked(name, each) for name, each in environment.filters.items()}
environment.filters |= {_LOOP: spent.loop, _MADE: spent.make}
