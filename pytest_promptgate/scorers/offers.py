"""The scorers that come with the package. They import nothing heavy before an answer needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.hookspecs import hookimpl
from pytest_promptgate.scorers.combined import AllOf, AnyOf, Not, Weighted
from pytest_promptgate.scorers.comparison import RubricComparison
from pytest_promptgate.scorers.embedding import EmbeddingSimilarity
from pytest_promptgate.scorers.forbidden import ForbiddenWords, Pii
from pytest_promptgate.scorers.judge import RubricJudge
from pytest_promptgate.scorers.language import Language
from pytest_promptgate.scorers.length import Length
from pytest_promptgate.scorers.ngrams import Bleu, Chrf, RougeL
from pytest_promptgate.scorers.numbers import Numeric
from pytest_promptgate.scorers.refusals import Refusal
from pytest_promptgate.scorers.regex import Regex
from pytest_promptgate.scorers.schemas import IsJson, JsonSchema
from pytest_promptgate.scorers.similarity import EditSimilarity, TokenF1
from pytest_promptgate.scorers.sql import SqlMatch
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
        "all_of": AllOf,
        "any_of": AnyOf,
        "bleu": Bleu,
        "chrf": Chrf,
        "compare": RubricComparison,
        "contains": Contains,
        "edit_similarity": EditSimilarity,
        "embedding_similarity": EmbeddingSimilarity,
        "exact_match": ExactMatch,
        "forbidden_words": ForbiddenWords,
        "is_json": IsJson,
        "json_match": JsonMatch,
        "json_schema": JsonSchema,
        "judge": RubricJudge,
        "language": Language,
        "length": Length,
        "not": Not,
        "numeric": Numeric,
        "pii": Pii,
        "refusal": Refusal,
        "regex": Regex,
        "rouge_l": RougeL,
        "sql_match": SqlMatch,
        "token_f1": TokenF1,
        "tool_call": ToolCalls,
        "weighted": Weighted,
    }
