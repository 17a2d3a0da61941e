"""Scorers inside scorers and extraction, as suites write them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from suite_project import LEAST, SuiteProject, suite_project

from pytest_promptgate.core.nesting import leaves, parts_of
from pytest_promptgate.core.types import BoundScorer, Case, Completion, Direction, Score
from pytest_promptgate.workflows.scoring import grades_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    return suite_project(tmp_path)


def suite(scorers: str, more: str = "") -> str:
    return LEAST.replace("[exact_match]", scorers) + more


def scorers_of(project: SuiteProject, scorers: str, more: str = "") -> dict[str, BoundScorer]:
    return {each.name: each for each in project.load(suite(scorers, more)).scorers}


def fingerprint(project: SuiteProject, scorers: str, more: str = "") -> str:
    (scorer,) = project.load(suite(scorers, more)).scorers
    return scorer.fingerprint


def test_combinators_nest_and_read_their_parts(project: SuiteProject) -> None:
    found = scorers_of(
        project,
        "{safe: {all_of: [{contains: please}, {not: {regex: '[0-9]'}}, {any_of: {a: exact_match, b: polite}}]}, "
        "mixed: {weighted: [{exact_match: {expected: queue}, weight: 3, extract: last_line}, {contains: a}]}}",
    )
    safe: Any = found["safe"].scorer
    assert [(each.name, each.kind) for each in parts_of(safe)] == [
        ("contains", "contains"), ("not", "not"), ("any_of", "any_of"),
    ]  # fmt: skip
    assert [each.name for each in parts_of(parts_of(safe)[2].scorer)] == ["a", "b"]
    mixed: Any = found["mixed"].scorer
    assert mixed.weights == (3.0, 1.0)
    assert [type(each).__name__ for each in leaves(mixed)] == ["ExactMatch", "Contains"]
    assert found["mixed"].place.line == 3


def test_a_combined_scorer_grades_an_answer(project: SuiteProject) -> None:
    loaded = project.load(
        suite("{safe: {all_of: [exact_match, {not: {contains: password}}]}}", "extract: {xml_tag: queue}\n")
    )

    def graded(text: str) -> Any:
        return asyncio.run(grades_of(Completion(text=text), loaded.cases[0], loaded.scorers))["safe"]

    assert graded("my password is safe. <queue>tech</queue>") == Score(value=1.0)
    assert graded("<queue>billing</queue>") == Score(
        value=0.0, reason="exact_match: answered 'billing', expected 'tech'"
    )
    assert graded("tech") == Score(value=0.0, reason="extraction failed: no <queue> element", unextracted=True)


def test_the_suite_s_extraction_is_every_scorer_s_that_reads_text(project: SuiteProject) -> None:
    found = scorers_of(
        project,
        "{a: exact_match, b: {contains: {text: x}, extract: whole}, c: {regex: {pattern: x}, extract: code_block}, "
        "d: {tool_call: {expected: queue}}, e: {all_of: [{contains: x}, {contains: y, extract: last_line}]}}",
        "extract: {regex: 'Answer: (.*)'}\n",
    )
    ways = {name: type(getattr(each.scorer, "step", None)).__name__ for name, each in found.items()}
    assert ways == {"a": "RegexStep", "b": "NoneType", "c": "CodeBlock", "d": "NoneType", "e": "RegexStep"}
    inner: Any = parts_of(parts_of(found["e"].scorer)[0].scorer)
    assert [type(getattr(each.scorer, "step", None)).__name__ for each in inner] == ["NoneType", "LastLine"]


def test_fingerprints_cover_what_is_inside(project: SuiteProject) -> None:
    written = [
        "[{contains: a}]",
        "{contains: {all_of: [{contains: a}]}}",
        "{contains: {any_of: [{contains: a}]}}",
        "{contains: {all_of: [{contains: b}]}}",
        "{contains: {all_of: [{contains: a}, polite]}}",
        "{contains: {all_of: [{contains: a, extract: last_line}]}}",
        "{contains: {not: {contains: a}}}",
        "{contains: {not: {not: {contains: a}}}}",
        "{contains: {weighted: [{contains: a}, {contains: b}]}}",
        "{contains: {weighted: [{contains: a, weight: 2}, {contains: b}]}}",
        "[{contains: a, extract: last_line}]",
        "[{contains: a, extract: code_block}]",
        "[{contains: a, extract: {code_block: sql}}]",
        "[{contains: a, extract: {code_block: {language: sql, take: first}}}]",
        "[{contains: a, extract: {regex: a}}]",
    ]
    prints = [fingerprint(project, each) for each in written]
    assert len({*prints}) == len(written)
    assert prints == [fingerprint(project, each) for each in written]


def test_one_extraction_has_one_fingerprint_wherever_it_stands(project: SuiteProject) -> None:
    beside = fingerprint(project, "[{contains: a, extract: {code_block: {language: sql, take: last}}}]")
    assert beside == fingerprint(project, "[{contains: a}]", "extract: {code_block: sql}\n")
    assert fingerprint(project, "[{contains: a, extract: whole}]", "extract: last_line\n") == fingerprint(
        project, "[{contains: a}]"
    )


def test_columns_that_inner_scorers_compare_with_are_part_of_the_case(project: SuiteProject) -> None:
    def digests(scorers: str, more: str = "") -> list[str]:
        return [each.digest for each in project.load(suite(scorers, more)).cases]

    inner = digests("{safe: {all_of: [{exact_match: {expected: queue}}, {not: {contains: a}}]}}")
    assert inner == digests("[{exact_match: {expected: queue}}]")
    assert inner == digests("[{exact_match: {expected: queue}}]", "extract: last_line\n")
    assert inner != digests("[{contains: a}]")
    assert digests("{safe: {not: polite}}") == digests("[polite]")


def test_labels_pass_an_extraction_and_not_a_combinator(project: SuiteProject) -> None:
    metrics = "metrics: {f: 'f1(exact_match)'}\n"
    assert project.refusal(suite("[exact_match]", f"{metrics}extract: last_line\n")) == ""
    assert project.refusal(suite("{exact_match: {all_of: [exact_match]}}", metrics)) == (
        "evals/triage.eval.yaml:4:11: f1 needs labels, and 'exact_match' gives none\n"
        "  Labels come from scorers that compare a text with the expected one, such as exact_match."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    direction: ClassVar[Direction] = Direction.LOWER
    revision: ClassVar[int] = 1

    def __call__(self, completion: Completion, case: Case) -> float:
        return 0.0


NO_TEXT = "  Write `extract: last_line` or `extract: {regex: PATTERN}`."
WAYS = "code_block, json_path, last_line, regex, xml_tag"


@pytest.mark.parametrize(
    ("scorers", "more", "told"),
    [
        ("{a: {all_of: []}}", "", "3:15: all_of has no scorers\n  Write `all_of: [{contains: refund}, …]`."),
        ("{a: {not: }}", "", "3:15: not has no scorers\n  Write `not: {contains: refund}`."),
        ("{a: {all_of: 3}}", "", "3:15: scorers.a.all_of must be a list or a mapping of scorers, not 3"),
        ("{a: {not: [exact_match]}}", "",
         "3:15: scorers.a.not is no scorer\n  Write [exact_match], {queue: exact_match} or {queue: {exact_match: {expected: queue}}}."),
        ("{a: {all_of: [{contians: x}]}}", "", None),
        ("{a: {all_of: [{not: {contains: {txt: x}}}]}}", "",
         "3:42: unknown setting 'txt' of contains\n  Did you mean 'text'? Settings: expected, ignore_case, match, text."),
        ("{a: {all_of: [{contains: x, extrct: last_line}]}}", "",
         "3:38: unknown key 'extrct' beside contains\n  Did you mean 'extract'? Known keys: extract."),
        ("{a: {weighted: [{contains: x, wieght: 2}]}}", "",
         "3:40: unknown key 'wieght' beside contains\n  Did you mean 'weight'? Known keys: extract, weight."),
        ("[{contains: x, weight: 2}]", "", "3:25: unknown key 'weight' beside contains\n  Known keys: extract."),
        ("{a: {weighted: [{contains: x, weight: 0}]}}", "",
         "3:40: scorers.a.weighted[0].weight must be a number above 0, not 0"),
        ("{a: {weighted: [{contains: x, weight: .nan}]}}", "",
         "3:48: .nan is not a finite number\n  Quote it if it is text."),
        ("{a: {any_of: [errors]}}", "",
         "3:15: any_of: of errors less is better; put it inside `not`, which turns it"),
        ("[exact_match]", "extract: last_lin\n",
         "4:1: unknown way to extract 'last_lin'\n  Did you mean 'last_line'? Known: code_block, json_path, last_line, regex, whole, xml_tag."),
        ("[exact_match]", "extract: 3\n", f"4:1: extract must be one of {WAYS}, not 3\n{NO_TEXT}"),
        ("[exact_match]", "extract: {regex: '(a'}\n",
         "4:11: regex: pattern '(a' is no regular expression: missing ), unterminated subpattern at position 0"),
        ("[exact_match]", "extract: {regex: {patern: a}}\n", None),
        ("[exact_match]", "extract: regex\n", "4:1: regex lacks the setting 'pattern'\n  Settings: flags, group, pattern, take, timeout_s."),
        ("[exact_match]", "extract: {json_path: $..a}\n",
         "4:11: json_path: json_path '$..a' cannot be read at '..a'. Accepted: .key, ['key'], [0], [-1]"),
        ("[{tool_call: {expected: queue}, extract: last_line}]", "",
         "3:42: tool_call reads no text, so there is nothing to extract it from\n  Leave `extract` out."),
        ("{safe: {all_of: [{exact_match: {expected: qeue}}]}}", "",
         "3:18: safe can score no row: exact_match: the row has no column 'qeue', and its expected value no such key; "
         "columns: language, message, queue, score, text"),
    ],
)  # fmt: skip
def test_faults_inside_point_at_their_place(project: SuiteProject, scorers: str, more: str, told: str | None) -> None:
    offers = {**project.offers, "errors": Errors}
    refusal = SuiteProject(root=project.root, offers=offers).refusal(suite(scorers, more))
    if told is None:
        assert "Did you mean '" in refusal
    else:
        assert refusal == f"evals/triage.eval.yaml:{told}"


def test_scorers_nest_16_deep_and_no_deeper(project: SuiteProject) -> None:
    def nested(depth: int) -> str:
        return "{a: " + "{not: " * depth + "exact_match" + "}" * (depth + 1)

    assert project.refusal(suite(nested(16))) == ""
    assert "scorers are nested more than 16 deep\n  Write a scorer of your own instead." in project.refusal(
        suite(nested(40))
    )


def test_a_part_of_the_user_s_own_waits_inside(project: SuiteProject) -> None:
    async def slow(completion: Completion, case: Case) -> Score:
        await asyncio.sleep(0)
        return Score(value=float("a" in completion.text))

    mine = SuiteProject(root=project.root, offers={**project.offers, "slow": slow})
    loaded = mine.load(suite("{both: {all_of: [slow, {not: {contains: b}}]}}"))

    def graded(text: str) -> Any:
        return asyncio.run(grades_of(Completion(text=text), loaded.cases[0], loaded.scorers))["both"]

    assert graded("a") == Score(value=1.0)
    assert graded("c") == Score(value=0.0, reason="slow: scored 0")
    assert graded("ab") == Score(value=0.0, reason="not: contains scored 1 although not wanted")
