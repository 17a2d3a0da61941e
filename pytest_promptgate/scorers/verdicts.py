"""A judge's reply, read strictly: a verdict of the menu, or `Unscored` with the reason. Never a guess, never a 0."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.rubrics import Range
from pytest_promptgate.core.types import Unscored

if TYPE_CHECKING:
    from pytest_promptgate.core.rubrics import Scale
    from pytest_promptgate.core.types import Completion

WORD = "VERDICT"
KEYS = ("reasoning", "verdict")
_SHOWN = 60  # characters of a reply in a reason

# Zero-width characters, marks of direction, variation selectors, tags, soft hyphens: nobody sees them, and none of
# them may part a word or make one.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_DECORATION = " \t*_`'\"“”‘’«»"
_LINE_START = r"^[ \t>#*_`~-]*"
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one vote says."""

    verdict: str  # of the menu
    reasoning: str  # untrusted


def read_verdict(reply: Completion, scale: Scale, *, mark: str, structured: bool) -> Verdict | Unscored:
    """The verdict of one vote.

    Args:
        reply: As the model gave it.
        scale: What may be said.
        mark: Of the request; a verdict line without it is somebody else's.
        structured: It was asked for by a JSON schema, else by a last line.
    """
    if reply.finish_reason == "refusal":
        return Unscored(reason=f"the judge refused: {one_line(reply.text, width=_SHOWN)}")
    if reply.finish_reason == "content_filter":
        return Unscored(reason="the judge's reply was cut by its provider's content filter")
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", reply.text)).strip()
    if not text:
        return Unscored(reason="the judge's reply is empty")
    if reply.finish_reason == "length":
        return Unscored(reason="the judge's reply was cut at its token limit, before the verdict was certain")
    return _of_json(text, scale) if structured else _of_lines(text, scale, mark)


def _of_lines(text: str, scale: Scale, mark: str) -> Verdict | Unscored:
    text = "\n".join(text.splitlines())
    line = re.compile(rf"{_LINE_START}{WORD}[ \t]+{re.escape(mark)}[ \t*_`]*[:：](.*)$", re.IGNORECASE | re.MULTILINE)
    found = [*line.finditer(text)]
    if not found:
        return _unread("the judge's reply has no verdict line", text)
    return _on_menu(found[-1][1], scale, reasoning=text[: found[-1].start()])


def _of_json(text: str, scale: Scale) -> Verdict | Unscored:
    fenced = _FENCE.fullmatch(text)
    try:
        value = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return _unread("the judge's reply is not one whole JSON value", text)
    if not isinstance(value, dict) or "verdict" not in value:
        return Unscored(reason=f"the judge's reply has no verdict: {one_line(text, width=_SHOWN)}")
    others = ", ".join(sorted(one_line(key, width=20) for key in value.keys() - {*KEYS})[:3])
    if others:
        return Unscored(reason=f"the judge's reply has keys that nobody asked for: {others}")
    verdict, reasoning = value["verdict"], value.get("reasoning", "")
    if isinstance(verdict, bool) or not isinstance(verdict, str | int):
        return Unscored(reason=f"the judge's verdict is not on the menu: {_shown(json.dumps(verdict))}")
    return _on_menu(str(verdict), scale, reasoning=reasoning if isinstance(reasoning, str) else "")


def _unread(what: str, text: str) -> Unscored:
    if _HTML.match(text):
        return Unscored(reason="the judge's reply is an HTML page")
    return Unscored(reason=f"{what}: {one_line(text, width=_SHOWN)}")


def _on_menu(written: str, scale: Scale, *, reasoning: str) -> Verdict | Unscored:
    said = written.strip(_DECORATION).removesuffix(".").strip(_DECORATION)
    if isinstance(scale, Range):
        return _in_range(said, scale, reasoning)
    folded = {_folded(name): name for name in scale.menu}
    for form in (written, said):
        if _folded(form) in folded:
            return Verdict(verdict=folded[_folded(form)], reasoning=reasoning)
    return Unscored(reason=f"the judge's verdict is not on the menu: {_shown(said)}")


def _in_range(said: str, scale: Range, reasoning: str) -> Verdict | Unscored:
    if not _WHOLE.fullmatch(said):
        return Unscored(reason=f"the judge's verdict is no whole number: {_shown(said)}")
    if not scale.low <= int(said) <= scale.high:
        return Unscored(reason=f"the judge's verdict is out of the range {scale.low} … {scale.high}: {_shown(said)}")
    return Verdict(verdict=str(int(said)), reasoning=reasoning)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _shown(text: str) -> str:
    return one_line(text, width=_SHOWN) or "nothing"
