"""``package.module:name`` in a suite: users' own code, imported as pytest would."""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from pytest_promptgate.files.node import Node

_REFERENCE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_CALLED = {
    "scorer": "A scorer is called with the completion and the case.",
    "target": "A target is called with the inputs of a case, and returns the answer.",
}


def import_callable(reference: str, node: Node, root: Path, *, role: str = "scorer") -> Callable[..., Any] | None:
    """What ``package.module:name`` names, or None after noting a fault at `node`.

    `root` joins ``sys.path`` for good, as pytest does with a test's directory: users' code may import later as well.

    Args:
        reference: As it is written.
        node: Where.
        root: Pytest's root directory.
        role: What it is wanted for: "scorer" or "target".
    """
    if not _REFERENCE.match(reference):
        node.fault(f"{reference!r} is no reference to a function", "Write package.module:function.")
        return None
    module_name, _, attribute = reference.partition(":")
    module = _import(module_name, node, root)
    found: Any = module
    for part in attribute.split(".") if module is not None else ():
        if not hasattr(found, part):
            public = [name for name in vars(found) if not name.startswith("_")] if hasattr(found, "__dict__") else []
            node.fault(f"{module_name} has no {attribute!r}", did_you_mean(part, public, label="It has"))
            return None
        found = getattr(found, part)
    if module is not None and not callable(found):
        node.fault(f"{reference} is no function", _CALLED[role])
        return None
    return found  # type: ignore[no-any-return]


def _import(name: str, node: Node, root: Path) -> ModuleType | None:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name and (name == fault.name or name.startswith(f"{fault.name}.")):
            hint = "It has to be installed, or to lie below pytest's root directory."
            node.fault(f"there is no module {fault.name!r}", hint)
        else:
            node.fault(_broken(name, fault))
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - it is users' code that raises
        node.fault(_broken(name, fault))
    return None


def _broken(name: str, fault: BaseException) -> str:
    if isinstance(fault, SyntaxError):
        file, line, text = fault.filename, fault.lineno, fault.msg
    else:
        ours = [frame for frame in traceback.extract_tb(fault.__traceback__) if "importlib" not in frame.filename]
        frame = next((each for each in reversed(ours) if each.filename != __file__), None)
        file, line, text = (frame.filename, frame.lineno, str(fault)) if frame else (None, None, str(fault))
    where = f" at {_near(file)}:{line}" if file else ""
    return f"importing {name} failed{where}: {one_line(f'{type(fault).__name__}: {text}', width=200)}"


def _near(file: str) -> str:
    path = Path(file)
    root = next((entry for entry in sys.path if entry and path.is_relative_to(entry)), None)
    return path.relative_to(root).as_posix() if root else path.as_posix()
