"""Under pytest-xdist the evals run in the controller: asked once, stored once, judged once, in every mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, Project, asked, section
from loopback.answers import last_user_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

UNIT = "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_number(n):\n    assert n != {bad}\n"
GATE = "evals/triage.eval.yaml::triage@v2::gate:accuracy[nearest-example-1]"


@pytest.fixture
def mixed(project: Project) -> Project:
    """Evals and ordinary tests side by side."""
    project.standard()
    project.write("test_unit.py", UNIT.format(bad="None"))
    return project


def outcome_of(result: pytest.RunResult) -> list[str]:
    """The closing tables."""
    return section(result, "prompt evals").splitlines()


@pytest.mark.parametrize("mode", ["load", "loadscope", "loadfile", "loadgroup", "worksteal", "each"])
def test_every_request_is_asked_once_in_every_mode(
    mixed: Project, loopback: Callable[..., LoopbackServer], mode: str
) -> None:
    server = loopback(answers=RIGHT)
    mixed.served(server.base_url)

    result = mixed.run("--update-baseline", "-n", "2", "--dist", mode)

    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["passed"] == 11 + (8 if mode == "each" else 4)
    assert sorted(last_user_text(request.body) for request in server.requests) == sorted(RIGHT)
    written = mixed.text("promptgate.lock.json"), mixed.text("promptgate.baselines/triage.jsonl")
    # Without workers: the same verdicts, nothing asked, the same bytes.
    alone = mixed.run("--update-baseline", "-m", "prompt_eval")
    alone.assert_outcomes(passed=11, deselected=4)
    assert server.count == 10
    assert (mixed.text("promptgate.lock.json"), mixed.text("promptgate.baselines/triage.jsonl")) == written


def test_verdicts_are_those_of_a_run_without_workers(mixed: Project) -> None:
    mixed.accept()
    mixed.worse()

    with_workers = mixed.evals("-n", "2")
    without = mixed.evals()

    assert with_workers.ret == without.ret == pytest.ExitCode.TESTS_FAILED
    assert section(with_workers, "FAILURES") == section(without, "FAILURES")
    assert outcome_of(with_workers)[2:] == outcome_of(without)[2:]


@pytest.mark.parametrize("arguments", [("evals",), ("evals/triage.eval.yaml",), ("-m", "prompt_eval")])
def test_evals_alone_start_no_workers(mixed: Project, arguments: tuple[str, ...]) -> None:
    result = mixed.evals("-n", "2", *arguments)

    assert "collected " in result.stdout.str()  # by this process; with workers, they collect
    assert "bringing up nodes" not in result.stdout.str()
    assert asked(result) == ["10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00"]


def test_the_node_id_of_one_eval_runs_it_alone(mixed: Project) -> None:
    result = mixed.evals("-n", "2", "evals/triage.eval.yaml::triage@v1::c-01")

    result.assert_outcomes(passed=1)


def test_node_ids_of_an_eval_and_of_a_test_go_together(mixed: Project) -> None:
    result = mixed.evals("-n", "2", "evals/triage.eval.yaml::triage@v1::c-01", "test_unit.py::test_number[1]")

    result.assert_outcomes(passed=2)


def test_k_selects_in_the_controller_as_in_the_workers(mixed: Project) -> None:
    assert mixed.evals("-n", "2", "-k", "c-01 or number").parseoutcomes()["passed"] == 5


def test_a_killed_worker_leaves_the_evals_alone(mixed: Project) -> None:
    mixed.write("test_zz.py", "import os\ndef test_dies():\n    os._exit(3)\n")

    result = mixed.evals("-n", "2")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes() == {"passed": 15, "failed": 1}
    assert asked(result) == ["10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00"]


def test_lf_after_a_red_gate_runs_that_gate_alone(mixed: Project) -> None:
    mixed.accept()
    mixed.worse()
    mixed.evals("-n", "2")

    result = mixed.evals("-n", "2", "--lf")

    assert result.parseoutcomes()["failed"] == 1
    assert "passed" not in result.parseoutcomes()
    assert f"REGRESSED {GATE}" in section(result, "short test summary info")


def test_x_stops_before_the_evals_when_a_test_fails(mixed: Project) -> None:
    mixed.write("test_unit.py", UNIT.format(bad="1"))

    result = mixed.evals("-n", "2", "-x")

    assert result.ret != pytest.ExitCode.OK
    assert not (mixed.root / ".promptgate").exists()


def test_a_wrong_suite_is_told_and_nothing_is_asked(mixed: Project) -> None:
    mixed.suite("prompt: triage\ndataset: ../datasets/mails.jsonl\nscorers: [exact_mach]\n")

    result = mixed.evals("-n", "2")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "evals/triage.eval.yaml:3:11: unknown scorer 'exact_mach'" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert not (mixed.root / ".promptgate").exists()


def test_a_wrong_project_file_is_told_once(mixed: Project) -> None:
    mixed.write("promptgate.yaml", "provider: {}\n")

    result = mixed.evals("-n", "2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("promptgate.yaml:1:1: unknown key 'provider'") == 1


def test_no_suite_where_suites_were_asked_for_is_an_error(project: Project) -> None:
    project.write("test_unit.py", UNIT.format(bad="None"))

    result = project.evals("-n", "2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--prompt-evals found no *.eval.yaml file below" in result.stderr.str()


def test_only_collecting_shows_both_kinds_and_asks_nothing(mixed: Project) -> None:
    result = mixed.evals("-n", "2", "--collect-only", "-q")

    assert len([line for line in result.stdout.lines if "::" in line]) == 15
    assert not (mixed.root / ".promptgate").exists()


def test_junit_counts_evals_and_tests_and_no_cache_is_needed(mixed: Project) -> None:
    result = mixed.evals("-n", "2", "-v", "-p", "no:cacheprovider", "--junitxml=out.xml")

    assert result.parseoutcomes() == {"passed": 15}
    assert 'errors="0" failures="0" skipped="0" tests="15"' in mixed.text("out.xml")
    assert "[100%]" in result.stdout.str()


def test_workers_import_nothing_of_ours_but_what_keeps_evals_out(mixed: Project) -> None:
    mixed.write(
        "test_unit.py",
        "import sys\n"
        "def test_modules():\n"
        "    assert 'pytest_promptgate.pytest_session' not in sys.modules\n"
        "    assert not {'yaml', 'jinja2', 'openai', 'pandas'} & set(sys.modules)\n",
    )

    # pytest-html brings jinja2.
    assert mixed.evals("-n", "2", "-p", "no:html").parseoutcomes() == {"passed": 12}
