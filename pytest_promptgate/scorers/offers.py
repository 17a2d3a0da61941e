"""The scorers that come with the package. They import nothing heavy before an answer needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.hookspecs import hookimpl
from pytest_promptgate.scorers.numbers import Numeric
from pytest_promptgate.scorers.regex import Regex
from pytest_promptgate.scorers.schemas import IsJson, JsonSchema
from pytest_promptgate.scorers.structure import JsonMatch
from pytest_promptgate.scorers.text import Contains, ExactMatch
from pytest_promptgate.scorers.tools import ToolCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import ScorerOffer


@hookimpl
def promptgate_scorers() -> Mapping[str, ScorerOffer]:
    """Every built-in scorer by its name."""
    return {
        "contains": Contains,
        "exact_match": ExactMatch,
        "is_json": IsJson,
        "json_match": JsonMatch,
        "json_schema": JsonSchema,
        "numeric": Numeric,
        "regex": Regex,
        "tool_call": ToolCalls,
    }
