"""The closing tables, and what may never get through to a terminal."""

from __future__ import annotations

import pytest
from front_project import ROWS, SUITE, Project, section

# What a model may say to mislead whoever reads the log: colours, cursor moves, a bell, bidirectional overrides.
HOSTILE = "\x1b[31mbilling\x1b[2K\r\x07\x9b1A\u202egnillib\u2066\u200b\x00\ud800"
FORBIDDEN = [char for char in HOSTILE if not char.isprintable()]


def table(result: pytest.RunResult) -> list[str]:
    """The closing section."""
    return section(result, "prompt evals").splitlines()


def test_the_table_has_a_line_per_metric(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE.strip()[:-1]}, cost: total(cost_usd), tokens: mean(tokens_total), slow: p95(latency_s)}}\n")
    project.accept()
    project.worse()

    *rows, latency = table(project.evals())[3:]

    assert rows == [
        "  metric    baseline  current  change   verdict          n/unscored/errored",
        "  accuracy  1.000     0.700    -0.300   regressed        10/0/0",
        "  cost      0.000     0.000    +0.000   unchanged        10/0/0",
        "  tokens    59.100    46.100   -13.000  improved         10/0/0",
    ]
    assert latency.startswith("  slow      -         0.")
    assert latency.endswith("    -        new (not gated)  10/0/0")


def test_slices_take_a_line_each(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}slices: [message]\n")
    project.dataset(ROWS[:2])

    assert table(project.evals())[-2:] == [
        "  message=a wrong amount on the invoice (n=1): accuracy 1.000",
        "  message=the card was charged two times (n=1): accuracy 1.000",
    ]


def test_each_suite_has_its_own_table_in_the_order_of_their_files(project: Project) -> None:
    project.standard()
    project.suite(SUITE, name="again")

    titles = [line for line in table(project.evals()) if not line.startswith(" ")]

    assert titles == [
        "again: triage@v1 on embedded/nearest-example-1",
        "triage: triage@v1 on embedded/nearest-example-1",
    ]


def test_unscored_and_errored_cases_stand_in_the_books(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        "from pytest_promptgate import Score, Unscored, hookimpl\n"
        "def moody(completion, case):\n"
        "    if case.id == 'c-01': raise ValueError('no')\n"
        "    return Unscored(reason='hm') if case.id in ('c-02', 'c-03') else Score(value=1)\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'moody': moody}\n",
    )
    project.suite(SUITE.replace("exact_match", "moody"))

    assert table(project.evals())[-2:] == [
        "  accuracy  -         1.000    -       inconclusive  7/2/1",
        "  unscored: c-02, c-03: hm",
    ]


def test_an_unknown_price_is_said_to_be_unknown(project: Project) -> None:
    project.scripted("Completion(text=answers[question], tokens_in=1000, tokens_out=200)")

    assert table(project.evals())[1] == "  10 cases: 0 unchanged, 10 asked, 12k tokens, cost unknown"


def test_a_known_price_gives_the_cost(project: Project) -> None:
    project.scripted("Completion(text=answers[question], tokens_in=1000, tokens_out=200)")
    project.write(
        "promptgate.yaml",
        f"{project.text('promptgate.yaml')}prices: {{it/m-1: {{input: 2.5, output: 10}}}}\n",
    )

    assert table(project.evals())[1] == "  10 cases: 0 unchanged, 10 asked, 12k tokens, $0.04"


def test_what_stopped_an_account_is_told_once_below_the_tables(project: Project) -> None:
    project.scripted("fail(AccountStopped('it', 'the key was refused', hint='Set IT_KEY.'))")

    result = project.evals()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert table(result)[-2:] == ["it: the key was refused", "  Set IT_KEY."]


def hostile(project: Project) -> Project:
    """A project whose model answers, whose scorer gives reasons, and whose rows are, full of control characters."""
    project.scripted("Completion(text='''billing\\n''' + HOSTILE)")
    project.write("hostile.py", f"HOSTILE = {HOSTILE!a}\n")
    project.write(
        "conftest.py",
        "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
        "from hostile import HOSTILE\n"
        "from pytest_promptgate import Score\n"
        f"{project.text('conftest.py')}"
        "def strange(completion, case):\n"
        "    if case.id == 'c-02': raise ValueError(HOSTILE)\n"
        "    return Score(value=0.0, reason=HOSTILE)\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'strange': strange}\n",
    )
    rows = [(case, f"{message} {HOSTILE[:-1]}", f"{queue} {HOSTILE[:-1]}") for case, message, queue in ROWS]
    project.dataset([(f"c-03 {HOSTILE[:-1]}", *rows[2][1:]), *rows[:2], *rows[3:]])
    project.suite(
        "suite: triage\nprompt: triage\ndataset: ../datasets/mails.jsonl\n"
        "scorers: {queue: exact_match, odd: strange}\nmetrics: {accuracy: mean(queue), oddity: mean(odd)}\n"
        "gate: {accuracy: {floor: 1}}\nmust_pass: [c-01, c-04]\nslices: [message]\n"
    )
    return project


@pytest.mark.parametrize("options", [(), ("-v",), ("-rA",), ("--collect-only", "-q"), ("-o", "promptgate_items=suite")])
def test_no_control_character_of_a_model_a_row_or_a_scorer_reaches_the_terminal(
    project: Project, options: tuple[str, ...]
) -> None:
    result = hostile(project).evals(*options)

    shown = result.stdout.str() + result.stderr.str()
    assert [char for char in FORBIDDEN if char in shown] == []
    assert "INTERNALERROR" not in shown


def test_control_characters_are_written_out_so_that_they_can_be_seen(project: Project) -> None:
    told = section(hostile(project).evals(), "FAILURES")

    assert r"answer: billing \x1b[31mbilling\x1b[2K" in told


def test_nothing_of_a_model_comes_through_in_colour_either(project: Project) -> None:
    shown = hostile(project).evals("--color=yes").stdout.str()

    assert "\x1b[31mbilling" not in shown
    assert [char for char in FORBIDDEN if char in shown and char != "\x1b"] == []


def test_without_a_terminal_there_is_no_colour(project: Project) -> None:
    project.standard().accept()
    project.worse()

    assert "\x1b" not in project.evals().stdout.str()


def test_the_diff_of_a_prompt_and_its_verdict_are_coloured(project: Project) -> None:
    project.standard().accept()
    project.worse()

    shown = project.evals("--color=yes").stdout.str()

    assert "\x1b[31m\x1b[1maccuracy fell from 1.000 to 0.700" in shown
    assert "\x1b[31m    -i cannot log in\x1b[0m" in shown
