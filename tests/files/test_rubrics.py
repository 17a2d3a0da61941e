"""Rubric files: what they say, and what is wrong with them."""

from __future__ import annotations

import importlib.resources
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml
from suite_project import SuiteProject, suite_project

from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.rubrics import PAIR, Choice, Choices, GradedExample, Range, Rubric, Sees
from pytest_promptgate.core.types import Completion
from pytest_promptgate.files.rubrics import EXAMPLE, KEYS, SEES
from pytest_promptgate.scorers.comparison import RubricComparison
from pytest_promptgate.scorers.judge import RubricJudge

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Suite

SUITE = "prompt: triage\ndataset: ../rows.jsonl\nscorers: {tone: {judge: {rubric: rubrics/tone.yaml}}}\n"
LEAST = "criterion: Is it polite?\nmodel: openai/gpt-4o-2024-11-20\nscale: {rude: 0, polite: 1}\n"
MOST = """\
criterion: |
  Is it polite?
  Be strict.
model: {id: openai/gpt-4o-2024-11-20, parameters: {temperature: null, max_tokens: 300}}
scale: {from: 1, to: 5}
votes: 3
sees: {inputs: [message], expected: queue, reference: text}
examples:
  - {answer: "No.", verdict: 1, reasoning: Curt., inputs: {message: Hi}, expected: tech, reference: "No, sorry."}
"""


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    return suite_project(tmp_path)


def loaded(project: SuiteProject, text: str) -> Suite:
    project.write("evals/rubrics/tone.yaml", text)
    return project.load(SUITE)


def rubric_of(suite: Suite) -> Rubric:
    judge = suite.scorers[0].scorer
    assert isinstance(judge, RubricJudge)
    return judge.rubric


def refusal(project: SuiteProject, text: str) -> str:
    project.write("evals/rubrics/tone.yaml", text)
    return project.refusal(SUITE)


def test_the_least_and_the_most(project: SuiteProject) -> None:
    least, most = rubric_of(loaded(project, LEAST)), rubric_of(loaded(project, MOST))

    assert least == Rubric(
        path="evals/rubrics/tone.yaml",
        criterion="Is it polite?",
        scale=Choices(choices=(Choice(name="rude", score=0.0), Choice(name="polite", score=1.0))),
        pin=least.pin,
        parameters={"temperature": 0, "seed": 7},
        structured=True,
    )
    assert str(least.pin) == "openai/gpt-4o-2024-11-20"
    assert most.criterion == "Is it polite?\nBe strict.\n"
    assert most.parameters == {"seed": 7, "max_tokens": 300}
    assert (most.scale, most.votes) == (Range(low=1, high=5), 3)
    assert most.sees == Sees(inputs=("message",), expected="queue", reference="text")
    example = GradedExample(
        answer="No.",
        verdict="1",
        reasoning="Curt.",
        inputs={"message": "Hi"},
        expected="tech",
        reference="No, sorry.",
    )
    assert most.examples == (example,)


def test_choices_may_say_what_they_mean_and_a_path_may_stand_alone(project: SuiteProject) -> None:
    project.write("evals/rubrics/tone.yaml", LEAST.replace("polite: 1", "polite: {score: 1, means: it thanks}"))
    suite = project.load(SUITE.replace("{rubric: rubrics/tone.yaml}", "rubrics/tone.yaml"))

    assert rubric_of(suite).scale.menu == ("rude", "polite")
    assert rubric_of(suite) == replace(
        rubric_of(suite),
        scale=Choices(choices=(Choice(name="rude", score=0.0), Choice(name="polite", score=1.0, means="it thanks"))),
    )


def test_the_scorers_fingerprint_is_the_rubrics(project: SuiteProject) -> None:
    first = loaded(project, LEAST).scorers[0].fingerprint
    commented = loaded(project, f"# the tone of our replies\n{LEAST}").scorers[0].fingerprint
    other = loaded(project, LEAST.replace("polite?", "friendly?")).scorers[0].fingerprint

    assert first == commented != other


def test_a_rows_digest_covers_what_the_judge_sees(project: SuiteProject) -> None:
    def digests(text: str) -> list[str]:
        project.rows([{"id": "t-1", "message": "a", "text": text, "expected": "tech", "queue": "tech"}])
        return [loaded(project, f"{LEAST}sees: {sees}\n").cases[0].digest for sees in shown]

    shown = ("{}", "{expected: queue}", "{inputs: [text]}", "{reference: text}", "{inputs: true}")

    same = [one == other for one, other in zip(digests("A"), digests("B"), strict=True)]
    assert same == [True, True, False, False, False]


TONE = "evals/rubrics/tone.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            f"{TONE}:1:1: the rubric is empty\n"
            "  The least that works:\n  criterion: Is the reply polite?\n  model: provider/id\n"
            "  scale: {rude: 0, polite: 1}",
        ),
        (
            "criterio: Is it polite?\nscal: {rude: 0}\n",
            f"{TONE}:1:1: unknown key 'criterio' in this file\n"
            "  Did you mean 'criterion'? Known keys: corrected, criterion, examples, model, scale, sees, votes.\n"
            f"{TONE}:1:1: the rubric has no criterion\n"
            "  Say in a sentence or more what makes an answer good.\n"
            f"{TONE}:1:1: the rubric has no model\n"
            "  A judge has a pin of its own: `model: provider/id`.\n"
            f"{TONE}:1:1: the rubric has no scale\n"
            "  Write {rude: 0, polite: 1}, or {from: 1, to: 5}.\n"
            f"{TONE}:2:1: unknown key 'scal' in this file\n"
            "  Did you mean 'scale'? Known keys: corrected, criterion, examples, model, scale, sees, votes.",
        ),
        (
            LEAST.replace("gpt-4o-2024-11-20", "gpt-4o"),
            f"{TONE}:2:1: openai/gpt-4o is a floating alias\n"
            "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.",
        ),
        (
            f"{LEAST}temperature: 0\nthreshold: 0.5\nprompt: x\nchoices: x\n",
            f"{TONE}:4:1: 'temperature' stands in the wrong place\n"
            "  Write `model: {id: …, parameters: {temperature: …}}`.\n"
            f"{TONE}:5:1: 'threshold' is no key of rubrics\n  A judge measures; the suite's gate decides.\n"
            f"{TONE}:6:1: 'prompt' is no key of rubrics\n"
            "  Say what is judged under `criterion:`; the prompt is built around it.\n"
            f"{TONE}:7:1: 'choices' is no key of rubrics\n  Write them under `scale:`, each with its score.",
        ),
        (
            f"{LEAST}votes: 2\n",
            f"{TONE}:4:1: votes must be an odd number from 1 to 15, not 2\n  An even one could end in a tie.",
        ),
        (f"{LEAST}votes: 0\n", f"{TONE}:4:1: votes must be a whole number >= 1, not 0"),
        (
            LEAST.replace("polite: 1", "polite: 2, Rude: {means: x}, '*odd*': 1, fine: {score: 1, worth: 1}"),
            f"{TONE}:3:18: scale.polite must be a number from 0 to 1, not 2\n"
            f"{TONE}:3:29: scale.Rude has no score\n  Write {{score: 1, means: it thanks the customer}}.\n"
            f"{TONE}:3:29: 'Rude' and 'rude' are the same verdict\n  They differ in case or spaces alone.\n"
            f"{TONE}:3:47: '*odd*' is no name for a verdict\n"
            "  A judge's reply is read without such signs at its ends.\n"
            f"{TONE}:3:76: unknown key 'worth' in scale.fine\n  Known keys: means, score.",
        ),
        (
            LEAST.replace("{rude: 0, polite: 1}", "{rude: 0}"),
            f"{TONE}:3:1: the scale needs two verdicts of different scores at least\n"
            "  Write {rude: 0, polite: 1}, or {from: 1, to: 5}.",
        ),
        (
            LEAST.replace("{rude: 0, polite: 1}", "{from: 5, to: 1}"),
            f"{TONE}:3:1: the range must go up, by at most 100 steps, not from 5 to 1\n"
            "  The lowest number is the worst: {from: 1, to: 5}.",
        ),
        (
            LEAST.replace("{rude: 0, polite: 1}", "{from: 1}"),
            f"{TONE}:3:1: the range has no 'to'\n  Write {{from: 1, to: 5}}.",
        ),
        (
            LEAST.replace("{rude: 0, polite: 1}", "1-5"),
            f"{TONE}:3:1: scale must be a mapping, not '1-5'\n  Write {{rude: 0, polite: 1}}, or {{from: 1, to: 5}}.",
        ),
        (
            f"{LEAST}sees: {{inputs: [message], expected: true}}\n"
            "examples:\n  - {answer: x, verdict: polit, inputs: {mesage: y}, reference: z}\n  - {verdict: rude}\n  - x\n",
            f"{TONE}:6:5: examples[0] has no expected\n  The judge sees it of every row, so examples have it too.\n"
            f"{TONE}:6:17: 'polit' is no verdict of this scale\n  Did you mean 'polite'? Verdicts: polite, rude.\n"
            f"{TONE}:6:42: the judge does not see the input 'mesage'\n  Did you mean 'message'? It sees: message.\n"
            f"{TONE}:6:54: the judge does not see 'reference'\n"
            "  Show it: `sees: {reference: …}`, or leave it out here.\n"
            f"{TONE}:7:5: examples[1] has no answer\n"
            "  An example is an answer with the verdict that it deserves.\n"
            f"{TONE}:7:5: examples[1] has no expected\n  The judge sees it of every row, so examples have it too.\n"
            f"{TONE}:8:5: examples[2] must be a mapping with an answer and its verdict, not 'x'",
        ),
    ],
    ids=["empty", "keys", "floating", "refused", "even", "zero", "choices", "one", "down", "half", "text", "examples"],
)
def test_what_is_wrong_is_told_with_its_place_and_together(project: SuiteProject, text: str, message: str) -> None:
    assert refusal(project, text) == message


def test_a_rubric_that_is_not_there_or_not_named(project: SuiteProject) -> None:
    suite = "evals/triage.eval.yaml"
    assert project.refusal(SUITE) == (
        f"{suite}:3:26: there is no rubric evals/rubrics/tone.yaml\n  Paths start at the suite's directory."
    )
    assert project.refusal(SUITE.replace("{tone: {judge: {rubric: rubrics/tone.yaml}}}", "[judge]")) == (
        f"{suite}:3:11: judge has no rubric\n  Write `judge: {{rubric: rubrics/judge.yaml}}`."
    )
    assert project.refusal(SUITE.replace("rubric:", "rubrik:")) == (
        f"{suite}:3:18: judge has no rubric\n  Write `judge: {{rubric: rubrics/tone.yaml}}`.\n"
        f"{suite}:3:26: unknown key 'rubrik' in scorers.tone.judge\n  Did you mean 'rubric'? Known keys: rubric."
    )


def test_a_row_that_lacks_what_the_judge_sees_is_told_before_the_first_call(project: SuiteProject) -> None:
    assert refusal(project, f"{LEAST}sees: {{reference: ideal}}\n") == (
        "evals/triage.eval.yaml:3:18: tone can score no row: the row has no column 'ideal', and its expected value no "
        "such key; columns: language, message, queue, score, text"
    )


REFUSED = [
    "criterion: ''\nmodel: m\nscale: {a: 0, b: 1}\n",
    f"{LEAST}votes: 4\n",
    f"{LEAST}votes: 17\n",
    f"{LEAST}sees: [inputs]\n",
    f"{LEAST}sees: {{inputs: 3}}\n",
    f"{LEAST}sees: {{answers: true}}\n",
    f"{LEAST}examples: {{answer: x}}\n",
    f"{LEAST}examples: [{{answer: x, verdict: true}}]\n",
    f"{LEAST}unknown: 1\n",
    LEAST.replace("rude: 0", "rude: -1"),
    LEAST.replace("rude: 0", "rude: {score: 0, weight: 1}"),
    LEAST.replace("rude: 0", "from: 0"),
    LEAST.replace("openai/gpt-4o-2024-11-20", "{pinned: true}"),
]


def test_the_schema_agrees_with_the_parser(project: SuiteProject) -> None:
    file = importlib.resources.files("pytest_promptgate").joinpath("schemas/rubric.schema.json")
    schema = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    fits = jsonschema.Draft202012Validator(schema).is_valid

    for text in (LEAST, MOST, LEAST.replace("rude: 0", "rude: {score: 0, means: curt}")):
        assert fits(yaml.safe_load(text)), text
        assert refusal(project, text) == ""
    for text in REFUSED:
        assert not fits(yaml.safe_load(text)), text
        assert refusal(project, text) != "", text
    assert schema["properties"].keys() == KEYS
    assert schema["properties"]["sees"]["properties"].keys() == SEES
    assert schema["properties"]["examples"]["items"]["properties"].keys() == EXAMPLE


COMPARED = SUITE.replace("judge:", "compare:")


def test_a_comparison_needs_no_scale(project: SuiteProject) -> None:
    text = "criterion: Which is better?\nmodel: openai/gpt-4o-2024-11-20\nvotes: 3\nsees: {inputs: [message]}\n"
    file = importlib.resources.files("pytest_promptgate").joinpath("schemas/rubric.schema.json")
    jsonschema.validate(yaml.safe_load(text), json.loads(file.read_text(encoding="utf-8")))
    project.write("evals/rubrics/tone.yaml", text)
    suite = project.load(COMPARED)

    judge = suite.scorers[0].scorer
    assert isinstance(judge, RubricComparison)
    assert (judge.rubric.scale, judge.rubric.pairwise, judge.rubric.votes) == (PAIR, True, 3)
    project.write("evals/rubrics/tone.yaml", f"{text}scale: {{a: 0, b: 1}}\nexamples: []\n")
    assert project.refusal(COMPARED) == (
        f"{TONE}:5:1: a comparison has no scale\n  Its verdicts are first, second and tie.\n"
        f"{TONE}:6:1: a comparison has no examples\n"
        "  Say under `criterion:` what makes one answer better than another."
    )


def test_the_rubrics_of_the_page_are_rubrics(project: SuiteProject) -> None:
    page = (Path(__file__).parents[2] / "docs" / "judges.md").read_text(encoding="utf-8")
    found = {
        text: name for name, text in re.findall(r"```yaml\n# evals/(rubrics/\w+\.yaml).*?\n(.*?)```", page, re.DOTALL)
    }
    project.rows([{"id": "t-1", "message": "a", "ideal_reply": "b", "expected": "c"}])

    assert sorted(found.values()) == ["rubrics/better.yaml", "rubrics/tone.yaml"]
    for text, name in found.items():
        project.write(f"evals/{name}", text)
        kind = "compare" if "better" in name else "judge"
        assert project.load(SUITE.replace("judge:", f"{kind}:").replace("rubrics/tone.yaml", name)).scorers


def test_a_judge_sees_the_part_that_is_extracted_of_both_answers(project: SuiteProject) -> None:
    project.write("evals/rubrics/tone.yaml", "criterion: Which is better?\nmodel: openai/gpt-4o-2024-11-20\n")
    suite = project.load(COMPARED.replace("rubrics/tone.yaml}}", "rubrics/tone.yaml}, extract: last_line}"))
    judge = suite.scorers[0].scorer
    assert isinstance(judge, Judge)

    found = judge.inquire(Completion(text="Well.\nYes"), suite.cases[0], Completion(text="Hm.\nNo"))

    assert judge.compares
    assert isinstance(found, Inquiry)
    data = [line for line in found.requests[0].messages[-1].content.splitlines() if line.startswith("| ")]
    assert data == ["| Yes", "| No"]
