from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scorer_rows import row, score, score_calls

from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.core.types import Completion, Unscored
from pytest_promptgate.scorers.forbidden import ForbiddenWords, Pii
from pytest_promptgate.scorers.language import Language
from pytest_promptgate.scorers.length import Length
from pytest_promptgate.scorers.ngrams import Bleu, Chrf, RougeL
from pytest_promptgate.scorers.numbers import Numeric
from pytest_promptgate.scorers.offers import promptgate_scorers
from pytest_promptgate.scorers.refusals import Refusal
from pytest_promptgate.scorers.regex import Regex
from pytest_promptgate.scorers.schemas import IsJson, JsonSchema
from pytest_promptgate.scorers.similarity import EditSimilarity, TokenF1
from pytest_promptgate.scorers.sql import SqlMatch
from pytest_promptgate.scorers.structure import JsonMatch, compare
from pytest_promptgate.scorers.text import Contains, ExactMatch
from pytest_promptgate.scorers.tools import ToolCalls

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

ANY_TEXT = st.text(st.characters(), max_size=60)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | ANY_TEXT
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ANY_TEXT, inner, max_size=5),
    max_leaves=15,
)
FEW = st.recursive(
    st.sampled_from([None, True, 1, "1", 0]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "__c"]), inner, max_size=3),
    max_leaves=8,
)
SCORERS = [
    ExactMatch(normalize=("nfkc", "casefold", "punctuation", "articles", "unquote", "quotes", "collapse_whitespace")),
    Contains(text=("a", "b"), match="any"),
    Regex(pattern=r"(\d+)[a-z]*", expected="expected", group=1),
    Numeric(expected="number", tolerance="5%"),
    JsonMatch(),
    JsonMatch(ignore_order=True, fenced=True, strict_numbers=True),
    IsJson(kind="object"),
    JsonSchema(schema={"type": ["object", "array"], "minItems": 1}),
    EditSimilarity(normalize=("nfkc", "casefold")),
    TokenF1(),
    Bleu(),
    Chrf(word_order=2),
    RougeL(stem=True),
    Length(at_least=3, at_most=20),
    Refusal(),
    ForbiddenWords(words=("a", "0"), whole_words=False),
    Pii(),
    SqlMatch(expected="query"),
]
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def held(value: Json) -> str:
    """The value's identity, in which 1 and 1.0 are one number."""
    return canonical(_whole(value))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shuffled(value: Any, random: Any, *, lists: bool) -> Any:
    """The value with the keys of its objects, and perhaps the items of its lists, in another order."""
    if isinstance(value, dict):
        pairs = [(key, shuffled(each, random, lists=lists)) for key, each in value.items()]
        random.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        items = [shuffled(each, random, lists=lists) for each in value]
        if lists:
            random.shuffle(items)
        return items
    return value


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: type(scorer).__name__)
@settings(deadline=None)  # deepdiff is imported in the first example
@given(answered=ANY_TEXT | JSON_VALUES.map(json.dumps) | NUMBERS.map(str), expected=ANY_TEXT)
def test_any_answer_has_a_score_between_0_and_1_and_a_printable_reason(
    scorer: Any, answered: str, expected: str
) -> None:
    case = row("x" + expected, number=7, query="SELECT 1")
    found = score(scorer, answered, case)
    assert 0.0 <= found.value <= 1.0
    assert (found.value == 1.0) == (found.reason == "")
    assert not CONTROLS.search(found.reason)
    assert len(found.reason) < 700


@settings(deadline=None)
@given(answered=ANY_TEXT)
def test_any_answer_has_a_language_or_none_that_can_be_told(answered: str) -> None:
    found = Language(wanted=("en",))(Completion(text=answered), row("x"))
    assert isinstance(found, Unscored) or found.value in (0.0, 1.0)
    assert not CONTROLS.search(found.reason)


@settings(deadline=None)
@given(value=JSON_VALUES, random=st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(value: Any, random: Any) -> None:
    answered = json.dumps(shuffled(value, random, lists=False))
    assert compare(value, json.loads(answered)).share == 1.0


@settings(deadline=None)
@given(value=JSON_VALUES, random=st.randoms(use_true_random=False))
def test_the_order_of_lists_does_not_matter_if_it_is_ignored(value: Any, random: Any) -> None:
    found = compare(value, shuffled(value, random, lists=True), ignore_order=True)
    assert (found.share, found.reason) == (1.0, "")


@settings(deadline=None, max_examples=300)
@given(expected=FEW, answered=FEW)
def test_two_values_score_1_exactly_if_they_are_the_same(expected: Any, answered: Any) -> None:
    found = compare(expected, answered)
    assert 0.0 <= found.share <= 1.0
    assert (found.share == 1.0) == (held(expected) == held(answered))


@settings(deadline=None, max_examples=300)
@given(expected=FEW, answered=FEW)
def test_ignoring_order_never_lowers_what_is_the_same(expected: Any, answered: Any) -> None:
    found = compare(expected, answered, ignore_order=True)
    assert 0.0 <= found.share <= 1.0
    assert found.share == 1.0 or held(expected) != held(answered)


@settings(deadline=None)
@given(calls=st.lists(st.tuples(st.sampled_from(["a", "b"]), ANY_TEXT | FEW.map(json.dumps)), max_size=4))
def test_any_tool_calls_have_a_score_between_0_and_1(calls: list[tuple[str, str]]) -> None:
    wanted: Json = ["a", {"name": "b", "arguments": {"a": 1}}]
    for ignore_order in (False, True):
        found = score_calls(ToolCalls(ignore_order=ignore_order), row(wanted), *calls)
        assert 0.0 <= found.value <= 1.0
        assert (found.value == 1.0) == (found.reason == "")


@settings(deadline=None)
@given(number=NUMBERS.filter(lambda number: abs(number) < 1e300))
def test_every_number_is_read_back(number: float) -> None:
    assert score(Numeric(), f"The total is {number}.", row(number)).value == 1.0


@settings(deadline=None)
@given(number=st.integers(-(10**15), 10**15))
def test_thousands_separators_change_nothing(number: int) -> None:
    for written in (f"{number:,}", f"{number:_}", f"{number:,}".replace("-", "\u2212")):
        assert score(Numeric(), f"about {written} units", row(number)).value == 1.0


def test_all_built_in_scorers_are_offered() -> None:
    assert " ".join(sorted(promptgate_scorers())) == (
        "all_of any_of bleu chrf compare contains edit_similarity embedding_similarity exact_match forbidden_words is_json json_match "
        "json_schema judge language length not numeric pii refusal regex rouge_l sql_match token_f1 tool_call weighted"
    )
