"""The law of the house, read from the sources themselves: docs/architecture.md says it in words."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = "pytest_promptgate"
SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))

MIDDLE_ROOMS = ("scorers", "models", "files", "workflows", "reports")
EVERYBODYS = {f"{PACKAGE}.errors", f"{PACKAGE}.core", f"{PACKAGE}.hookspecs", f"{PACKAGE}._version"}

# What pure code may use: nothing that reads a file, a clock, the environment, the network or chance.
CORE_STDLIB = {
    *("__future__", "base64", "binascii", "bisect", "calendar", "collections", "copy", "dataclasses", "decimal"),
    *("difflib", "enum"),
    *("fractions", "functools", "graphlib", "hashlib", "heapq", "itertools", "json", "keyword", "math", "numbers"),
    *("operator", "re", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata"),
}
# `inspect` reads the source of users' scorers, whose digest is their identity. scipy brings two quantiles that the
# standard library lacks, inside functions off the gate's usual path.
CORE_EXCEPTIONS = {"fingerprint": {"inspect"}, "canary": {"scipy"}, "intervals": {"scipy"}}

# Of the standard library, what a plain pytest run has loaded anyway.
PLUGIN_IMPORTS = {"__future__", "collections", "dataclasses", "importlib", "os", "pathlib", "pytest", "sys", "typing"}

HEAVY = {
    *("aiohttp", "click", "deepdiff", "jinja2", "jsonschema", "openai", "pandas", "pyarrow", "pydantic", "rich"),
    *("numpy", "scipy", "yaml", "rapidfuzz", "sacrebleu", "rouge_score", "nltk", "sqlglot", "py3langid"),
}
MOST_LINES = 280  # about 250 is meant; a few lines more are no reason to part what belongs together
MOST_LINES_OF_A_FUNCTION = 60
REASON = "Longer than other files on purpose"

# Named by pytest or by a protocol, which documents them.
FOREIGN_NAMES = {"collect", "from_parent", "repr_failure", "reportinfo", "runtest", "setup", "teardown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement's target, as a dotted module name."""

    module: str
    line: int
    top: bool  # at module level, and not for type checkers only


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in SOURCES}


@cache
def imports(path: Path) -> tuple[Import, ...]:
    return tuple(_walk(tree(path), top=True))


def _walk(node: ast.AST, *, top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inner = top and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inner = False
        if isinstance(child, ast.Import):
            yield from (Import(module=each.name, line=child.lineno, top=top) for each in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports hide which room is meant"
            for each in child.names:
                whole = f"{child.module}.{each.name}"
                yield Import(module=whole if whole in NAMES else str(child.module), line=child.lineno, top=top)
        else:
            yield from _walk(child, top=inner)


def told(path: Path, faults: list[Import]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{each.line} imports {each.module}" for each in faults]


def belongs(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE).parts[0]


@pytest.mark.parametrize("room", MIDDLE_ROOMS)
def test_the_middle_rooms_are_strangers_to_each_other(room: str) -> None:
    allowed = {f"{PACKAGE}.{room}", *EVERYBODYS}
    faults = [
        fault
        for path in SOURCES
        if room_of(path) == room
        for fault in told(
            path,
            [each for each in imports(path) if each.module.startswith(PACKAGE) and not belongs(each.module, allowed)],
        )
    ]

    assert faults == []


def test_the_core_imports_itself_and_what_cannot_touch_the_world() -> None:
    faults = []
    for path in SOURCES:
        if room_of(path) != "core":
            continue
        known = CORE_STDLIB | CORE_EXCEPTIONS.get(path.stem, set())
        ours = {f"{PACKAGE}.core", f"{PACKAGE}.errors"}
        faults += told(
            path,
            [
                each
                for each in imports(path)
                if each.module.split(".")[0] not in known and not belongs(each.module, ours)
            ],
        )

    assert faults == []


def test_errors_and_hook_specs_need_only_the_core() -> None:
    for name, allowed in {"errors": set[str](), "hookspecs": {f"{PACKAGE}.core"}}.items():
        path = ROOT / PACKAGE / f"{name}.py"
        ours = [each for each in imports(path) if each.module.startswith(PACKAGE)]

        assert told(path, [each for each in ours if not belongs(each.module, allowed)]) == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        name_of(path): {each.module for each in imports(path) if each.top and each.module in NAMES} - {PACKAGE}
        for path in SOURCES
    }

    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


def test_heavy_packages_stand_at_module_level_only_where_ruff_allows_them() -> None:
    ignores = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]
    allowed = {path for pattern, rules in ignores.items() if "TID253" in rules for path in ROOT.glob(pattern)}
    faults = [
        fault
        for path in SOURCES
        if path not in allowed
        for fault in told(path, [each for each in imports(path) if each.top and each.module.split(".")[0] in HEAVY])
    ]

    assert faults == []


def test_nothing_imports_what_only_one_major_version_of_the_client_brings() -> None:
    faults = [
        fault
        for path in SOURCES
        for fault in told(path, [each for each in imports(path) if each.module.split(".")[0] in {"httpx", "httpx2"}])
    ]

    assert faults == []


def test_the_plugin_imports_pytest_and_little_else() -> None:
    path = ROOT / PACKAGE / "plugin.py"
    faults = [each for each in imports(path) if each.top and each.module.split(".")[0] not in PLUGIN_IMPORTS]

    assert told(path, faults) == []


@pytest.mark.parametrize("module", [PACKAGE, f"{PACKAGE}.plugin"])
def test_importing_us_brings_at_most_three_modules_and_nothing_heavy(module: str) -> None:
    program = f"import sys, pytest; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    brought = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()

    ours = {each for each in brought if each.startswith(PACKAGE)}
    assert len(ours) <= 3, ours
    assert {each.split(".")[0] for each in brought} & HEAVY == set()


def test_files_are_short_or_say_why_not() -> None:
    faults = []
    for path in SOURCES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES and REASON not in (ast.get_docstring(tree(path)) or ""):
            faults.append(f"{path.relative_to(ROOT)}: {lines} lines")

    assert faults == []


def test_functions_are_short() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]

    assert faults == []


def test_every_public_name_is_documented() -> None:
    assert [fault for path in SOURCES for fault in _undocumented(path, tree(path))] == []


def _undocumented(path: Path, node: ast.Module | ast.ClassDef) -> Iterator[str]:
    if ast.get_docstring(node) is None:
        yield f"{path.relative_to(ROOT)} {getattr(node, 'name', 'module')}"
    for child in node.body:
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or _is_exempt(child.name):
            continue
        if isinstance(child, ast.ClassDef):
            yield from _undocumented(path, child)
        elif ast.get_docstring(child) is None:
            yield f"{path.relative_to(ROOT)}:{child.lineno} {child.name}"


def _is_exempt(name: str) -> bool:
    return name.startswith(("_", "pytest_")) or name in FOREIGN_NAMES


def test_no_file_is_a_box_for_anything() -> None:
    boxes = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}

    assert [name for name in NAMES if set(name.split(".")) & boxes] == []
