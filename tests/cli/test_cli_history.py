"""``--prompt-history`` and ``promptgate history``: from run to run."""

from __future__ import annotations

import json

from cli_world import CliProject

FILE = "promptgate.history.jsonl"


def history_of(project: CliProject) -> list[dict[str, object]]:
    """The lines of the history."""
    return [json.loads(line) for line in project.text(FILE).splitlines()]


def test_runs_are_remembered_on_demand_and_shown(project: CliProject) -> None:
    project.standard().accept()
    assert not (project.root / FILE).exists()

    said = project.evals("--prompt-history").stdout.lines
    project.evals("--prompt-history", "--prompt-refresh")
    project.worse()
    red = project.evals("--prompt-history")
    shown = project.cli("history", "triage")

    assert f"{FILE}: 1 line added" in said
    assert red.ret == 1
    day = str(history_of(project)[0]["at"])[:10]
    assert shown.out.splitlines() == [
        f"triage, baseline: 2 runs, {day}",
        "  now triage@v2 on embedded/nearest-example-1",
        "  metric    first    now  change   n  trend",
        "  accuracy  1.000  0.700  -0.300  10  █▁",
        f"  {day}  prompt triage@v1 -> triage@v2",
        f"triage, drift: 1 run, {day}",
        "  now triage@v1 on embedded/nearest-example-1",
        "  metric    first    now  change   n  trend",
        "  accuracy  1.000  1.000  +0.000  10  ▄",
    ]


def test_ascii_and_json(project: CliProject) -> None:
    project.standard().accept()
    project.evals("--prompt-history")

    assert "  accuracy  1.000  1.000  +0.000  10  -" in project.cli("history", "--ascii").out.splitlines()
    assert json.loads(project.cli("history", "--json").out) == history_of(project)


def test_a_run_that_is_not_complete_is_not_remembered(project: CliProject) -> None:
    project.standard().accept()

    said = project.evals("--prompt-history", "--prompt-smoke").stdout.lines

    assert "triage: not added to the history: smoke tier: 8 of 10 cases" in said
    assert not (project.root / FILE).exists()


def test_a_history_that_cannot_be_written_leaves_the_exit_code_as_it_was(project: CliProject) -> None:
    project.standard().accept()

    result = project.evals("--prompt-history", "-o", "promptgate_history=nowhere/h.jsonl")

    assert result.ret == 0
    assert "nowhere/h.jsonl: it cannot be written: No such file or directory" in result.stdout.lines


def test_an_unknown_suite_and_a_missing_file_are_told(project: CliProject) -> None:
    project.standard().accept()

    missing = project.cli("history")
    project.evals("--prompt-history")
    unknown = project.cli("history", "triag")

    assert (missing.code, missing.err) == (
        1,
        f"{FILE}: there is no such file\n  It is written by: pytest --prompt-evals --prompt-history\n",
    )
    assert (unknown.code, unknown.err) == (
        4,
        f"{FILE} has no suite 'triag'\n  Did you mean 'triage'? Suites there: triage.\n",
    )


def test_lines_that_hold_no_run_are_told_beside_the_others(project: CliProject) -> None:
    project.standard().accept()
    project.evals("--prompt-history")
    project.write(FILE, project.text(FILE) + '{"torn')

    said = project.cli("history")

    assert said.code == 0
    assert said.out.startswith("triage, baseline: 1 run")
    assert said.err.startswith(f"{FILE}:2: left out: no valid JSON: ")
