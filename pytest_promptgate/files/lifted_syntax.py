"""What the expressions and statements of a module are, as far as prompts are concerned."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from pytest_promptgate.files.prompty_format import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMED = re.compile(r"prompt|template|system|instruction|message", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAMED_WORDS = 3
_UNNAMED_WORDS = 15
_OTHER_LANGUAGES = re.compile(r"\s*(<|SELECT\b|INSERT\b|UPDATE\b|CREATE\b|WITH\b|#!)")
_TOLD_TO_PEOPLE = re.compile(r"(?:^|\.)(print|debug|info|warning|warn|error|exception|critical|add_argument|echo)\Z")
_SHAPING = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
_UNINDENTING = {"dedent": textwrap.dedent, "cleandoc": inspect.cleandoc}
_LANGCHAIN = {"human": "user", "ai": "assistant"}
_JINJA_MAKERS = {"Template", "from_string"}
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


# --- what an expression is -------------------------------------------------------------------------------------------


def constant(node: ast.expr) -> str | None:
    """The text of a string constant, also of one that is unindented or stripped; None if it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in _UNINDENTING and len(node.args) == 1:
        text = constant(node.args[0])
        return None if text is None else _UNINDENTING[called](text)
    if isinstance(node.func, ast.Attribute) and called in _SHAPING and not node.args:
        text = constant(node.func.value)
        return None if text is None else _SHAPING[called](text)
    return None


def template_of(node: ast.AST) -> ast.expr | None:
    """What ``.format(…)`` or ``%`` fills in."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return node.func.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return node.left
    return None


def is_text(node: ast.AST) -> bool:
    """Whether an expression gives a text of which a part stands in the code."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.expr) and constant(node) is not None:
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_text(node.left) or is_text(node.right)
    template = template_of(node)
    if template is not None:
        return is_text(template)
    # A method of a text, such as f"…".strip(): what it does to the text is not followed.
    return (
        isinstance(node, ast.Call)
        and (isinstance(node.func, ast.Attribute) and node.func.attr in {*_SHAPING, *_UNINDENTING, "replace"})
        and (is_text(node.func.value) or any(map(is_text, node.args[:1])))
    )


def literal(node: ast.expr) -> str:
    """All texts that stand in an expression."""
    return " ".join(
        each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def looks_like_a_prompt(text: str, name: str) -> bool:
    """Whether a text is one by its own name, or, if that says nothing or is "", by its length."""
    words = len(_WORD.findall(text))
    if _NAMED.search(name):
        return words >= _NAMED_WORDS
    return words >= _UNNAMED_WORDS and not _OTHER_LANGUAGES.match(text)


def message_of(node: ast.AST) -> tuple[str, ast.expr] | None:
    """Role and content of ``{"role": "user", "content": …}``, or of LangChain's ``("human", "…")``."""
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        said = constant(node.elts[0]) or ""
        role = _LANGCHAIN.get(said, said)
        return (role, node.elts[1]) if role in ROLES and is_text(node.elts[1]) else None
    if not isinstance(node, ast.Dict):
        return None
    found = {key.value: each for key, each in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
    written = found.get("role")
    if not (isinstance(written, ast.Constant) and written.value in ROLES and "content" in found):
        return None
    return str(written.value), found["content"]


# --- the module around it --------------------------------------------------------------------------------------------


def children(node: ast.AST, name: str, *, named: bool) -> Iterator[tuple[ast.AST, str, bool]]:
    """What to look into below `node`, with the nearest name, and whether that is its own."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _TOLD_TO_PEOPLE.search(ast.unparse(node.func))):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is not None:
            yield node.value, _target_name(target) or name, True
    elif isinstance(node, ast.keyword):
        yield node.value, node.arg if node.arg and _NAMED.search(node.arg) else name, True
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            own = isinstance(key, ast.Constant) and isinstance(key.value, str)
            yield value, str(key.value) if isinstance(key, ast.Constant) and own else name, own
    elif isinstance(node, _Function):
        positional = [*node.args.posonlyargs, *node.args.args]
        defaults = node.args.defaults
        pairs = [*zip(positional[len(positional) - len(defaults) :], defaults, strict=True)]
        pairs += [(arg, value) for arg, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value]
        yield from ((value, arg.arg, True) for arg, value in pairs)
        yield from ((statement, node.name, False) for statement in node.body)
    else:
        for child in ast.iter_child_nodes(node):
            yield child, name, named and isinstance(node, ast.Call)


def _target_name(target: ast.expr) -> str:
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def added_to(tree: ast.Module) -> frozenset[str]:
    """Names whose text grows by ``+=``."""
    return frozenset(_target_name(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign)) - {""}


def constants(tree: ast.Module) -> Mapping[str, ast.expr]:
    """Texts by the names that are bound to them, and to nothing else anywhere."""
    bound = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    targets = Counter(_target_name(target) for node in bound for target in node.targets)
    targets.update(
        _target_name(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign) for _ in "12"
    )
    single = {_target_name(node.targets[0]): node.value for node in bound if len(node.targets) == 1}
    return {name: value for name, value in single.items() if name and targets[name] == 1 and is_text(value)}


def uses(tree: ast.Module) -> Mapping[str, ast.Call | ast.BinOp | str]:
    """How names are filled: by the call of ``format``, by ``%``, or as a template of Jinja."""
    uses: dict[str, ast.Call | ast.BinOp | str] = {}
    for node in ast.walk(tree):
        template = template_of(node)
        if isinstance(node, ast.Call | ast.BinOp) and isinstance(template, ast.Name):
            uses.setdefault(template.id, node)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in _JINJA_MAKERS:
                uses[node.args[0].id] = "jinja"
    return uses
