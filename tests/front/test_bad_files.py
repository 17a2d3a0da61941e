"""Wrong configuration, lockfile, baseline outputs and response store, through pytest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import pytest
from front_project import Project, asked, section
from front_refusals import clean, collection_error, refused, told_below, usage_error

LOCKFILE = "promptgate.lock.json"
OUTPUTS = "promptgate.baselines/triage.jsonl"
TAKE_BACK = f"  It is written by pytest --update-baseline and promptgate calibrate. Take back the committed one: git checkout -- {LOCKFILE}"
Edit: TypeAlias = Callable[[str], str]


# --- promptgate.yaml -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "providers: {local: [}\n",
            (
                "promptgate.yaml:1:21: not valid YAML: did not find expected node content\n"
                "  Look here and on the lines before: a bracket or a quote that is not closed, or an indent that is off."
            ),
        ),
        (
            "provider: {}\n",
            (
                "promptgate.yaml:1:1: unknown key 'provider' in this file\n"
                "  Did you mean 'providers'? Known keys: judges, model_data, prices, providers."
            ),
        ),
        (
            'providers:\n  local: {base_url: "http://127.0.0.1:1/v1", api_key: sk-0123456789}\n',
            (
                "promptgate.yaml:2:46: 'api_key' of provider 'local' puts a secret into a file\n"
                "  Keep it in an environment variable and name that: `api_key_env: LOCAL_API_KEY`.\n"
                "  Revoke it if shared."
            ),
        ),
    ],
)
def test_a_wrong_configuration_is_told_before_anything_is_collected(project: Project, text: str, told: str) -> None:
    project.standard()
    project.write("promptgate.yaml", text)

    assert refused(project) == told


def test_a_configuration_that_is_a_dead_link_is_no_missing_one(project: Project) -> None:
    project.standard()
    (project.root / "promptgate.yaml").symlink_to("elsewhere.yaml")

    assert refused(project) == "promptgate.yaml: no such file"


def test_a_configuration_that_is_a_directory_is_told(project: Project) -> None:
    project.standard()
    (project.root / "promptgate.yaml").mkdir()

    assert refused(project) == "promptgate.yaml: cannot be read: Is a directory"


# --- the lockfile ----------------------------------------------------------------------------------------------------


def conflict(text: str) -> str:
    """The lockfile as Git leaves it when both sides changed a case."""
    return re.sub(r'(?m)^(.*"c-03".*\n)', r"<<<<<<< HEAD\n\1=======\n\1>>>>>>> theirs\n", text)


def in_case(pattern: str, replacement: str) -> Edit:
    """Change the line of one case."""
    return lambda text: re.sub(rf'("c-03".*?){pattern}', rf"\g<1>{replacement}", text, count=1)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        pytest.param(
            conflict,
            f"{LOCKFILE}:12: a Git conflict was not resolved\n"
            f"  Take one side whole: git checkout --theirs {LOCKFILE}\n  Then run: pytest --update-baseline",
            id="conflict markers",
        ),
        pytest.param(
            lambda text: text.replace('"lockfile_version": 1', '"lockfile_version": 99'),
            f"{LOCKFILE}: it was written by a newer pytest-promptgate (lockfile version 99, this one reads 1)\n"
            "  Upgrade: pip install --upgrade pytest-promptgate",
            id="a newer version",
        ),
        pytest.param(
            in_case('"queue":1.0', '"queue":0.0'),
            f"{LOCKFILE}:25: triage: accuracy: its cases give 0.9 (n=10), but 1.0 (n=10) is recorded: merged by hand "
            "or by Git\n  Run: pytest --update-baseline evals/triage.eval.yaml",
            id="an edited score",
        ),
        pytest.param(
            in_case('"queue":1.0', '"queue":NaN'),
            f"{LOCKFILE}: no valid JSON: NaN is no JSON number\n{TAKE_BACK}",
            id="not a number",
        ),
        pytest.param(
            lambda text: text.replace('"prompt": "triage@v1"', '"prompt": 7'),
            f"{LOCKFILE}:30: suites.triage.default.prompt: expected text, found 7\n{TAKE_BACK}",
            id="a wrong type",
        ),
        pytest.param(lambda _: "", f"{LOCKFILE}:1:1: no valid JSON: Expecting value\n{TAKE_BACK}", id="empty"),
        pytest.param(lambda _: "[]\n", f"{LOCKFILE}: expected a mapping, found []\n{TAKE_BACK}", id="no mapping"),
    ],
)
def test_a_broken_lockfile_is_told_and_is_never_a_missing_baseline(project: Project, edit: Edit, told: str) -> None:
    project.standard().accept()
    text = project.text(LOCKFILE)
    project.write(LOCKFILE, edit(text))
    assert project.text(LOCKFILE) != text

    assert refused(project) == told


def test_a_lockfile_that_was_merged_by_hand_is_mended_by_an_update(project: Project) -> None:
    project.standard().accept()
    project.write(LOCKFILE, in_case('"queue":1.0', '"queue":0.0')(project.text(LOCKFILE)))

    project.accept()

    assert section(project.evals(), "prompt evals").splitlines()[-1] == (
        "  accuracy  0.900     0.900    +0.000  unchanged  10/0/0"
    )


@pytest.mark.parametrize("broken", [conflict, lambda text: text.replace('version": 1', 'version": 99')])
def test_an_update_does_not_overwrite_what_it_cannot_read(project: Project, broken: Edit) -> None:
    project.standard().accept()
    project.write(LOCKFILE, broken(project.text(LOCKFILE)))
    before = project.text(LOCKFILE)

    assert usage_error(project.run("--update-baseline"))
    assert project.text(LOCKFILE) == before


def test_a_lockfile_that_is_a_directory_is_told(project: Project) -> None:
    project.standard()
    (project.root / LOCKFILE).mkdir()

    assert refused(project) == (
        f"{LOCKFILE}: it cannot be read: Is a directory\n"
        "  Make it a readable file, or name another one with promptgate_lockfile."
    )


def test_outputs_with_conflict_markers_are_told(project: Project) -> None:
    project.standard().accept()
    project.write(OUTPUTS, f"<<<<<<< HEAD\n{project.text(OUTPUTS)}")

    assert collection_error(project.evals()) == (
        f"{OUTPUTS}:1: a Git conflict was not resolved\n"
        f"  Take one side whole: git checkout --theirs {OUTPUTS}\n  Then run: pytest --update-baseline"
    )


# --- the response store ----------------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_opened_is_told_once_and_nothing_is_asked(project: Project) -> None:
    project.standard()
    project.write(".promptgate/responses", "a file where a directory should be\n")

    result = clean(project.evals())

    result.assert_outcomes(failed=11)
    assert [line.replace(f"{project.root}/", "") for line in told_below(result)] == [
        ".promptgate/responses/triage.jsonl: the response store cannot be read: Not a directory",
        "  Mend it or move it away.",
    ]
    assert asked(result) == ["10 cases: 0 unchanged, 0 asked, 10 not answered"]


def test_a_spoilt_line_of_the_store_costs_one_call(project: Project) -> None:
    project.standard().evals()
    store = project.root / ".promptgate/responses/triage.jsonl"
    lines = store.read_text(encoding="utf-8").splitlines()
    store.write_text("\n".join([*lines[:-1], lines[-1][: len(lines[-1]) // 2]]), encoding="utf-8")

    assert asked(project.evals())[0].startswith("10 cases: 0 unchanged, 9 from the store, 1 asked, ")
