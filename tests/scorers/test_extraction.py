"""Extraction apart from scoring, and what becomes of an answer that lacks the part."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorer_rows import bare_row, row

from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.types import (
    BoundScorer,
    Case,
    Completion,
    Direction,
    Message,
    ModelPin,
    Request,
    Score,
    ToolCall,
    Unscored,
)
from pytest_promptgate.core.votes import votes_of
from pytest_promptgate.errors import Place
from pytest_promptgate.scorers.combined import AllOf
from pytest_promptgate.scorers.extraction import EXTRACTION
from pytest_promptgate.scorers.extraction_steps import (
    CodeBlock,
    JsonPathStep,
    LastLine,
    NotFoundError,
    RegexStep,
    XmlTag,
)
from pytest_promptgate.scorers.json_path import parse_path
from pytest_promptgate.scorers.parsing import NotJsonError
from pytest_promptgate.scorers.structure import JsonMatch
from pytest_promptgate.scorers.text import Contains, ExactMatch

FENCED = "So:\n```sql\nSELECT 1\n```\nor\n~~~\nplain\n  text\n~~~\nor\n````md\n```\nx\n```\n````\nend ``` no"


def bound(scorer: Any) -> BoundScorer:
    return BoundScorer(name="s", kind="k", scorer=scorer, fingerprint="f", place=Place(file="a.yaml"))


def extracted(step: Any, scorer: Any, text: str, case: Case | None = None) -> Any:
    return EXTRACTION(parts=(bound(scorer),), step=step)(Completion(text=text), case or row("x"))


@pytest.mark.parametrize(
    ("step", "text", "part"),
    [
        (RegexStep(pattern=r"Answer: (\w+)"), "Answer: a, no, Answer: b.", "b"),
        (RegexStep(pattern=r"Answer: (\w+)", take="first"), "Answer: a, no, Answer: b.", "a"),
        (RegexStep(pattern=r"\d+"), "1 22 333", "333"),
        (RegexStep(pattern=r"(\d)(\d)", group=0), "12", "12"),
        (RegexStep(pattern=r"(?P<q>\d)x", group="q"), "1x", "1"),
        (RegexStep(pattern="ANSWER (.*)", flags=("ignore_case",)), "answer me", "me"),
        (RegexStep(pattern=r"(a+)+b"), "aab ab", "a"),
        (JsonPathStep(path="$.a[0]['b c']"), '{"a": [{"b c": "x"}]}', "x"),
        (JsonPathStep(path="$.a[-1]"), '```json\n{"a": [1, 2.5]}\n```', "2.5"),
        (JsonPathStep(path="$"), ' [1, null, "\u00e9"] ', '[1, null, "\u00e9"]'),
        (JsonPathStep(path="$.n"), '{"n": null}', "null"),
        (JsonPathStep(path='$["a\\"b"]'), '{"a\\"b": true}', "true"),
        (LastLine(), "thinking\n  so it is \n\n \n", "so it is"),
        (LastLine(), "one", "one"),
        (CodeBlock(), FENCED, "```\nx\n```"),
        (CodeBlock(take="first"), FENCED, "SELECT 1"),
        (CodeBlock(language="SQL"), FENCED, "SELECT 1"),
        (CodeBlock(language="sql", take="only"), FENCED, "SELECT 1"),
        (CodeBlock(), "~~~\na\n~~~\n```py\nnever closed", "a"),
        (CodeBlock(), "```py\r\na\r\nb\r\n```", "a\nb"),
        (XmlTag(name="answer"), "I use <answer> tags. <answer> 42 </answer>", "42"),
        (XmlTag(name="answer"), "<answer>1</answer><answer kind='x'>2</answer>", "2"),
        (XmlTag(name="answer", take="first"), "<answer>1</answer><answer>2</answer>", "1"),
        (XmlTag(name="a"), "<a>x<a>y</a></a>", "x<a>y</a>"),
        (XmlTag(name="a"), "</a><a></a>", ""),
    ],
)  # fmt: skip
def test_a_step_finds_its_part(step: Any, text: str, part: str) -> None:
    assert step.found(text, as_json=False) == part


@pytest.mark.parametrize(
    ("step", "text", "reason"),
    [
        (RegexStep(pattern=r"Answer: (\w+)"), "no idea", "no match of 'Answer: (\\w+)'"),
        (RegexStep(pattern="(a)|b"), "b", "no match of '(a)|b'"),
        (JsonPathStep(path="$.a"), "prose", "not JSON at line 1, column 1: 'prose'"),
        (JsonPathStep(path="$.a.b[2].c"), '{"a": {"b": [1]}}', "no $.a.b[2]"),
        (JsonPathStep(path="$[0]"), '{"0": 1}', "no $[0]"),
        (JsonPathStep(path="$.a"), '{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        (JsonPathStep(path="$.a"), "[" * 500 + "]" * 500, "nested more than 64 levels deep"),
        (JsonPathStep(path="$.a"), '{"a": NaN}', "NaN is no JSON number"),
        (CodeBlock(), "no block, only `code` and ``` torn", "no code block"),
        (CodeBlock(language="sql"), "```py\n1\n```", "no sql code block"),
        (CodeBlock(take="only"), "```\n1\n```\n```\n2\n```", "2 code blocks, expected only one"),
        (XmlTag(name="answer"), "<Answer>1</Answer> <answer>", "no <answer> element"),
        (XmlTag(name="a", take="only"), "<a>1</a><a>2</a>", "2 <a> elements, expected only one"),
        (LastLine(), "", "the answer is empty"),
    ],
)
def test_what_is_not_there_fails_with_its_reason(step: Any, text: str, reason: str) -> None:
    if text:
        with pytest.raises((NotFoundError, NotJsonError)) as told:
            step.found(text, as_json=False)
        assert str(told.value) == reason
    assert extracted(step, ExactMatch(), text) == Score(
        value=0.0,
        reason=f"extraction failed: {reason}" if text else "extraction failed: the answer is empty",
        labels=("(not extracted)", "x"),
        unextracted=True,
    )


def test_the_scorer_reads_the_part_and_nothing_else() -> None:
    step = XmlTag(name="answer")
    assert extracted(step, ExactMatch(), "x is wrong. <answer>x</answer>") == Score(value=1.0, labels=("x", "x"))
    assert extracted(step, Contains(text=("wrong",)), "x is wrong. <answer>x</answer>").value == 0.0


def test_a_part_of_json_is_json_for_those_that_read_it() -> None:
    step = JsonPathStep(path="$.a")
    assert extracted(step, JsonMatch(), '{"a": "x"}').value == 1.0
    assert extracted(step, ExactMatch(), '{"a": "x"}').value == 1.0
    assert extracted(step, JsonMatch(), '{"a": {"b": 1}}', row({"b": 1})).value == 1.0


def test_tool_calls_alone_hold_no_part() -> None:
    called = Completion(text="", tool_calls=(ToolCall(name="lookup", arguments="{}"),))
    found = EXTRACTION(parts=(bound(Contains(text=("a",))),), step=LastLine())(called, bare_row())
    assert found == Score(value=0.0, reason="extraction failed: no text, only calls of 'lookup'", unextracted=True)


def test_scorers_that_wait_or_say_so_leave_a_failed_extraction_unscored() -> None:
    async def judge(_answer: Completion, _case: Case) -> Score:
        raise AssertionError("it is not asked")

    class Asked:
        async def __call__(self, _answer: Completion, _case: Case) -> Score:
            raise AssertionError("it is not asked")

    class Inherits(Asked):
        """Its `__call__` is another class's."""

    class Careful:
        if_not_extracted = "unscored"

        def __call__(self, _answer: Completion, _case: Case) -> Score:
            raise AssertionError("it is not asked")

    class Errors(Careful):
        if_not_extracted = ""
        direction = Direction.LOWER

    why = Unscored(reason="extraction failed: no code block")
    for scorer in (
        judge,
        partial(judge),
        Asked(),
        Inherits(),
        Careful(),
        Errors(),
        AllOf(parts=(bound(Contains(text=("a",))), bound(judge))),
    ):
        assert extracted(CodeBlock(), scorer, "none") == why


def test_an_async_scorer_that_wants_a_0_gets_it() -> None:
    class Strict:
        if_not_extracted = "zero"

        async def __call__(self, _answer: Completion, _case: Case) -> Score:
            raise AssertionError("it is not asked")

    assert extracted(CodeBlock(), Strict(), "none") == Score(
        value=0.0, reason="extraction failed: no code block", unextracted=True
    )


class Tone:
    """A judge that asks with the answer's own text."""

    pin = ModelPin(provider="it", name="judge-1")
    rubric = "tone"
    columns = ("tone",)
    compares = False

    def inquire(self, completion: Completion, case: Case, production: Completion | Unscored | None) -> Inquiry:
        before = production.text if isinstance(production, Completion) else str(production)
        request = Request(
            pin=self.pin, messages=(Message(role="user", content=f"{completion.text}|{before}"),), parameters={}
        )
        return Inquiry(requests=(request,), grade=lambda _replies: Score(value=1.0))


def test_a_judge_sees_the_part_and_is_not_asked_without_it() -> None:
    judge: Any = EXTRACTION(parts=(bound(Tone()),), step=XmlTag(name="a"))
    assert all(hasattr(judge, name) for name in ("pin", "compares", "inquire"))
    assert (judge.pin, judge.rubric, judge.columns, judge.compares) == (Tone.pin, "tone", ("tone",), False)

    def asked(text: str, production: Completion | None = None) -> Any:
        found = judge.inquire(Completion(text=text), bare_row(), production)
        return found.requests[0].messages[0].content if isinstance(found, Inquiry) else found

    assert asked("x <a>1</a>") == "1|None"
    assert asked("x <a>1</a>", Completion(text="y <a>2</a>")) == "1|2"
    assert asked("x") == Unscored(reason="extraction failed: no <a> element")
    assert not isinstance(EXTRACTION(parts=(bound(ExactMatch()),), step=LastLine()), Judge)


def test_what_a_judge_of_a_part_costs_is_guessed_before_there_is_an_answer() -> None:
    judge = replace(bound(Tone()), scorer=EXTRACTION(parts=(bound(Tone()),), step=XmlTag(name="a")))
    votes = votes_of(judge, bare_row(), None, None, is_stored=lambda _request, _vote: False)
    assert votes is not None
    assert votes.asked == 1


def test_what_the_scorer_declares_is_passed_on() -> None:
    wrapped: Any = EXTRACTION(parts=(bound(ExactMatch(expected="queue")),), step=LastLine())
    assert (wrapped.labels, wrapped.expected, wrapped.direction) == (True, "queue", Direction.HIGHER)
    wrapped.check(bare_row(queue="x"))
    with pytest.raises(LookupError):
        wrapped.check(bare_row())
    assert EXTRACTION(parts=(bound(Contains(text=("a",))),), step=LastLine()).labels is False


def test_a_pattern_that_would_run_for_hours_is_an_error_of_its_case() -> None:
    with pytest.raises(TimeoutError) as told:
        extracted(RegexStep(pattern="(a+)+$", timeout_s=0.05), ExactMatch(), "a" * 40 + "b")
    assert str(told.value) == (
        "the pattern took more than 0.05 s on an answer of 41 characters; "
        "the usual cause is a quantifier inside a quantified group, such as (a+)+"
    )


@pytest.mark.parametrize(
    "step", [CodeBlock(), XmlTag(name="a"), LastLine(), RegexStep(pattern="a"), JsonPathStep(path="$.a")]
)
@pytest.mark.parametrize("unit", ["```\n", "<a ", "<a>", "<a></a>", "\n", "a", "{", "~", "</a>"])
def test_a_megabyte_is_read_in_linear_time(step: Any, unit: str) -> None:
    found = extracted(step, Contains(text=("zzz",)), unit * (1_000_000 // len(unit)))
    assert found.value == 0.0


@given(
    text=st.text(max_size=80),
    step=st.sampled_from([CodeBlock(), XmlTag(name="a"), LastLine(), JsonPathStep(path="$.a")]),
)
def test_any_answer_gives_a_part_of_itself_or_a_reason(text: str, step: Any) -> None:
    found = extracted(step, Contains(text=("zzz-",)), text)
    assert 0.0 <= found.value <= 1.0
    assert found.unextracted == found.reason.startswith("extraction failed: ")


@pytest.mark.parametrize(
    ("path", "steps"),
    [("$", ()), ("$.a", ("a",)), ("$.a-b[0]", ("a-b", 0)), ("$['x.y'][-2]", ("x.y", -2)), ('$["\\\\"]', ("\\",))],
)
def test_paths_are_singular_queries(path: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(path) == steps


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JsonPathStep(path="a.b"), "json_path 'a.b' does not begin with $, the whole document: write $.key or $[0]"),
        (lambda: JsonPathStep(path="$.a[*]"), "json_path '$.a[*]' cannot be read at '[*]'. Accepted: .key, ['key'], [0], [-1]"),
        (lambda: JsonPathStep(path="$..a"), "json_path '$..a' cannot be read at '..a'. Accepted: .key, ['key'], [0], [-1]"),
        (lambda: JsonPathStep(path=3), "path must be a path such as $.items[0].sku, not 3"),  # type: ignore[arg-type]
        (lambda: RegexStep(pattern="(a"), "pattern '(a' is no regular expression: missing ), unterminated subpattern at position 0"),
        (lambda: RegexStep(pattern="a", group=1), "group cannot be 1 in pattern 'a'. Accepted: 0"),
        (lambda: RegexStep(pattern="a", take="only"), "take cannot be 'only'. Accepted: first, last"),
        (lambda: CodeBlock(take="second"), "take cannot be 'second'. Accepted: first, last, only"),
        (lambda: CodeBlock(language=" "), "language must be the name of a language, not ' '"),
        (lambda: XmlTag(name="<a>"), "name must be the name of a tag, without < and >, not '<a>'"),
    ],
)  # fmt: skip
def test_wrong_settings_of_steps_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as told:
        make()
    assert str(told.value) == message
