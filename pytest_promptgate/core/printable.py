"""Untrusted text made safe to show: model answers, rows and judge replies pass through here before any screen."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, line and paragraph separators, zero-width and bidirectional formatting, BOM, lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# What GitHub Actions obeys when a step prints it: "::name::" at the start of a line, and "##[name]" anywhere.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\[)", re.MULTILINE)


def printable(text: str) -> str:
    r"""`text` with every character that could move a cursor or hide another one written out as ``\x1b`` or ``\u202e``.

    Line feeds and tabs stay. What a CI system would take for a command to itself becomes ``\x3a:error::``.
    """
    return _COMMAND.sub(_disarmed, _HIDDEN.sub(_written_out, text))


def one_line(text: str, *, width: int) -> str:
    """`text` made printable, its white space folded, cut to `width` characters with "…"."""
    # Cut before folding: an answer may have a megabyte, and only its beginning is shown.
    line = printable(" ".join(text[: 4 * width].split()))
    return line if len(line) <= width and len(text) <= 4 * width else line[: width - 1] + "…"


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _disarmed(match: re.Match[str]) -> str:
    return "\\x23" if match[1] is None else f"{match[1]}\\x3a"
