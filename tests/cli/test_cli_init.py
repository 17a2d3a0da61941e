"""``promptgate init``: green at once, nothing asked, nothing overwritten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from front_project import asked, section
from git_project import commit, git, repository

from pytest_promptgate import __version__
from pytest_promptgate.errors import ConfigError
from pytest_promptgate.files.pytest_paths import with_testpath

if TYPE_CHECKING:
    from pathlib import Path

    from cli_world import CliProject

MADE = [
    *("prompts/triage/v1.prompty", "datasets/triage.jsonl", "evals/triage.eval.yaml", "schemas/suite.schema.json"),
    *(".github/workflows/prompt-gate.yml", ".gitignore"),
]
LAST_EXAMPLE = "user:\nI sent the parcel back, where is my money?\n\nassistant:\nbilling\n\n"


def files(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".promptgate", "__pycache__"} & {*path.parts}
    }


@pytest.fixture
def empty(project: CliProject) -> CliProject:
    """An empty directory."""
    (project.root / "pytest.ini").unlink()
    return project


# --- the made project ------------------------------------------------------------------------------------------------


def test_an_empty_directory_becomes_a_project_that_is_green_at_once(empty: CliProject) -> None:
    said = empty.cli("init")

    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines()[:7]] == [
        ["made", path] for path in [*MADE, "pytest.ini"]
    ]
    assert sorted(files(empty.root)) == sorted([*MADE, "pytest.ini"])

    result = empty.evals()

    result.assert_outcomes(passed=13)
    assert "  accuracy  -         0.833    -       new      12/0/0" in section(result, "prompt evals")


def test_the_printed_commands_lead_to_a_red_gate(empty: CliProject) -> None:
    said = empty.cli("init").out
    assert re.findall(r"^  (pytest.*?)(?:   |$)", said, re.MULTILINE) == [
        "pytest --prompt-evals",
        "pytest --update-baseline",
        "pytest --prompt-evals",
    ]
    empty.accept()
    first = empty.text("prompts/triage/v1.prompty")
    assert LAST_EXAMPLE in first
    assert first.rpartition("assistant:")[2] == "\nbilling\n\nuser:\n{{ message }}\n"

    empty.write("prompts/triage/v2.prompty", first.replace(LAST_EXAMPLE, ""))
    result = empty.evals()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "accuracy fell from 0.833 to 0.750 (n=12, change -0.083, tolerance 0)" in result.stdout.str()

    more = "user:\nCan the courier leave the parcel with a neighbour?\n\nassistant:\nshipping\n\n"
    empty.write("prompts/triage/v2.prompty", first.replace(LAST_EXAMPLE, LAST_EXAMPLE + more))
    result = empty.evals()

    assert result.ret == pytest.ExitCode.OK
    assert "  accuracy  0.833     0.917    +0.083  improved  12/0/0" in section(result, "prompt evals")


def test_the_made_workflow_passes_a_pull_request_that_adds_the_project(
    empty: CliProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(empty.root)
    git(empty.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    empty.cli("init")
    monkeypatch.setenv("CI", "true")

    without = empty.evals("evals", "--baseline-ref", "origin/main")
    empty.accept("evals")
    commit(empty.root, "The first suite")
    result = empty.evals("evals", "--baseline-ref", "origin/main")

    assert without.ret == pytest.ExitCode.TESTS_FAILED
    assert "Run `pytest evals/triage.eval.yaml --update-baseline` locally and commit the lockfile." in (
        without.stdout.str()
    )
    assert result.ret == pytest.ExitCode.OK
    assert asked(result) == ["12 cases: 12 unchanged, 0 asked"]


def test_git_keeps_the_baselines_and_not_the_store(empty: CliProject) -> None:
    empty.write(".gitignore", "*.json\n*.jsonl\n!datasets/*\n")
    empty.cli("init")
    empty.accept()
    git(empty.root, "init", "--quiet")
    git(empty.root, "add", "--all")

    tracked = set(git(empty.root, "ls-files").split())

    assert {"promptgate.lock.json", "promptgate.baselines/triage.jsonl"} <= tracked
    assert not any(path.startswith(".promptgate/") for path in tracked)


def test_the_workflow_is_minimal_and_installs_this_version(empty: CliProject) -> None:
    empty.cli("init")
    workflow = yaml.safe_load(empty.text(MADE[4]))
    steps = workflow["jobs"]["prompt-gate"]["steps"]

    assert workflow["permissions"] == {"contents": "read"}
    assert all(re.search(r"@v\d+\Z", step["uses"]) for step in steps if "uses" in step)
    assert {"run": f'pip install "pytest-promptgate=={__version__}"'} in steps
    assert any("--baseline-ref" in step.get("run", "") for step in steps)


# --- a directory that is not empty -----------------------------------------------------------------------------------


def test_a_second_time_everything_is_kept(empty: CliProject) -> None:
    empty.cli("init")
    before = files(empty.root)

    said = empty.cli("init")

    assert files(empty.root) == before
    assert [line.rstrip() for line in said.out.splitlines()[:4]] == [
        "kept  prompts/triage                     so no example was made",
        "kept  schemas/suite.schema.json          it is there already",
        "kept  .github/workflows/prompt-gate.yml  it is there already",
        "kept  .gitignore                         it ignores .promptgate/ already",
    ]


def test_a_dry_run_writes_nothing(empty: CliProject) -> None:
    said = empty.cli("init", "--dry-run")

    assert files(empty.root) == {}
    assert [line.split()[:2] for line in said.out.splitlines()] == [["make", path] for path in [*MADE, "pytest.ini"]]


def test_lines_are_added_to_files_that_are_there(empty: CliProject) -> None:
    empty.write(".gitignore", "dist/")
    empty.write("pyproject.toml", '[project]\nname = "shop"\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')

    said = empty.cli("init")

    assert empty.text(".gitignore").startswith("dist/\n# Stored answers")
    assert empty.text("pyproject.toml").endswith('testpaths = ["evals", "tests"]\n')
    assert not (empty.root / "pytest.ini").exists()
    assert "added to  pyproject.toml" in said.out
    assert empty.evals().ret == pytest.ExitCode.OK


def test_a_directory_below_the_repositorys_root_is_told_where_the_workflow_belongs(
    empty: CliProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(empty.root)
    (empty.root / "api").mkdir()
    monkeypatch.chdir(empty.root / "api")

    assert (
        f"\nThe repository's root is {empty.root}: move .github/workflows/prompt-gate.yml there.\nIts steps work in api.\n"
    ) in empty.cli("init").out
    job = yaml.safe_load((empty.root / "api" / MADE[4]).read_text(encoding="utf-8"))["jobs"]["prompt-gate"]
    assert job["defaults"] == {"run": {"working-directory": "api"}}
    paths = [step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})]
    assert paths == ["api/.promptgate", "api/.promptgate", "api/prompt-gate.xml"]


def test_a_file_in_the_way_is_told(empty: CliProject) -> None:
    empty.write("datasets", "no directory")

    said = empty.cli("init")

    assert (said.code, said.err) == (
        1,
        "datasets: cannot be written: File exists\n"
        "  Mend it and run the command again: what was made by then stays, and is kept.\n",
    )


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pytest.ini", "[pytest]\ntestpaths = tests  \n", "[pytest]\ntestpaths = evals tests  \n"),
        ("pytest.ini", "[pytest]\ntestpaths =\n    tests\n", "[pytest]\ntestpaths = evals\n    tests\n"),
        ("pytest.ini", "[pytest]\ntestpaths = tests evals\n", None),
        ("pytest.ini", "", None),
        ("tox.ini", "[pytest]\ntestpaths: a b\n", "[pytest]\ntestpaths: evals a b\n"),
        ("setup.cfg", "[tool:pytest]\ntestpaths=a\n", "[tool:pytest]\ntestpaths= evals a\n"),
        ("pyproject.toml", '[tool.pytest]\ntestpaths = ["a",\n]\n', '[tool.pytest]\ntestpaths = ["evals", "a",\n]\n'),
        (
            "pyproject.toml",
            '[tool.pytest]\ntestpaths = [\n  "a", # b\n]\n',
            '[tool.pytest]\ntestpaths = [\n  "evals", "a", # b\n]\n',
        ),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\ntestpaths = 'a'\n",
            "[tool.pytest.ini_options]\ntestpaths = 'evals a'\n",
        ),
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["."]\n', None),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["-ra"]\n', None),
    ],
)
def test_testpaths_take_the_suites_in(name: str, before: str, after: str | None) -> None:
    assert with_testpath(name, before, "evals") == (before if after is None else after)


@pytest.mark.parametrize("name", ["pyproject.toml", "tox.ini", "setup.cfg"])
def test_a_file_without_pytests_section_is_none_of_pytests(name: str) -> None:
    assert with_testpath(name, "[other]\n", "evals") is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "pyproject.toml",
            "[tool",
            "pyproject.toml: cannot be read: Expected ']' at the end of a table declaration (at end of document)",
        ),
        ("tox.ini", "loose\n", "tox.ini: cannot be read: File contains no section headers."),
    ],
)
def test_settings_that_cannot_be_read_are_told(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        with_testpath(name, text, "evals")

    assert str(told.value) == said


# --- prompts out of code ---------------------------------------------------------------------------------------------

CODE = """\
TRIAGE_PROMPT = "Name the queue of this mail: {text}"
TONE_PROMPT = "Is this mail kind? {text:{width}}"

def summarise(client, row):
    return ask(messages=[{"role": "user", "content": f"Sum this up: {row['text']}"}])
"""


def test_prompts_are_lifted_out_of_code_and_what_was_done_is_shown(empty: CliProject) -> None:
    empty.write("app.py", CODE)

    said = empty.cli("init", "--from", "app.py", "--model", "gpt-4o-2024-11-20")

    assert said.out == (
        "where     prompt         now\n"
        "app.py:1  TRIAGE_PROMPT  prompts/triage/v1.prompty: text\n"
        "app.py:2  TONE_PROMPT    not lifted, because the format of a field is itself made of fields\n"
        "app.py:5  messages       prompts/summarise/v1.prompty: row_text for row['text']\n"
        "\n"
        "In the code, in their place:\n"
        "  from pytest_promptgate.prompts import load_prompt\n"
        "\n"
        '  load_prompt("triage").render(text=text).messages  # app.py:1\n'
        "  load_prompt(\"summarise\").render(row_text=row['text']).messages  # app.py:5\n"
        "\n"
        "Next: a dataset with the columns text, and a suite, such as evals/triage.eval.yaml:\n"
        "  prompt: triage\n"
        "  dataset: ../datasets/triage.jsonl\n"
        "  scorers: [exact_match]\n"
    ).replace("messages       prompts", "summarise      prompts")
    assert sorted(files(empty.root)) == [
        "app.py",
        "prompts/summarise/v1.prompty",
        "prompts/triage/v1.prompty",
    ]
    assert empty.text("prompts/triage/v1.prompty") == (
        '---\nname: triage\nmetadata:\n  source: "app.py:1"\nmodel: "gpt-4o-2024-11-20"\ninputs:\n'
        "  - {name: text, kind: string, required: true}\n---\nuser:\nName the queue of this mail: {{ text }}\n"
    )


def test_a_dry_run_lifts_nothing_and_no_model_is_told(empty: CliProject) -> None:
    empty.write("app.py", CODE)

    said = empty.cli("init", "--from", "app.py", "--dry-run")

    assert [*files(empty.root)] == ["app.py"]
    assert "No model was named: write `model:` into the prompts or the suites, or begin anew with --model." in said.out
    assert said.out.endswith("\nNothing was written: this was a dry run.\n")


def test_a_prompt_that_is_there_is_never_written_over(empty: CliProject) -> None:
    empty.write("app.py", CODE.splitlines()[0])
    empty.cli("init", "--from", "app.py")
    before = files(empty.root)

    said = empty.cli("init", "--from", "app.py")

    assert files(empty.root) == before
    assert "not lifted, because prompts/triage is there already" in said.out
    assert (said.code, said.err) == (1, "no prompt could be lifted\n")


@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        (
            "x = 1",
            (),
            1,
            "app.py: no prompt was found\n  What counts as one stands in docs/getting_started.md.\n",
        ),
        ("x = (", (), 1, "app.py:1: not valid Python: '(' was never closed\n  Nothing was lifted.\n"),
        (
            CODE,
            ("--model", "gpt-4o"),
            1,
            "--model: openai/gpt-4o is a floating alias\n"
            "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.\n",
        ),
    ],
)
def test_what_cannot_be_lifted_from_is_told(
    empty: CliProject, text: str, options: tuple[str, ...], code: int, said: str
) -> None:
    empty.write("app.py", text)
    found = empty.cli("init", "--from", "app.py", *options)

    assert (found.code, found.err) == (code, said)
    assert [*files(empty.root)] == ["app.py"]


def test_a_model_without_prompts_to_lift_is_a_usage_error(empty: CliProject) -> None:
    said = empty.cli("init", "--model", "gpt-4o-2024-11-20")

    assert said.code == 4
    assert "--model goes with --from; a made prompt names its model in its own file." in said.err
