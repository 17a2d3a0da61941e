"""``--update-baseline`` is ours unless somebody else's; ``--prompt-evals-update`` always is."""

from __future__ import annotations

import pytest
from front_project import Project, section

OWNER = """\
def pytest_addoption(parser):
    parser.addoption("--update-baseline", action="store_true", dest="theirs", help="update the pictures")

def pytest_report_header(config):
    return f"theirs: {config.option.theirs}"
"""
ASIDE = "promptgate: --update-baseline is another plugin's here; ours is --prompt-evals-update"


def is_written(project: Project) -> bool:
    """Whether there is a lockfile."""
    return (project.root / "promptgate.lock.json").exists()


@pytest.mark.parametrize("option", ["--update-baseline", "--prompt-evals-update"])
def test_both_spellings_write_baselines_and_imply_the_evals(project: Project, option: str) -> None:
    project.standard().run(option).assert_outcomes(passed=11)

    assert is_written(project)


def test_an_option_of_that_name_in_a_conftest_stays_theirs_and_we_say_so(project: Project) -> None:
    project.standard()
    project.write("conftest.py", OWNER)

    result = project.run("--update-baseline", "--prompt-evals")

    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines_random(["theirs: True", ASIDE])
    assert not is_written(project)


def test_an_option_of_that_name_in_another_plugin_stays_theirs(project: Project) -> None:
    project.standard()
    project.write("pictures.py", OWNER)
    project.pytester.syspathinsert()

    result = project.run("-p", "pictures", "--update-baseline", "--prompt-evals")

    result.stdout.fnmatch_lines_random(["theirs: True", ASIDE])
    assert not is_written(project)


def test_without_evals_their_option_works_and_no_eval_runs(project: Project) -> None:
    project.standard()
    project.write("conftest.py", OWNER)
    project.write("test_unit.py", "def test_one(pytestconfig): assert pytestconfig.option.theirs\n")

    project.run("--update-baseline").assert_outcomes(passed=1)


def test_the_long_form_works_beside_their_option(project: Project) -> None:
    project.standard()
    project.write("conftest.py", OWNER)

    result = project.run("--prompt-evals-update")

    result.stdout.fnmatch_lines(["theirs: False"])
    assert ASIDE not in result.stdout.str()
    assert is_written(project)


def test_messages_name_the_long_form_where_the_short_one_is_theirs(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.standard()
    project.write("conftest.py", OWNER)
    project.run("--prompt-evals-update")
    project.worse()

    assert section(project.evals(), "FAILURES").splitlines()[-1] == (
        'to accept it: pytest evals/triage.eval.yaml --prompt-evals-update --accept-regression "why"'
    )
    assert project.evals("--accept-regression", "why").stderr.str().strip() == (
        "ERROR: --accept-regression goes with --prompt-evals-update: alone it would accept nothing"
    )
    (project.root / "promptgate.lock.json").unlink()
    monkeypatch.setenv("CI", "1")
    assert section(project.evals(), "FAILURES").splitlines()[-1] == (
        "  Run `pytest evals/triage.eval.yaml --prompt-evals-update` locally and commit the lockfile."
    )


def test_the_alias_works_from_addopts(project: Project) -> None:
    project.standard()
    project.write("pytest.ini", "[pytest]\naddopts = --update-baseline\n")

    project.run().assert_outcomes(passed=11)

    assert is_written(project)


def test_the_alias_works_from_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--update-baseline")

    project.standard().run().assert_outcomes(passed=11)

    assert is_written(project)


def test_help_shows_the_alias_once(project: Project) -> None:
    shown = project.run("--help").stdout.str()

    assert shown.count("--update-baseline ") == 1
    assert "--prompt-evals-update" in shown


def test_help_works_where_the_alias_is_theirs(project: Project) -> None:
    project.write("conftest.py", OWNER)

    shown = project.run("--help").stdout.str()

    assert "update the pictures" in shown


def test_an_acceptance_without_an_update_is_a_usage_error(project: Project) -> None:
    result = project.standard().evals("--accept-regression", "why")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --accept-regression goes with --update-baseline: alone it would accept nothing"
    )


def test_an_acceptance_without_a_reason_is_a_usage_error(project: Project) -> None:
    result = project.standard().run("--update-baseline", "--accept-regression", " ")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --accept-regression needs a reason: it is what the next reader of the lockfile sees"
    )
