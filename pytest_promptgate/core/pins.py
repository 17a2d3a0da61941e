"""Whether a model id names one fixed snapshot, and whether that snapshot answered. The table is `core.pin_rules`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.pin_rules import ALIASES, ECHOING, FREE_NAMES, PREFIXES, RULES, PinStatus, Rule
from pytest_promptgate.errors import PinError

if TYPE_CHECKING:
    from pytest_promptgate.core.types import ModelPin
    from pytest_promptgate.errors import Place

__all__ = ["PinLabel", "PinStatus", "ServedModel", "check_pin", "compare_served", "label", "parse_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinLabel:
    """What an id says of itself."""

    status: PinStatus
    suggestion: str | None = None  # what a floating id was last seen to name; it need not be pinned itself
    why: str = ""


class ServedModel(StrEnum):
    """How the model that answered compares with the pin."""

    SAME = "same"
    FORMAT_ONLY = "format only"  # the same snapshot, spelled otherwise: a warning
    OTHER = "other"  # another snapshot: an error
    NOT_VERIFIABLE = "not verifiable"  # the provider repeats what was asked, or does not say


def parse_model(text: str) -> tuple[str, str]:
    """Provider and the provider's own name of ``provider/id``; a bare id is OpenAI's."""
    provider, slash, name = text.partition("/")
    return (provider, name) if slash else ("openai", text)


def label(family: str, model: str) -> PinLabel:
    """Tell whether `model` is a fixed snapshot, by the rules of its provider's family.

    A family without rules makes every id unknown.
    """
    if not model.strip():
        return PinLabel(status=PinStatus.UNKNOWN, why="it is empty")
    snapshot = ALIASES.get(family, {}).get(model)
    if snapshot is not None:
        return PinLabel(status=PinStatus.FLOATING, suggestion=snapshot, why="an alias of dated snapshots")
    for rule in RULES.get(family, ()):
        judged = _apply(rule, model)
        if judged is not None:
            return judged
    return PinLabel(status=PinStatus.UNKNOWN, why="no rule tells")


def check_pin(pin: ModelPin, *, family: str, where: Place | str) -> None:
    """Refuse a pin that is no fixed snapshot.

    Raises:
        PinError: `pin` floats, or nobody knows and the user has not given their word for it.
    """
    judged = label(family, pin.name)
    if judged.status is PinStatus.PINNED or (judged.status is PinStatus.UNKNOWN and pin.vouched):
        return
    if judged.status is PinStatus.FLOATING:
        raise PinError(where, f"{pin} is a floating alias", hint=_floating_hint(pin, family, judged))
    raise PinError(
        where, f"cannot tell whether {pin} is one fixed snapshot: {judged.why}", hint=_unknown_hint(pin, family)
    )


def compare_served(pin: ModelPin, family: str, served: str) -> ServedModel:
    """Compare the model that answered with the one that was asked.

    Prefixes (``models/``, a vendor's name, a region), the order of date and size, the spelling of dates and upper
    case are differences of format only. So is a date after an undated pin: such a pin has been vouched for, or is
    dateless by its provider's own scheme.

    Args:
        served: As the provider names it; empty if it does not say.
    """
    if not served:
        return ServedModel.NOT_VERIFIABLE
    if pin.name == served:
        return ServedModel.NOT_VERIFIABLE if family in ECHOING else ServedModel.SAME
    asked, answered = _parts(pin.name), _parts(served)
    if asked.words != answered.words or asked.revision_differs(answered):
        opaque = family in FREE_NAMES and not asked.stamps
        return ServedModel.NOT_VERIFIABLE if opaque else ServedModel.OTHER
    if asked.stamps == answered.stamps:
        return ServedModel.NOT_VERIFIABLE if family in ECHOING else ServedModel.FORMAT_ONLY
    if asked.stamps > answered.stamps:
        return ServedModel.NOT_VERIFIABLE
    return ServedModel.OTHER if asked.stamps else ServedModel.FORMAT_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A model's name, freed from its spelling."""

    words: tuple[str, ...]  # in order, sizes last
    stamps: frozenset[str] = frozenset()  # dates and digests
    revision: str = ""  # Bedrock's -vN:M

    def revision_differs(self, other: _Parts) -> bool:
        """Whether both name a revision, and not the same one."""
        one, two = sorted((self.revision, other.revision), key=len)
        return bool(one) and not two.startswith(one)


def _parts(name: str) -> _Parts:
    if name.startswith("ft:"):
        base, *rest = name.removeprefix("ft:").split(":")
        # Owner and suffix may be left out; base and job are the identity, the job in its own case.
        return _Parts(words=("ft", base, *rest[-1:]))
    bare = PREFIXES.sub("", name).lower().replace("gpt-35", "gpt-3.5")
    bare = re.sub(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", r"\1\2\3", bare)
    bare, revision = _without_revision(bare)
    pieces = re.split(r"[-@:._]", bare)
    stamps = [piece for piece in pieces if _STAMP.fullmatch(piece)]
    sizes = [piece for piece in pieces if _SIZE.fullmatch(piece)]
    words = [piece for piece in pieces if piece not in stamps and piece not in sizes]
    return _Parts(words=(*words, *sorted(sizes)), stamps=frozenset(stamps), revision=revision)


_STAMP = re.compile(r"\d{4}|\d{8}|[0-9a-f]{40}|[0-9a-f]{64}")
_SIZE = re.compile(r"\d+[bkm]")
# After a date, or after one of Anthropic's dateless ids; elsewhere (deepseek-v3) it is part of the name.
_REVISION = re.compile(r"(?<=-)v\d+(?::\d+k?)+$|(?<=\d-)v\d+$")


def _without_revision(bare: str) -> tuple[str, str]:
    match = _REVISION.search(bare)
    return (bare, "") if match is None else (bare[: match.start() - 1], match[0])


def _apply(rule: Rule, model: str) -> PinLabel | None:
    match = re.fullmatch(rule.pattern, model)
    if match is None:
        return None
    groups = match.groupdict()
    if not _is_date(groups.get("y"), groups.get("m"), groups.get("d")):
        return PinLabel(status=PinStatus.UNKNOWN, why="it looks dated, but that is not a date")
    if not rule.inner:
        return PinLabel(status=rule.status, why=rule.why)
    inner = label(rule.inner, groups["inner"])
    if rule.if_pinned:
        return PinLabel(status=rule.status, why=rule.why) if inner.status is PinStatus.PINNED else None
    start, end = match.span("inner")
    suggestion = None if inner.suggestion is None else model[:start] + inner.suggestion + model[end:]
    return PinLabel(status=inner.status, suggestion=suggestion, why=inner.why)


def _is_date(year: str | None, month: str | None, day: str | None) -> bool:
    """Whether the parts that are there make a date since 2000; a year may have two digits."""
    number = 2000 if year is None else int(year) + 2000 * (len(year) == 2)
    if number < 2000 or (month is not None and not 1 <= int(month) <= 12):
        return False
    if day is None or month is None:
        return True
    leap = number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)
    return 1 <= int(day) <= (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[int(month) - 1]


def _floating_hint(pin: ModelPin, family: str, judged: PinLabel) -> str:
    if judged.suggestion is not None and label(family, judged.suggestion).status is PinStatus.PINNED:
        return f"Write {pin.provider}/{judged.suggestion}, the snapshot that it was last seen to name."
    return f"Its provider can move it without notice ({judged.why}). Name one fixed snapshot."


def _unknown_hint(pin: ModelPin, family: str) -> str:
    if family == "embedded":
        return f"Write {pin.provider}/nearest-example-1, or for embeddings {pin.provider}/hashed-words-1."
    aliases = ALIASES.get(family, {})
    known = {**aliases, **{snapshot: snapshot for snapshot in aliases.values()}}
    near = [known[each] for each in difflib.get_close_matches(pin.name, known, n=3, cutoff=0.8)]
    near = [each for each in near if label(family, each).status is PinStatus.PINNED]
    guess = f"Did you mean {pin.provider}/{near[0]}? " if near else ""
    return f"{guess}If you know that it never moves, give your word: {{id: {pin}, pinned: true}}."
