"""Deprecation dates of models: of promptgate.yaml, and of a table such as LiteLLM's.

LiteLLM's ``model_prices_and_context_window.json`` holds, per model, an optional ``deprecation_date``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.deprecation import is_date
from pytest_promptgate.errors import ConfigError, Place
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.files.node import Node

KEY = "deprecation_date"
_MOST_BYTES = 50_000_000


def own_dates(prices: Node | None) -> dict[str, str]:
    """The dates in the entries of ``prices:``, by provider/model. Faults are noted."""
    found: dict[str, str] = {}
    for model, entry in prices.pairs() if prices and isinstance(prices.value, Mapping) else []:
        node = entry.get(KEY)
        if node is None:
            continue
        if isinstance(node.value, str) and is_date(node.value):
            found[model] = node.value
        else:
            node.wrong("a day, such as 2026-01-31")
    return found


def table_dates(path: Path, *, file: str) -> dict[str, str]:
    """The dates in a table of models; those that are no dates, and models without one, are left out.

    Args:
        path: A JSON file, in LiteLLM's form.
        file: What messages call it.

    Raises:
        ConfigError: It cannot be read, or is no such table.
    """
    text = read_whole(path, file=file, error=ConfigError, most_bytes=_MOST_BYTES)
    hint = "It is LiteLLM's model_prices_and_context_window.json: {model: {deprecation_date: …}}."
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(Place(file=file), "it is no JSON", hint=hint) from None
    if not isinstance(table, dict):
        raise ConfigError(Place(file=file), "it is no table of models", hint=hint)
    dates = {model: entry.get(KEY) for model, entry in table.items() if isinstance(entry, Mapping)}
    return {model: date for model, date in dates.items() if isinstance(date, str) and is_date(date)}
