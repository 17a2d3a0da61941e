"""The top of the page: what the run came to, and what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.reports.markup import Markup, tag
from pytest_promptgate.reports.top import cost_of, headline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.run_document import RunDocument

SIGNS = {"good": "✓", "bad": "✕", "doubt": "?"}  # a colour never says it alone


def top_section(document: RunDocument) -> Markup:
    """The verdict in one line, every red gate in one more, and the facts of the run."""
    head = headline(document)
    tone = "good" if head.good else "doubt" if head.word == "INCONCLUSIVE" else "bad"
    sign = tag("span", SIGNS[tone], aria_hidden="true")
    return tag(
        "header",
        tag("p", sign, " ", head.word, class_=f"word {tone}"),
        tag("h1", head.text),
        _links(document),
        tag("ul", (tag("li", each) for each in _facts(document)), class_="facts"),
        tag("ul", (tag("li", each) for each in (*document.notes, *document.updated)), class_="notes"),
    )


def _links(document: RunDocument) -> Markup:
    """Where a run has several suites: the red ones first, each with the way to it."""
    if len(document.suites) < 2:
        return Markup("")
    order = sorted(range(len(document.suites)), key=lambda index: not document.suites[index].red)
    links = []
    for index in order:
        suite = document.suites[index]
        sign = SIGNS["bad" if suite.red or suite.failed else "good"] if suite.judged else "-"
        links.append(tag("li", tag("a", f"{sign} {suite.title}", href=f"#suite-{index}")))
    return tag("nav", tag("ul", links), aria_label="Suites")


def _facts(document: RunDocument) -> Iterator[str]:
    yield document.started.replace("T", " ").replace("Z", " UTC")
    yield f"{document.seconds:.1f} s"
    asked, cases = (sum(getattr(each.spent, name) for each in document.suites) for name in ("asked", "cases"))
    yield f"{cases} cases, {asked} asked"
    cost = cost_of(document)
    yield "cost unknown" if cost is None else f"${cost:.4f}"
    if document.git is not None and document.git.commit:
        changed = ", with changes" if document.git.dirty else ""
        yield f"{document.git.branch or 'detached'} at {document.git.commit[:12]}{changed}"
    versions = document.versions
    yield f"promptgate {versions.promptgate}, pytest {versions.pytest}, Python {versions.python}"
    yield " ".join(("pytest", *document.arguments))
