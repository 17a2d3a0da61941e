"""``.promptgate/accounts.json``: where each provider account's limit settled. A hint for the next run, and no more.

::

    {"limits": {"openai https://api.openai.com/v1": 48}}

So nothing is said when it is damaged, or cannot be written: the next run finds the limits anew.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "accounts.json"
_MOST = 100_000  # requests under way; more is no limit that anybody found


def read_limits(path: Path) -> dict[str, int]:
    """Limits by account; empty if the file is missing or damaged, without entries that make no sense."""
    try:
        value: Any = json.loads(path.read_bytes())
        found = value["limits"].items()
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    return {
        account: limit
        for account, limit in found
        if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= _MOST
    }


def write_limits(path: Path, limits: Mapping[str, int]) -> None:
    """Remember `limits`, and what is known of other accounts."""
    known = {**read_limits(path), **limits}
    text = json.dumps({"limits": dict(sorted(known.items()))}, indent=1) + "\n"
    with contextlib.suppress(OSError, LockfileError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda: (text.encode(),), file=path.name)
