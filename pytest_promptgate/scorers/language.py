"""The scorer language. The only module that imports py3langid."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score, Unscored
from pytest_promptgate.scorers.extras import check_installed
from pytest_promptgate.scorers.settings import name_of_expected, strings, unknown, wrong

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion

_ABOVE_CHANCE = 1.5  # times the probability of a guess
READ = 10_000  # characters of an answer that are read

# ISO 639 codes of the model of py3langid 0.4, so that a suite is checked without loading it.
_CODES = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr "
    "fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko "
    "ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru "
    "rw sa sdh se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo "
    "yue zh zu"
)
CODES = frozenset(_CODES.split())
_ALIASES = {"nb": "no"}  # the model does not tell Bokmål from Norwegian
_NO_LANGUAGE = "zxx"  # how the model calls code, digits and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """1.0 if the answer is in the language wanted, 0.0 if it is in another; unscored where that cannot be told.

    Read are the first 10,000 characters. Short answers, code, names and numbers have no language that could be told:
    below `confidence` the answer is unscored. An answer in two languages counts as the one that prevails. An empty
    answer scores 0; one that consists of tool calls alone is unscored.

    Attributes:
        wanted: Its ISO 639 code, or several that are all right.
        expected: Column, or key of the expected value, that holds the code (``de``, also ``de-AT``); without `wanted`.
        among: Codes that are considered at all; fewer make short answers surer. Empty: all.
        confidence: Least probability of the likeliest language, from 0 to 1; never less than 1.5 times chance.

    Source:
        The model of py3langid, after Lui & Baldwin, langid.py (2012).
    """

    wanted: tuple[str, ...] | None = None
    expected: str | None = None
    among: tuple[str, ...] = ()
    confidence: float = 0.2

    revision: ClassVar[int] = 1
    labels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        if self.wanted is not None and self.expected is not None:
            raise ValueError("wanted and expected exclude each other: wanted stands in the suite, expected in the row")
        if self.wanted is not None:
            object.__setattr__(self, "wanted", _codes("wanted", self.wanted))
        object.__setattr__(self, "among", _codes("among", self.among) if self.among not in ((), []) else ())
        outside = [code for code in self.wanted or () if self.among and code not in self.among]
        if outside:
            raise ValueError(f"among lacks {outside[0]!r}, which is wanted")
        if len(self.among) == 1:
            raise ValueError("among names one language, so every answer would be in it")
        share = self.confidence
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise wrong("confidence", "a number from 0 to 1", share)
        check_installed("language", "py3langid")

    @property
    def needs_expected(self) -> bool:
        """True if the row holds the language."""
        return self.wanted is None

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        self._wanted(case)

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:
        wanted = self._wanted(case)
        text = completion.text.strip()[:READ]
        if not text:
            if completion.tool_calls:
                return Unscored(reason="the answer has tool calls and no text")
            return Score(value=0.0, reason="the answer is empty", labels=("empty", wanted[0]))
        code, share = _likeliest(text, self.among)
        if share < max(self.confidence, _ABOVE_CHANCE / (len(self.among) or len(CODES))) or code == _NO_LANGUAGE:
            return Unscored(reason=f"its language cannot be told: likeliest is {code} with {share:.2f}")
        if code in wanted:
            return Score(value=1.0, labels=(code, code))
        told = f"the answer is in {code} ({share:.2f}), wanted is {' or '.join(wanted)}"
        return Score(value=0.0, reason=told, labels=(code, wanted[0]))

    def _wanted(self, case: Case) -> tuple[str, ...]:
        if self.wanted is not None:
            return self.wanted
        value = expected_of(case, self.expected)
        if not isinstance(value, str):
            raise wrong("the expected value", "the code of a language, such as de", value)
        codes = _codes("the expected language", value.partition("-")[0].partition("_")[0].strip().lower())
        if self.among and codes[0] not in self.among:
            raise ValueError(f"among lacks {codes[0]!r}, which this row wants")
        return codes


def _codes(setting: str, value: object) -> tuple[str, ...]:
    codes = tuple(_ALIASES.get(code, code) for code in strings(setting, value))
    for code in codes:
        if code not in CODES:
            raise unknown(setting, code, CODES)
    return codes


def _likeliest(text: str, among: tuple[str, ...]) -> tuple[str, float]:
    code, share = _identifier(among).classify(text)
    return str(code), float(share)


@functools.lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(among or None)
    return identifier
