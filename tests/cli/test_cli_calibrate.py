"""``promptgate calibrate``: a judge of the loopback server held against labels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cli_world import Said
from front_project import RIGHT, ROWS
from judge_project import RUBRIC, SUITE, Models, fair, judged_project, says
from label_values import PATH, WRONG, labelled, write_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_world import CliProject
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

ARGS = ("calibrate", PATH, "--labels", "labels.csv")
REPORT = """\
evals/rubrics/tone.yaml by local/small-2: 20 answers, 1 rater
agreement                                      0.900
Cohen's kappa                                  0.800    95 %: 0.542 … 1.000
quadratically weighted kappa                   0.800    95 %: 0.542 … 1.000
Krippendorff's alpha, people               one rater
Krippendorff's alpha, with the judge       one rater
bias, judge - people                          +0.100  95 %: -0.035 … +0.235
sensitivity, good from 0.5                     1.000
specificity                                    0.800
no verdict                                         0
position consistency                  not applicable
self-consistency                          asked once
bias, candidate - production           not both arms

people's verdict (lines) and the judge's (columns)
        wrong  partly  right
wrong       8       0      2
partly      0       0      0
right       0       0     10

the 2 worst disagreements
c-01: people 0, judge 1: right: \\x1b[31mFine.
  nowhere
c-10: people 0, judge 1: right: \\x1b[31mFine.
  nowhere

20 labels say little: 100 are recommended, from both arms
its metrics gate
"""


def lenient(seen: dict[str, str]) -> str:
    """A judge that finds two wrong answers right, and wants to colour the terminal."""
    if "charged" in seen["input message"] or "card" in seen["input message"]:
        return f"\x1b[31mFine.\nVERDICT {seen['mark']}: right"
    return fair(seen)


def lines(said: Said) -> list[str]:
    """Its lines, with single spaces."""
    return [" ".join(line.split()) for line in said.out.splitlines()]


def test_a_calibration_is_told_kept_in_the_lockfile_and_never_asked_twice(
    project: CliProject, loopback: Loopback
) -> None:
    models = Models(verdict=lenient)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, labelled())

    dry = project.cli(*ARGS, "--dry-run")
    assert not (project.root / "promptgate.lock.json").exists()
    again = project.cli(*ARGS)
    same = project.cli(*ARGS)

    assert dry == Said(
        out=f"{REPORT}promptgate.lock.json: not written (--dry-run)\n",
        err="20 answers: 20 calls, about 11k tokens, cost unknown (tokens guessed from the length of the prompts)\n",
        code=0,
    )
    assert again == Said(
        out=f"{REPORT}promptgate.lock.json: written\n", err="20 answers: 0 calls; 20 verdicts stored\n", code=0
    )
    assert same.out == f"{REPORT}promptgate.lock.json: unchanged\n"
    assert len(models.judged) == 20
    kept = json.loads(project.text("promptgate.lock.json"))["rubrics"]
    assert (kept[PATH]["weighted_kappa"], kept[PATH]["labels"]) == (0.8, 20)
    project.evals()
    assert len(models.judged) == 20  # runs find what the calibration stored


def test_a_calibration_that_is_too_dear_asks_nothing(project: CliProject, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, labelled())
    unknown = project.cli(*ARGS, "--max-cost", "1")
    prices = "prices: {local/small-2: {input: 1000, output: 1000}}\n"
    project.write("promptgate.yaml", project.text("promptgate.yaml") + prices)

    dear = project.cli(*ARGS, "--max-cost", "$1")
    wrong = project.cli(*ARGS, "--max-cost", "much")
    enough = project.cli(*ARGS, "--max-cost", "100", "--dry-run")
    stored = project.cli(*ARGS, "--max-cost", "0", "--dry-run")

    assert (unknown.out, unknown.code, dear.out, dear.code) == ("", 1, "", 1)
    assert unknown.err.splitlines()[1:] == [
        "--max-cost 1: the price of local/small-2 is not known: nothing was asked",
        "  Write it in promptgate.yaml, in USD per million tokens: `prices: {local/small-2: {input: 2.5, output: 10}}`, "
        "or run without the limit.",
    ]
    cost = dear.err.splitlines()[0].partition("about $")[2].partition(" ")[0]
    assert dear.err.splitlines()[1:] == [
        f"--max-cost 1: the estimate is ${cost} (20 calls, about 11k tokens, about ${cost} (tokens guessed from the "
        "length of the prompts)): nothing was asked",
        "  Grant more, label fewer answers, or run without the limit.",
    ]
    assert wrong.err.splitlines()[-1] == (
        "Error: Invalid value for '--max-cost': 'much': expected an amount of USD, such as 0.50"
    )
    assert wrong.code == 4
    assert (enough.code, stored.code, len(models.judged)) == (0, 0, 20)


def test_json_holds_the_same_and_repeats_tell_whether_the_judge_agrees_with_itself(
    project: CliProject, loopback: Loopback
) -> None:
    fickle: list[str] = []

    def verdict(seen: dict[str, str]) -> str:
        fickle.append(seen["mark"])
        second = fickle.count(seen["mark"]) == 2
        return says("partly")(seen) if second and seen["answer"] == WRONG else lenient(seen)

    models = Models(verdict=verdict)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, labelled())

    first = json.loads(project.cli(*ARGS, "--json").out)
    repeated = project.cli(*ARGS, "--json", "--repeats", "2")
    found = json.loads(repeated.out)

    assert repeated.err.startswith("20 answers: 20 calls, ")
    assert repeated.err.endswith("; 20 verdicts stored\n")
    assert (first["self_consistency"], found["self_consistency"]) == (None, 0.5)
    assert (found["agreement"], found["confusion"]) == (0.9, [[8, 0, 2], [0, 0, 0], [0, 0, 10]])
    assert (found["trust"], found["why"], found["written"]) == ("gates", "", True)
    assert found["kappa_interval"] == found["weighted_kappa_interval"] == [0.542356, 1.0]
    assert found["disagreements"][0] == {
        "name": "c-01",
        "people": 0.0,
        "judge": 1.0,
        "reason": "right: \\x1b[31mFine.",
        "answer": WRONG,
    }


def test_answers_come_from_the_baseline_and_the_store_if_the_labels_name_cases_alone(
    project: CliProject, loopback: Loopback
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url).accept()
    models.answer = lambda _: WRONG
    project.prompt("v2", {"a": "b"}, model="{id: small-1, provider: local}")
    project.evals()
    asked = len(models.answered)
    write_labels(
        project,
        [
            {"id": case, "arm": arm, "label": label, "answer": ""}
            for case, _, _ in ROWS
            for arm, label in (("production", "right"), ("candidate", "wrong"))
        ],
    )

    said = project.cli(*ARGS, "--dry-run")

    assert said.err == "20 answers (20 of them stored): 0 calls; 20 verdicts stored\n"
    assert len(models.answered) == asked
    assert "agreement 1.000" in lines(said)
    assert "bias, candidate - production +0.000 95 %: +0.000 … +0.000, within 0.02" in lines(said)


def test_answers_that_no_suite_has_bring_what_the_judge_sees(project: CliProject, loopback: Loopback) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    rows = [
        {"message": f"question {at}", "expected": "billing", "answer": answer, "label": label, "rater": rater}
        for at in range(10)
        for answer, label in (("billing", "right"), (WRONG, "wrong"))
        for rater in ("anna", "ben")
    ]
    write_labels(project, rows)

    said = project.cli(*ARGS, "--dry-run")

    assert said.out.startswith("evals/rubrics/tone.yaml by local/small-2: 20 answers, 2 raters\n")
    assert "Krippendorff's alpha, people 1.000" in lines(said)


def test_a_judge_that_gives_no_verdict_is_counted_and_too_many_of_them_end_it(
    project: CliProject, loopback: Loopback
) -> None:
    def verdict(seen: dict[str, str]) -> str:
        return "Hm.\x07" if "card" in seen["input message"] and seen["answer"] == WRONG else fair(seen)

    judged_project(project, loopback(answers=Models(verdict=verdict)).base_url)
    more = [{"id": "c-02", "answer": f"answer {at}", "label": "wrong"} for at in range(2)]
    write_labels(project, [*labelled(), *more])
    told = project.cli(*ARGS, "--dry-run")
    write_labels(project, labelled())

    few = project.cli(*ARGS)

    assert "no verdict 2" in lines(told)
    assert "no verdict: c-10: the judge's reply has no verdict line: Hm.\\x07" in lines(told)
    assert (few.out, few.code) == ("", 1)
    assert few.err.splitlines()[-1] == (
        "evals/rubrics/tone.yaml: 18 labelled answers with a verdict are too few to say whether a judge agrees with "
        "people: at least 20 are needed"
    )
    assert not (project.root / "promptgate.lock.json").exists()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            labelled()[:12],
            "labels.csv: 12 labelled answers are too few to say whether a judge agrees with people: "
            "at least 20 are needed\n  Nothing was asked.\n",
        ),
        (
            [{**row, "label": "right"} for row in labelled()],
            "labels.csv: all 20 labels say 'right': with one class only, agreement cannot be told from chance\n"
            "  Nothing was asked.\n",
        ),
        (
            [{**row, "id": row["id"].replace("c-02", "c-99")} for row in labelled()],
            "labels.csv:4: no case of the suite is called 'c-99'\n"
            "  Did you mean 'c-09'? Cases: c-01, c-02, c-03, c-04, c-05, c-06, c-07, c-08, c-09, c-10.\n"
            "labels.csv:5: no case of the suite is called 'c-99'\n"
            "  Did you mean 'c-09'? Cases: c-01, c-02, c-03, c-04, c-05, c-06, c-07, c-08, c-09, c-10.\n",
        ),
        (
            [{**row, "answer": "" if row["id"] == "c-03" and row["label"] == "right" else row["answer"]}
             for row in labelled()],
            "labels.csv:6: no answer to 'c-03' is stored\n"
            "  Write it into a column `answer`, or run the suite first: pytest --prompt-evals evals/triage.eval.yaml\n",
        ),
        (
            [{"message": f"question {at}", "answer": f"a {at}", "label": ("right", "wrong")[at % 2]}
             for at in range(20)],
            "".join(
                f"labels.csv:{line}: the judge cannot be asked: the row has no expected value\n" for line in range(2, 12)
            ),
        ),
    ],
    ids=["too few", "one class", "unknown ids", "no answer", "no expected"],
)  # fmt: skip
def test_labels_that_can_tell_nothing_are_refused_before_anything_is_asked(
    project: CliProject, loopback: Loopback, rows: list[dict[str, str]], told: str
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url)
    write_labels(project, rows)

    said = project.cli(*ARGS)

    assert said == Said(out="", err=told, code=1)
    assert models.judged == []


def test_a_rubric_that_no_suite_uses_or_that_several_use_is_a_usage_error(
    project: CliProject, loopback: Loopback
) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    write_labels(project, labelled())
    unused = project.cli("calibrate", "evals/rubrics/tune.yaml", "--labels", "labels.csv")
    project.write("evals/again.eval.yaml", SUITE)

    several = project.cli(*ARGS)
    named = project.cli(*ARGS, "--suite", "again", "--dry-run")

    assert unused == Said(
        out="",
        err=(
            "no suite judges by evals/rubrics/tune.yaml\n"
            "  Did you mean 'evals/rubrics/tone.yaml'? Their rubrics: evals/rubrics/tone.yaml.\n"
        ),
        code=4,
    )
    assert several == Said(
        out="",
        err=(
            "evals/rubrics/tone.yaml is the rubric of 2 suites: again, triage\n"
            "  Say whose rows and answers the labels name: --suite NAME\n"
        ),
        code=4,
    )
    assert named.code == 0


def test_a_judge_that_cannot_be_reached_leaves_the_lockfile_alone(project: CliProject, loopback: Loopback) -> None:
    server = loopback(answers=Models(verdict=fair))
    judged_project(project, server.base_url)
    project.server("http://127.0.0.1:9/v1", more=", retry_for_s: 0")
    write_labels(project, labelled())

    said = project.cli(*ARGS)

    assert (said.out, said.code) == ("", 1)
    assert said.err.splitlines()[1::2] == [
        "20 of 20 answers could not be judged: local: nobody answers at http://127.0.0.1:9/v1: the connection was refused",
        "  Run again: what was judged is stored.",
    ]
    assert not (project.root / "promptgate.lock.json").exists()


def test_labels_outside_the_project_are_said_to_be_no_golden_set(
    project: CliProject, loopback: Loopback, tmp_path_factory: pytest.TempPathFactory
) -> None:
    judged_project(project, loopback(answers=Models(verdict=fair)).base_url)
    write_labels(project, labelled())
    outside = (project.root / "labels.csv").rename(tmp_path_factory.mktemp("elsewhere") / "labels.csv")

    said = project.cli("calibrate", PATH, "--labels", str(outside))

    assert said.out.splitlines()[-2:] == [
        f"{outside}: outside the project, so --prompt-judge-drift will have nothing to compare with",
        "promptgate.lock.json: written",
    ]


def test_a_comparing_judge_is_held_against_labels_in_both_orders(project: CliProject, loopback: Loopback) -> None:
    def verdict(seen: dict[str, str]) -> str:
        if seen["first answer"] == "odd" or seen["second answer"] == "odd":
            return f"VERDICT {seen['mark']}: first"
        order = {"good": 2, "fair": 1, "bad": 0}
        won = order[seen["first answer"]] > order[seen["second answer"]]
        return f"VERDICT {seen['mark']}: {'first' if won else 'second'}"

    rubric = "criterion: Which is better?\nmodel: local/small-2\nsees: {inputs: [message]}\n"
    suite = SUITE.replace("judge:", "compare:")
    judged_project(project, loopback(answers=Models(verdict=verdict)).base_url, rubric=rubric, suite=suite)
    rows = [
        {"id": case, "answer": answer, "production": "fair", "label": label}
        for case, _, _ in ROWS
        for answer, label in (("good", "candidate"), ("bad", "production"))
    ]
    odd = [{**row, "answer": "odd"} for row in rows[::2][:6]]
    write_labels(project, [*rows, *odd])

    said = project.cli(*ARGS, "--dry-run")

    assert "position consistency 0.769 below 0.8: goes by position" in lines(said)
    assert "production 10 0 0" in lines(said)
    assert "its metrics are shown only: the judge goes by position: both orders agree on 0.77 of it, below 0.8\n" in (
        said.out
    )


def test_right_answers_are_those_of_the_project() -> None:
    assert {row["answer"] for row in labelled()} == {*RIGHT.values(), WRONG}
    assert "scale: {wrong: 0, partly: 0.5, right: 1}" in RUBRIC
