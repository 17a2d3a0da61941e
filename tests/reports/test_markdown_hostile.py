"""What models and rows say cannot leave the place where a Markdown report shows it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from gate_world import spec
from markdown_it import MarkdownIt
from run_documents import made_document, made_report, made_suite

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.run_document import RunDocument
from pytest_promptgate.core.types import Score, Unscored
from pytest_promptgate.reports.escaping import block, code, diff_block, prose
from pytest_promptgate.reports.markdown import markdown

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "event": "<img src=x onerror=alert(1)>",
    "close-pre": "</pre><a href=https://evil.example>x</a>",
    "close-code": "</code></pre></details><h1>PASSED</h1>",
    "close-details": "</details>\n\n# PASSED\n\n<details>",
    "close-summary": "</summary></details>",
    "comment": "<!-- hide the rest",
    "cdata": "<![CDATA[ x ]]>",
    "processing": "<?php echo 1 ?>",
    "doctype": "<!DOCTYPE html>",
    "fence": "```\n# PASSED\n```",
    "long-fence": "`````````\n# PASSED",
    "tildes": "~~~~\n# PASSED\n~~~~",
    "backtick": "` [x](https://evil.example) `",
    "inline-link": "[click](https://evil.example)",
    "reference": "[x]: https://evil.example\n[x]",
    "image": "![pixel](https://evil.example/p.png)",
    "autolink": "<https://evil.example>",
    "bare-url": "see https://evil.example/path?q=1",
    "www": "go to www.evil.example now",
    "mail": "write to ceo@evil.example",
    "mailto": "mailto:ceo@evil.example",
    "javascript": "[x](javascript:alert(1))",
    "data": "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "mention": "@octocat please approve",
    "team": "@org/admins approve",
    "issue": "fixes #123",
    "other-issue": "closes octo/repo#45",
    "gh": "GH-77 is fixed",
    "commit": "reverts 0123456789abcdef0123456789abcdef01234567",
    "heading": "# PASSED",
    "setext": "PASSED\n======",
    "rule": "---\n\n***",
    "list": "- [x] approved\n1. done",
    "quote": "> PASSED",
    "table": "| a | b |\n|---|---|\n| c | d |",
    "pipe": "a | b \\| c",
    "row-break": "x |\n| evil | 1 | 1 |",
    "emphasis": "**PASSED** __x__ ~~y~~",
    "escape": "\\<b> \\[x\\](y) \\\\",
    "entity": "&lt;script&gt; &#60;b&#62; &colon;//",
    "math": "$\\href{https://evil.example}{x}$ $$x$$",
    "footnote": "[^1]\n\n[^1]: https://evil.example",
    "emoji": ":+1: :shipit:",
    "style": "<style>*{display:none}</style>",
    "textarea": "<textarea><xmp><plaintext>",
    "iframe": "<iframe src=//evil.example></iframe>",
    "svg": "<svg/onload=alert(1)>",
    "unclosed": "<a href='",
    "unclosed-tag": "<pre <pre> </pre",
    "blank-lines": "one\n\n\n\n<b>two</b>\n\n\tthree",
    "carriage": "one\r\n# two\r# three",
    "rtl": "\u202egnissap\u2066",
    "zero-width": "<\u200bscript>",
    "nul": "\x00<\x00b>",
    "surrogate": "\ud800<b>",
    "line-separator": "one\u2028# two\u2029# three",
    "escape-codes": "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "empty": "",
    "spaces": "    indented code",
}
OURS = {"pre", "code", "ins", "del", "details", "summary"}
PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": True})


class Tags(HTMLParser):
    """Every tag, and all text outside of code."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.other: list[str] = []
        self.plain: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"pre", "code"} & set(self._open):
            self.plain.append(data)

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(PARSER.render(text))
    tags.close()
    return tags


def hostile_document(text: str) -> RunDocument:
    """Where the text stands everywhere that somebody else can write."""
    report = made_report(
        {"c-01": [1.0], "c-02": [1.0], text[:40] or "c-03": [1.0]},
        {
            "c-01": [Score(value=0.0, reason=text)],
            "c-02": [Score(value=0.0)],
            text[:40] or "c-03": [Unscored(reason=text)],
        },
        metric=spec(name=f"accuracy{text[:30]}"),
        old={"c-01": text, "c-02": "before"},
        new={"c-01": f"now {text}", "c-02": text},
        inputs={"c-01": {"message": text, text[:20]: 1}, "c-02": {"message": text}},
        notes=(text,),
    )
    differences = {"prompt_diff": tuple(f"+{line}" for line in text.split("\n")), "model": text, "edited": (text[:30],)}
    suite = made_suite(report)
    from dataclasses import replace

    suite = replace(suite, name=text, title=text, differences=replace(suite.differences, **differences))  # type: ignore[arg-type]
    return made_document(suite, notes=(text,), updated=(text,), reasons=(text,))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_tag_link_image_or_mention_comes_from_what_a_model_says(text: str) -> None:
    page = markdown(hostile_document(text))
    tokens = [inner for token in PARSER.parse(page) for inner in (token, *(token.children or ()))]
    found = parsed(page)
    structure = {tag for tag, _ in found.seen} - OURS
    plain = " ".join(found.plain)

    assert not {token.type for token in tokens} & {"link_open", "image", "fence", "code_block", "code_inline", "hr"}
    assert structure <= {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "ul", "li", "em"}
    assert {(tag, name) for tag, attrs in found.seen for name, _ in attrs if tag not in ("th", "td")} <= {
        ("details", "open")
    }
    assert found.other == []
    assert not re.search(r"[@#]\w|GH-\d|://|www\.", plain)
    assert re.findall(r"^(?:#+) (.*)", page, re.MULTILINE)[1:] == [
        "What changed",
        *re.findall(r"^### (\d+ flipped cases?, the worst first)$", page, re.MULTILINE),
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_text_itself_is_shown_as_it_is(text: str) -> None:
    shown = HTMLText()
    shown.feed(PARSER.render(block(text, most=5000)))

    assert "".join(shown.text).strip("\n") == (printable(text) or "(empty)").strip("\n")


class HTMLText(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("most", [200, 400, 2000])
@pytest.mark.parametrize("char", ["<", "x", "\x00", "€", "&", "\n", "😀"])
def test_blocks_keep_to_their_size_and_say_what_is_missing(char: str, most: int) -> None:
    shown = block(char * 100_000, most=most)

    assert len(shown.encode()) <= most
    assert re.search(r"… \d+ more characters</pre>$", shown)
    assert len(diff_block(char * 50_000, char * 40_000, most=most).encode()) <= most
    assert len(diff_block(f"{char} a", f"{char} b", most=most).encode()) <= most


def test_a_word_diff_shows_what_went_and_what_came() -> None:
    assert (
        diff_block("the red <b>", "the blue <b>", most=500) == "<pre>the <del>red</del><ins>blue</ins> &lt;b&gt;</pre>"
    )


def test_sentences_stay_readable() -> None:
    told = "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 5%)"

    assert prose(told) == told
    assert code("c-01") == "<code>c-01</code>"
    assert code("") == "<code> </code>"
