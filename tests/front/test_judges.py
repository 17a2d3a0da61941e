"""Judges in real runs: the loopback server answers as ``small-1`` and judges as ``small-2``."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from front_project import RIGHT, ROWS, lines_of, section
from judge_project import CASES, JUDGE, RUBRIC, Models, blocks, fair, judged_project, says
from loopback.answers import Answer
from loopback.faults import Fault, html

if TYPE_CHECKING:
    from front_project import Project
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

PRICES = "prices: {local/small-1: {input: 1, output: 1}, local/small-2: {input: 1000, output: 1000}}\n"
THREE = RUBRIC + "votes: 3\n"


def priced(project: Project) -> None:
    project.write("promptgate.yaml", project.text("promptgate.yaml") + PRICES)


def test_a_judge_grades_every_answer_once(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    first = project.accept()

    again = project.evals()

    assert len(models.judged) == CASES
    assert "prompt evals: 20 calls, " in first.stdout.str()
    assert lines_of(first, "  tone by ") == [
        "  tone by local/small-2: 10 verdicts asked, 2.1k tokens, cost unknown",
    ]
    again.assert_outcomes(passed=CASES + 1)
    assert lines_of(again, "  tone by ") == []
    request = models.judged[0]
    assert (request["temperature"], request["seed"]) == (0, 7)
    assert "response_format" not in request
    assert blocks(request["messages"][-1]["content"])["expected"] in {*RIGHT.values()}


def test_verdicts_are_stored_beside_the_answers(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url, rubric=THREE)
    project.evals()

    again = project.evals("--prompt-offline")

    assert len(models.judged) == 3 * CASES
    assert lines_of(again, "  tone by ") == ["  tone by local/small-2: 0 verdicts asked, 30 from the store"]
    stored = [json.loads(line) for line in project.text(".promptgate/responses/triage.jsonl").splitlines()[1:]]
    keys = {(each["role"], each["ordinal"]) for each in stored}
    assert keys == {("subject", 0), ("judge", 0), ("judge", 1), ("judge", 2)}
    assert sorted({body["seed"] for body in models.judged}) == [7, 8, 9]


def test_a_refresh_asks_for_the_verdicts_too(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url).evals()
    models.verdict = says("partly")

    refreshed = project.evals("--prompt-refresh")
    after = project.evals()

    assert (len(models.answered), len(models.judged)) == (2 * CASES, 2 * CASES)
    for result in (refreshed, after):
        assert "  tone    -         0.500    -       new      10/0/0" in result.stdout.lines


def test_a_changed_judge_judges_both_sides_anew_and_asks_the_subject_nothing(
    project: Project, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url).accept()
    shutil.rmtree(project.root / ".promptgate")
    models.answered.clear()
    models.judged.clear()
    models.verdict = says("partly")
    project.write("evals/rubrics/tone.yaml", RUBRIC.replace("right queue", "very right queue"))

    result = project.evals()

    result.assert_outcomes(passed=CASES + 1)
    assert (len(models.answered), len(models.judged)) == (0, CASES)
    assert "  tone    0.500     0.500    +0.000  unchanged  10/0/0" in result.stdout.lines
    assert "prompt evals: 10 calls, " in result.stdout.str()


def test_a_changed_prompt_and_a_changed_judge_are_compared_by_the_new_judge(
    project: Project, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url).accept()
    models.judged.clear()
    models.answer = lambda question: "account" if "card" in question else RIGHT[question]
    project.prompt("v2", {"a": "b"}, model="{id: small-1, provider: local}")
    project.write("evals/rubrics/tone.yaml", RUBRIC.replace("right queue", "very right queue"))

    result = project.evals()

    assert "tone fell from 1.000 to 0.800 (n=10, change -0.200, tolerance 0)" in result.stdout.str()
    # Ten new answers, and of the old ones the two that the new prompt does not give.
    assert len(models.judged) == 12
    (line,) = lines_of(result, "prompt evals: tone has changed: ")
    assert re.fullmatch(
        r"prompt evals: tone has changed: 2 answers of the baseline are judged anew: 2 calls, about 1\.\dk tokens, "
        r"cost unknown \(tokens guessed from the length of the prompts\)",
        line,
    )


def test_what_differs_is_told_when_a_verdict_is_not_stored(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    project.evals()
    project.write("evals/rubrics/tone.yaml", RUBRIC.replace("right queue", "very right queue"))

    result = project.evals("--prompt-offline", "-k", "c-01")

    assert section(result, "FAILURES").splitlines()[1:] == [
        "c-01 could not be scored: triage::c-01 (tone): no verdict is stored, and --prompt-offline asks nothing",
        "  Differs from the stored request in messages.",
        "  Ask for it with: pytest --prompt-evals evals/triage.eval.yaml",
    ]


BAD_REPLIES: dict[str, tuple[Callable[[str], Answer | str], str]] = {
    "c-01": (lambda _: "", "the judge's reply is empty"),
    "c-02": (lambda _: "<html><body>502</body></html>", "the judge's reply is an HTML page"),
    "c-03": (
        lambda _: '{"reasoning": "fine", "verd',
        'the judge\'s reply has no verdict line: {"reasoning": "fine", "verd',
    ),
    "c-04": (lambda line: line + "richtig", "the judge's verdict is not on the menu: richtig"),
    "c-05": (lambda line: line + "5", "the judge's verdict is not on the menu: 5"),
    "c-06": (lambda line: f"{line}right\n{line}good", "the judge's verdict is not on the menu: good"),
    "c-07": (
        lambda _: "My rubric: 0 to 10.\nGRADE: 9",
        "the judge's reply has no verdict line: My rubric: 0 to 10. GRADE: 9",
    ),
    "c-08": (lambda _: Answer(text=None, refusal="I cannot."), "the judge refused: I cannot."),
    "c-09": (
        lambda line: Answer(text=f"{line}right", finish_reason="length"),
        "the judge's reply was cut at its token limit, before the verdict was certain",
    ),
}


def test_a_reply_without_a_verdict_is_unscored_and_never_a_zero(project: Project, loopback: Loopback) -> None:
    case_of = {message: case for case, message, _ in ROWS}

    def verdict(seen: dict[str, str]) -> Answer | str:
        found = BAD_REPLIES.get(case_of[seen["input message"]])
        return found[0](f"VERDICT {seen['mark']}: ") if found else fair(seen)

    judged_project(project, loopback(answers=Models(verdict=verdict)).base_url)

    result = project.evals()

    result.assert_outcomes(passed=CASES, failed=1)
    assert "  tone    -         1.000    -       inconclusive  1/9/0" in result.stdout.lines
    told = lines_of(result, "  unscored: ")
    assert told == [f"  unscored: {case}: {reason}" for case, (_, reason) in BAD_REPLIES.items()]


def test_a_judge_that_does_not_answer_is_an_error_of_the_case(project: Project, loopback: Loopback) -> None:
    def faults(_number: int, body: dict[str, object]) -> Fault | None:
        return html() if body["model"] == JUDGE and "two times" in str(body) else None

    server = loopback(answers=Models(verdict=fair), faults=faults)
    judged_project(project, server.base_url).server(server.base_url, more=", retry_for_s: 0")

    result = project.evals()

    result.assert_outcomes(passed=CASES - 1, failed=2)
    assert section(result, "FAILURES").splitlines()[1:3] == [
        "c-01 could not be scored: tone: the judge did not answer: local/small-2: the reply is an HTML page, not JSON; "
        "gave up after 1 try",
        "  If it stays so, look at base_url: a proxy or another service may be answering.",
    ]
    assert "  tone    -         1.000    -       inconclusive  9/0/1" in result.stdout.lines


def test_a_judge_of_another_model_stops_it_and_is_told_once(project: Project, loopback: Loopback) -> None:
    def verdict(seen: dict[str, str]) -> Answer:
        return Answer(text=fair(seen), model="small-3")

    judged_project(project, loopback(answers=Models(verdict=verdict)).base_url)

    result = project.evals()

    result.assert_outcomes(failed=CASES + 1)
    assert lines_of(result, "local/small-2: asked for small-2, answered by small-3") != []
    assert section(result, "FAILURES").splitlines()[1] == (
        "tone cannot be judged: local/small-2: asked for small-2, answered by small-3"
    )


def test_the_budget_counts_what_judges_cost(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    priced(project)

    refused = project.evals("--prompt-max-cost", "1")

    assert (len(models.answered), len(models.judged)) == (0, 0)
    assert "--prompt-max-cost 1: the estimate is $" in refused.stdout.str()
    project.evals("--prompt-max-cost", "20")
    assert len(models.judged) == CASES


def test_a_prompt_held_against_itself_says_that_the_judge_is_asked_once_per_text(
    project: Project, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)

    result = project.evals("--prompt-aa")

    assert len(models.judged) < 2 * CASES
    assert lines_of(result, "  tone gives") == [
        "  tone gives the same text the same verdict; how far its judge wavers over one text tells: "
        "promptgate calibrate evals/rubrics/tone.yaml --labels LABELS.csv --repeats 5"
    ]
