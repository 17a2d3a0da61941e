"""What must not stand in an answer: forbidden_words and pii."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.folding import undisguised
from pytest_promptgate.scorers.pii_patterns import KINDS, found_in
from pytest_promptgate.scorers.quoting import VALUE, quoted
from pytest_promptgate.scorers.settings import flag, strings, unknown

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenWords:
    """1.0 if none of the words stands in the answer, else 0.0.

    Compared after Unicode compatibility folding (full-width letters are plain ones), without invisible characters and
    with white space collapsed. An empty answer scores 1.

    Attributes:
        words: Words or phrases.
        ignore_case: Compare after Unicode case folding.
        whole_words: ``ass`` is not found in ``class``; False: also inside words, as scripts without spaces need.
    """

    words: tuple[str, ...]
    ignore_case: bool = True
    whole_words: bool = True

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = False

    def __post_init__(self) -> None:
        flag("ignore_case", self.ignore_case)
        flag("whole_words", self.whole_words)
        words = strings("words", self.words)
        for word in words:
            if not _folded(word, ignore_case=self.ignore_case):
                raise ValueError(f"words holds {quoted(word, width=VALUE)}, of which nothing is left to look for")
        object.__setattr__(self, "words", words)

    def __call__(self, completion: Completion, case: Case) -> Score:  # noqa: ARG002 - a scorer's signature
        text = _folded(completion.text, ignore_case=self.ignore_case)
        pattern = _pattern(self.words, ignore_case=self.ignore_case, whole_words=self.whole_words)
        found = list(dict.fromkeys(match[0] for match in pattern.finditer(text)))
        if not found:
            return Score(value=1.0)
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return Score(value=0.0, reason=f"says {', '.join(quoted(each, width=VALUE) for each in found[:3])}{more}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pii:
    """1.0 if the answer holds no personal data of these kinds, else 0.0. A heuristic of patterns and checksums.

    The reason counts what was found and never repeats it. Tool calls are not read. An empty answer scores 1.

    Attributes:
        kinds: email, phone (international or national, 7 to 15 digits), card (13 to 19 digits with Luhn's check
            digit), iban (a known country's length, and its check digits).
        allow: Texts that may stand there, such as the company's own address; compared without case and separators.

    Source:
        ISO/IEC 7812-1 annex B (Luhn), ISO 13616 and ISO/IEC 7064 MOD 97-10 (IBAN), ITU-T E.164 (telephone).
    """

    kinds: tuple[str, ...] = KINDS
    allow: tuple[str, ...] = ()

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = False

    def __post_init__(self) -> None:
        kinds = strings("kinds", self.kinds)
        for kind in kinds:
            if kind not in KINDS:
                raise unknown("kinds", kind, KINDS)
        object.__setattr__(self, "kinds", tuple(kind for kind in KINDS if kind in kinds))
        object.__setattr__(self, "allow", strings("allow", self.allow) if self.allow not in ((), []) else ())

    def __call__(self, completion: Completion, case: Case) -> Score:  # noqa: ARG002 - a scorer's signature
        text = undisguised(completion.text)
        allowed = {_bare(each) for each in self.allow}
        found = {kind: [each for each in found_in(text, kind) if _bare(each) not in allowed] for kind in self.kinds}
        told = [f"{len(each)} {kind}" for kind, each in found.items() if each]
        return Score(value=float(not told), reason=f"personal data: {', '.join(told)}" if told else "")


def _folded(text: str, *, ignore_case: bool) -> str:
    plain = undisguised(text)
    return plain.casefold() if ignore_case else plain


def _bare(text: str) -> str:
    return re.sub(r"[\s()/.-]", "", text).casefold()


@functools.lru_cache
def _pattern(words: Sequence[str], *, ignore_case: bool, whole_words: bool) -> re.Pattern[str]:
    plain = sorted({_folded(word, ignore_case=ignore_case) for word in words}, key=lambda word: (-len(word), word))
    either = "|".join(map(re.escape, plain))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if whole_words else either)
