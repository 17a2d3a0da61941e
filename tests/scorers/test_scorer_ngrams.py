"""bleu, chrf and rouge_l, against the numbers of sacrebleu 2.6.0 and rouge-score 0.1.2."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion, Json, Unscored
from pytest_promptgate.scorers.ngrams import Bleu, Chrf, RougeL

# answered, expected; then what the packages print: BLEU, chrF, chrF++ (of 100) and ROUGE-L's F
NUMBERS = [
    ("The dog bit the man.", "The dog had bit the man.", 51.15078115793242, 67.64711450656517, 70.38804247593207, 10 / 11),
    ("It was not unexpected.", "No one was surprised.", 12.703318703865365, 16.975848873121873, 17.733714512095204, 0.25),
    ("The man bit him first.", "The man had bitten the dog.", 15.207218222740094, 26.090186250405612, 27.24006833681962, 4 / 11),
    ("the cat sat on the mat", "the cat is on the mat", 37.99178428257963, 64.5779420625287, 66.36067072084818, 5 / 6),
    ("Das ist ein Test", "Dies ist ein kleiner Test", 27.534765745159184, 35.824866159365, 38.05633854190491, 2 / 3),
]  # fmt: skip
TEXTS = st.lists(
    st.sampled_from(["the", "cat", "sat", "on", "a", "mat", ".", ",", "Katze", "猫", "don't", "running", "ran", "12"]),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(("answered", "expected", "bleu", "chrf", "plus", "rouge"), NUMBERS)
def test_the_numbers_are_those_of_the_packages(
    answered: str, expected: str, bleu: float, chrf: float, plus: float, rouge: float
) -> None:
    case = row(expected)
    assert score(Bleu(), answered, case).value == pytest.approx(bleu / 100, abs=1e-12)
    assert score(Chrf(), answered, case).value == pytest.approx(chrf / 100, abs=1e-12)
    assert score(Chrf(word_order=2), answered, case).value == pytest.approx(plus / 100, abs=1e-12)
    assert score(RougeL(), answered, case).value == pytest.approx(rouge, abs=1e-12)


@settings(deadline=None)
@given(answered=TEXTS.filter(bool), expected=TEXTS.filter(bool))
def test_they_stay_so_with_the_packages_installed(answered: str, expected: str) -> None:
    metrics = pytest.importorskip("sacrebleu.metrics")
    whole = metrics.BLEU(effective_order=True).sentence_score(answered, [expected]).score / 100
    letters = metrics.CHRF().sentence_score(answered, [expected]).score / 100
    assert score(Bleu(), answered, row(expected)).value == pytest.approx(min(whole, 1), abs=1e-9)
    assert score(Chrf(), answered, row(expected)).value == pytest.approx(min(letters, 1), abs=1e-9)


@settings(deadline=None)
@given(answered=TEXTS.filter(bool), expected=st.just("the cats were running , 12 ."), stem=st.booleans())
def test_rouge_stays_so_with_the_package_installed(answered: str, expected: str, stem: bool) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=stem)
    theirs = scorer.score(expected, answered)["rougeL"]
    for part, number in (("f", theirs.fmeasure), ("precision", theirs.precision), ("recall", theirs.recall)):
        ours = score(RougeL(part=part, stem=stem), answered, row(expected)).value
        assert ours == pytest.approx(number, abs=1e-9)


@pytest.mark.parametrize("scorer", [Bleu(), Chrf(), Chrf(word_order=2), RougeL(), RougeL(stem=True)])
def test_the_reference_itself_scores_1_and_nothing_scores_0(scorer: Any) -> None:
    assert score(scorer, "The cat is on the mat.", row("The cat is on the mat.")).value == 1.0
    assert score(scorer, "yes", row("yes")).value == 1.0
    empty = score(scorer, " \n", row("yes"))
    assert (empty.value, empty.reason) == (0.0, "the answer is empty")


def test_the_best_of_several_references_counts() -> None:
    two: Json = ["a completely different thing", "the cat is on the mat"]
    for scorer in (Bleu(), Chrf(), RougeL()):
        assert score(scorer, "the cat is on the mat", row(two)).value == 1.0
    assert score(RougeL(expected="refs"), "the mat", bare_row(refs=two)).value == pytest.approx(0.5)


def test_a_reason_names_the_measure_and_both_texts() -> None:
    found = score(RougeL(), "the cat", row("the dog"))
    assert found.reason == "ROUGE-L 0.500: answered 'the cat', expected 'the dog'"
    assert score(Bleu(), "x", row("y")).reason == "BLEU 0.000: answered 'x', expected 'y'"


def test_case_and_tokens_are_settings() -> None:
    assert score(Bleu(lowercase=True), "THE CAT", row("the cat")).value == 1.0
    assert score(Chrf(lowercase=True), "THE CAT", row("the cat")).value == 1.0
    assert score(Bleu(tokenize="char"), "\u732b\u304c\u3044\u308b", row("\u732b\u304c\u3044\u308b")).value == 1.0


def test_rouge_has_no_words_in_other_scripts() -> None:
    with pytest.raises(ValueError) as told:
        RougeL().check(row("\u732b\u304c\u3044\u308b"))
    assert str(told.value) == (
        "'\u732b\u304c\u3044\u308b' has no ASCII letters or digits, of which ROUGE's words are made"
    )
    assert score(RougeL(), "\u732b", row("cat")).value == 0.0


@pytest.mark.parametrize("scorer", [Bleu(), Chrf(), RougeL()])
def test_a_megabyte_is_unscored(scorer: Any) -> None:
    assert scorer(Completion(text="word " * 200_000), row("word")) == Unscored(
        reason="the answer has 1,000,000 characters; only texts of up to 100,000 are compared"
    )


@pytest.mark.parametrize(
    ("scorer", "given", "message"),
    [
        (Bleu, {"tokenize": "ja-mecab"}, "tokenize cannot be 'ja-mecab'. Accepted: 13a, char, intl, none, zh"),
        (Bleu, {"lowercase": 1}, "lowercase must be true or false, not 1"),
        (Chrf, {"word_order": 5}, "word_order must be a whole number from 0 to 4, not 5"),
        (Chrf, {"word_order": True}, "word_order must be a whole number from 0 to 4, not true"),
        (RougeL, {"part": "fmeasure"}, "part cannot be 'fmeasure'. Accepted: f, precision, recall"),
        (RougeL, {"stem": "yes"}, "stem must be true or false, not 'yes'"),
    ],
)
def test_wrong_settings_of_ngrams_are_refused(scorer: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        scorer(**given)
    assert str(told.value) == message
