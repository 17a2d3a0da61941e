"""A run as one HTML file: no network, no framework, nothing in it that a model wrote can be more than text.

Everything but the list of cases stands in the page as it is, and is read without a script. The cases travel as one
block of JSON and are put on the screen by ``page/report.js``, which makes text nodes only. The Content-Security-Policy
names that script and the style by their digests: whatever else got into the page would not run.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_promptgate.reports.html_cases import explorer_data
from pytest_promptgate.reports.html_suites import suite_section
from pytest_promptgate.reports.html_top import top_section
from pytest_promptgate.reports.markup import Markup, tag
from pytest_promptgate.reports.top import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.history import Curve
    from pytest_promptgate.core.run_document import RunDocument
    from pytest_promptgate.core.types import Json

# What ends a script block, or a line of a script, is written out.
_UNSAFE = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def html_text(document: RunDocument, curves: Sequence[Curve] = ()) -> str:
    """The page of one run.

    Args:
        document: What is shown.
        curves: How its suites fared in past runs.
    """
    style, script = _asset("report.css"), _asset("report.js")
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'),
        tag("title", f"{headline(document).word} - prompt evals"),
        Markup(f"<style>{style}</style>"),
    )
    body = tag(
        "body",
        tag("a", "Skip to the cases", class_="skip", href="#cases"),
        top_section(document),
        tag("main", _sections(document, curves)),
        Markup(f'<script type="application/json" id="data">{data_block(explorer_data(document))}</script>'),
        Markup(f"<script>{script}</script>"),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def data_block(value: Json) -> str:
    """`value` as JSON that can stand in a script block: it can neither end the block nor begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def _policy(style: str, script: str) -> str:
    allowed = f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> str:
    return (files("pytest_promptgate.reports") / "page" / name).read_text(encoding="utf-8")


def _sections(document: RunDocument, curves: Sequence[Curve]) -> list[Markup]:
    """The suites that fail the run, then the cases, then the others."""
    suites = list(enumerate(document.suites))
    red, others = ([pair for pair in suites if bool(pair[1].red) is wanted] for wanted in (True, False))
    shown = [suite_section(suite, curves, index) for index, suite in red or others]
    return [*shown, _explorer(), *(suite_section(suite, curves, index) for index, suite in others if red)]


def _explorer() -> Markup:
    """What the script fills."""
    return tag(
        "section",
        tag("h2", "Cases"),
        tag("noscript", tag("p", "The list of cases needs JavaScript; everything above does not.")),
        tag("div", id="explorer"),
        id="cases",
        tabindex=-1,
    )
