"""Two trees of settings, compared key by key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


def structured_diff(before: Json, after: Json) -> list[str]:
    """``options.temperature: 0 -> 0.2``, a line per change, in the order of their keys."""
    from deepdiff import DeepDiff
    from deepdiff.helper import NotPresent

    def shown(value: object) -> str:
        return "(none)" if isinstance(value, NotPresent) else json.dumps(value, ensure_ascii=False, sort_keys=True)

    changes = [change for kind in DeepDiff(before, after, view="tree").values() for change in kind]
    paths = [_path(change.path(output_format="list")) for change in changes]
    return sorted(f"{path}: {shown(each.t1)} -> {shown(each.t2)}" for path, each in zip(paths, changes, strict=True))


def _path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
