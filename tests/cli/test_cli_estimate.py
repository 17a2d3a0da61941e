"""``promptgate estimate``, and how every command opens a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cli_world import PRICES, CliProject, Said
from front_project import QUIET_PLUGINS, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

QUIET = " ".join(QUIET_PLUGINS)
HEADER = "suite   slot     cases  unchanged  stored  to ask  tokens     cost\n"


def test_a_suite_without_any_history_is_guessed_from_its_prompts_and_says_so(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    server = remote()
    project.write("promptgate.yaml", PRICES)

    assert project.cli("estimate") == Said(
        out=(
            "suite   slot     cases  unchanged  stored  to ask  tokens    cost\n"
            "triage  default     10          0       0      10    3.2k  $10.83\n"
            "10 calls, about 3.2k tokens, about $10.83 (tokens guessed from the length of the prompts)\n"
        ),
        err="",
        code=0,
    )
    assert server.count == 0


def test_an_unknown_price_is_unknown_and_never_zero(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote()

    assert project.cli("estimate", "evals").out == (
        f"{HEADER}"
        "triage  default     10          0       0      10    3.2k  unknown\n"
        "10 calls, about 3.2k tokens, cost unknown (tokens guessed from the length of the prompts)\n"
        "1 price unknown: openai/gpt-4o-2024-11-20\n"
        "  Write it under `prices:` in promptgate.yaml, or install the price data: "
        "pip install 'pytest-promptgate[prices]'\n"
    )


def test_stored_answers_are_not_asked_again_and_tell_what_an_answer_takes(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    server = remote()
    project.write("promptgate.yaml", PRICES)
    project.dataset([(case, message, "x") for case, message, _ in _rows(4)])
    project.evals()
    project.dataset([(case, message, "x") for case, message, _ in _rows(6)])

    said = project.cli("estimate")

    assert server.count == 4
    assert said.out == (
        "suite   slot     cases  unchanged  stored  to ask  tokens   cost\n"
        "triage  default      6          0       4       2      90  $0.11\n"
        "2 calls, about 90 tokens, about $0.11\n"
        "triage: tokens from stored answers\n"
    )


def test_what_the_baseline_settles_is_unchanged(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(answers=lambda _: "billing")
    project.accept()
    (project.root / ".promptgate" / "responses" / "triage.jsonl").unlink()
    project.dataset([*ROWS, ("c-11", "a new one", "billing")])

    lines = project.cli("estimate", "triage").out.splitlines()

    assert lines[1] == "triage  default     11         10       0       1      45  unknown"
    assert lines[3] == "triage: tokens from the baseline"


def test_a_project_where_nothing_is_to_ask_costs_nothing(project: CliProject) -> None:
    project.standard()
    project.accept()

    assert project.cli("estimate").out == (
        "suite   slot     cases  unchanged  stored  to ask  tokens   cost\n"
        "triage  default     10         10       0       0       0  $0.00\n"
        "0 calls\n"
    )


def test_a_wrong_suite_is_told_whole_and_ends_as_pytest_does(project: CliProject) -> None:
    project.standard().suite("prompt: triage\ndataset: ../datasets/mails.jsonl\nscorers: [exact_match]\nsample: 2\n")

    said = project.cli("estimate")

    assert (said.out, said.code) == ("", 2)
    assert said.err == (
        "evals/triage.eval.yaml:4:1: unknown key 'sample' in this file\n"
        "  Did you mean 'samples'? Known keys: constants, dataset, extract, gate, inputs, metrics, model, must_pass, outputs, "
        "prompt, samples, scorers, slices, smoke, suite, target, turns.\n"
    )


def test_a_wrong_promptgate_yaml_is_a_usage_error(project: CliProject) -> None:
    project.standard().write("promptgate.yaml", "provider: {}\n")

    said = project.cli("estimate")

    assert (said.out, said.code) == ("", 4)
    assert said.err == (
        "promptgate.yaml:1:1: unknown key 'provider' in this file\n"
        "  Did you mean 'providers'? Known keys: judges, model_data, prices, providers.\n"
    )


def test_a_name_that_no_suite_has_is_a_usage_error(project: CliProject) -> None:
    project.standard()

    assert project.cli("estimate", "triag") == Said(
        out="", err="no suite is called 'triag'\n  Did you mean 'triage'? Suites: triage.\n", code=4
    )


def test_a_path_that_is_not_there_is_pytests_own_usage_error(project: CliProject) -> None:
    project.standard()

    assert project.cli("estimate", "evals/nope.eval.yaml") == Said(
        out="", err="file or directory not found: evals/nope.eval.yaml\n", code=4
    )


def test_a_project_without_suites_is_a_usage_error(project: CliProject) -> None:
    assert project.cli("estimate") == Said(
        out="", err=f"there is no *.eval.yaml file below {project.root}\n  Write one, or name its path.\n", code=4
    )


def test_an_unknown_option_is_a_usage_error(project: CliProject) -> None:
    said = project.cli("estimate", "--nope")

    assert said.code == 4
    assert said.err.endswith("Error: No such option: --nope\n") or "--nope" in said.err


def test_conftests_below_the_root_and_what_addopts_select_are_as_for_pytest(project: CliProject) -> None:
    project.standard()
    project.write(
        "pytest.ini", f"[pytest]\naddopts = {QUIET} --lf -k nothing -m nothing --maxfail=1\ntestpaths = evals\n"
    )
    project.write(
        "evals/conftest.py",
        "import pytest_promptgate as p\n"
        "@p.hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'polite': lambda completion, case: p.Score(value=1.0)}\n",
    )
    project.suite("prompt: triage\ndataset: ../datasets/mails.jsonl\nscorers: [polite]\n")
    project.write("evals/test_never.py", "raise RuntimeError('nobody imports ordinary tests here')\n")

    assert project.cli("estimate").out.splitlines()[1].startswith("triage  default     10")


def _rows(count: int) -> list[tuple[str, str, str]]:
    return [(f"c-{number:02}", f"message number {number}", "billing") for number in range(1, count + 1)]


def test_a_package_offers_scorers_through_its_entry_point(project: CliProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard().suite("prompt: triage\ndataset: ../datasets/mails.jsonl\nscorers: [polite]\n")
    project.write(
        "site/polite_offers.py",
        "import pytest_promptgate as p\n"
        "@p.hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'polite': lambda completion, case: p.Score(value=1.0)}\n",
    )
    project.write("site/polite-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: polite\nVersion: 1\n")
    project.write("site/polite-1.dist-info/entry_points.txt", "[promptgate]\npolite = polite_offers\n")
    monkeypatch.syspath_prepend(project.root / "site")

    assert project.cli("estimate").out.splitlines()[1].startswith("triage  default     10")
    project.evals().assert_outcomes(passed=11)


def test_an_entry_point_that_cannot_be_loaded_is_told(project: CliProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard()
    project.write("site/broken-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    project.write("site/broken-1.dist-info/entry_points.txt", "[promptgate]\nbroken = no_such_module\n")
    monkeypatch.syspath_prepend(project.root / "site")

    assert project.cli("estimate") == Said(
        out="",
        err=(
            "no_such_module: its entry point 'broken' cannot be loaded: "
            "ModuleNotFoundError: No module named 'no_such_module'\n"
            "  Mend or uninstall the package that brings it.\n"
        ),
        code=4,
    )
