from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion, Score, ToolCall, Unscored
from pytest_promptgate.scorers.language import CODES, Language

SENTENCES = {
    "en": "The order was shipped yesterday.",
    "de": "Die Bestellung wurde gestern verschickt.",
    "fr": "La commande a \u00e9t\u00e9 exp\u00e9di\u00e9e hier.",
    "es": "El pedido se envi\u00f3 ayer.",
    "it": "L'ordine \u00e8 stato spedito ieri.",
    "pl": "Zam\u00f3wienie zosta\u0142o wys\u0142ane wczoraj.",
    "ru": "\u0417\u0430\u043a\u0430\u0437 \u0431\u044b\u043b \u043e\u0442\u043f\u0440\u0430\u0432\u043b\u0435\u043d \u0432\u0447\u0435\u0440\u0430.",
    "ja": "\u6ce8\u6587\u306f\u6628\u65e5\u767a\u9001\u3055\u308c\u307e\u3057\u305f\u3002",
    "ko": "\uc8fc\ubb38\uc740 \uc5b4\uc81c \ubc1c\uc1a1\ub418\uc5c8\uc2b5\ub2c8\ub2e4.",
}


@pytest.mark.parametrize(("code", "text"), SENTENCES.items())
def test_a_sentence_is_in_its_language(code: str, text: str) -> None:
    assert score(Language(wanted=(code,)), text) == Score(value=1.0, labels=(code, code))
    other = "de" if code != "de" else "en"
    found = score(Language(wanted=(other,)), text)
    assert (found.value, found.labels) == (0.0, (code, other))
    assert found.reason.startswith(f"the answer is in {code} (0.") or "(1.00)" in found.reason
    assert found.reason.endswith(f"wanted is {other}")


def test_the_model_knows_the_codes_and_its_answer_is_ours() -> None:
    model = pytest.importorskip("py3langid.langid")
    identifier = model.LanguageIdentifier.from_model_file(model.MODEL_FILE, norm_probs=True)
    assert set(identifier.labels) - {"zxx"} == CODES
    for text in SENTENCES.values():
        code, _ = identifier.classify(text)
        assert score(Language(wanted=(code,)), text).value == 1.0


@pytest.mark.parametrize("text", ["ok", "1234 56", "print('hello')", "billing", "!!!", "\U0001f600", "\ud800"])
def test_what_has_no_language_is_unscored(text: str) -> None:
    found = Language(wanted=("en",))(Completion(text=text), bare_row())
    assert isinstance(found, Unscored)
    assert found.reason.startswith("its language cannot be told: likeliest is ")


def test_fewer_candidates_are_surer_but_never_a_guess() -> None:
    two = Language(wanted=("es",), among=("en", "es"))
    assert score(two, "S\u00ed, claro.").value == 1.0
    for text in ("ok", "1 2"):
        assert isinstance(two(Completion(text=text), bare_row()), Unscored)


def test_the_row_can_name_the_language() -> None:
    scorer = Language(expected="lang")
    for written in ("de", "de-AT", "de_DE", " DE "):
        assert score(scorer, SENTENCES["de"], bare_row(lang=written)).value == 1.0
    assert score(Language(), SENTENCES["de"], row("de")).value == 1.0
    assert score(Language(wanted=("en", "de")), SENTENCES["de"]).value == 1.0
    assert "nb" not in CODES
    assert Language(wanted=("nb",)).wanted == ("no",)


def test_no_text_is_wrong_and_tool_calls_alone_cannot_be_told() -> None:
    assert score(Language(wanted=("de",)), " ") == Score(
        value=0.0, reason="the answer is empty", labels=("empty", "de")
    )
    called = Completion(text="", tool_calls=(ToolCall(name="lookup", arguments="{}"),))
    assert Language(wanted=("de",))(called, bare_row()) == Unscored(reason="the answer has tool calls and no text")


def test_a_megabyte_is_read_at_its_beginning() -> None:
    assert score(Language(wanted=("de",)), SENTENCES["de"] * 30_000).value == 1.0


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (3, "the expected value must be the code of a language, such as de, not 3"),
        (None, "the expected value must be the code of a language, such as de, not null"),
    ],
)
def test_a_row_without_a_language_is_an_error(expected: Any, message: str) -> None:
    with pytest.raises(ValueError) as told:
        Language().check(row(expected))
    assert str(told.value) == message
    with pytest.raises(ValueError) as unknown:
        Language().check(row("german"))
    assert str(unknown.value).startswith("the expected language cannot be 'german'. Accepted: ace, af, am, ")
    with pytest.raises(ValueError) as lacking:
        Language(among=("en", "fr")).check(row("de"))
    assert str(lacking.value) == "among lacks 'de', which this row wants"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wanted": "de", "expected": "lang"}, "wanted and expected exclude each other: wanted stands in the suite, expected in the row"),
        ({"wanted": "de", "among": ["en", "fr"]}, "among lacks 'de', which is wanted"),
        ({"wanted": "de", "among": ["de"]}, "among names one language, so every answer would be in it"),
        ({"wanted": "de", "confidence": 2}, "confidence must be a number from 0 to 1, not 2"),
        ({"wanted": "de", "confidence": float("nan")}, "confidence must be a number from 0 to 1, not nan"),
        ({"wanted": []}, "wanted must not be an empty list"),
    ],
)  # fmt: skip
def test_language_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Language(**settings)
    assert str(told.value) == message
