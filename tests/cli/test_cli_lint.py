"""``promptgate lint``: what it looks at, what it says in each format, and how it ends."""

from __future__ import annotations

import json

import pytest
from cli_world import CliProject, Said
from front_project import QUIET_PLUGINS

META = 'metadata: {owner: "@team", source: "https://example.com"}\n'
PROMPT = (
    "---\nmodel: {id: nearest-example-1, provider: embedded}\n"
    + META
    + "inputs: [{name: message, kind: string}]\n---\n"
    "system:\nRoute the message.\n\nuser:\n{{ message }}\n"
)


@pytest.fixture
def clean(project: CliProject) -> CliProject:
    """The standard project, with an owner and a source."""
    project.standard()
    project.write("prompts/triage/v1.prompty", PROMPT)
    return project


def test_a_clean_project_has_no_findings(clean: CliProject) -> None:
    assert clean.cli("lint") == Said(out="no findings in 3 files\n", err="", code=0)


def test_faults_of_several_files_are_all_told_and_fail(clean: CliProject) -> None:
    clean.write("promptgate.yaml", "provider: {}\n")
    clean.write("prompts/triage/v1.prompty", PROMPT.replace("{{ message }}", "{{ mesage }}"))
    clean.write("evals/other.eval.yaml", "prompt: nope\ndataset: ../datasets/mails.jsonl\nscorers: [exact_match]\n")

    said = clean.cli("lint")

    assert said == Said(
        out=(
            "evals/other.eval.yaml:1:1: error PG101 no prompt 'nope' in prompts/\n"
            "  Prompts: triage.\n"
            "promptgate.yaml:1:1: error PG601 unknown key 'provider' in this file\n"
            "  Did you mean 'providers'? Known keys: judges, model_data, prices, providers.\n"
            "prompts/triage/v1.prompty:4:10: error PG103 the input 'message' is declared and never used\n"
            "  Remove it, or write {{ message }} in a message.\n"
            "prompts/triage/v1.prompty:10:4: error PG103 the template uses 'mesage', which is not declared\n"
            "  Declare it under `inputs:`. Did you mean 'message'? Declared inputs: message.\n"
            "4 errors in 4 files\n"
        ),
        err="",
        code=1,
    )


def test_a_faulty_file_has_its_pin_looked_at_as_well(clean: CliProject) -> None:
    floating = PROMPT.replace("{id: nearest-example-1, provider: embedded}", "gpt-4o").replace(
        "{{ message }}", "{{ a b }}"
    )
    clean.write("prompts/triage/v1.prompty", floating)

    assert [
        line.split()[1:3] for line in clean.cli("lint", "prompts").out.splitlines() if not line.startswith(" ")
    ] == [
        ["error", "PG501"],
        ["error", "PG102"],
        ["errors", "in"],
    ]


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 1)])
def test_warnings_fail_only_if_that_is_asked_for(clean: CliProject, options: tuple[str, ...], code: int) -> None:
    clean.write("prompts/triage/v1.prompty", PROMPT.replace("Route the", "Fern & Kettle: route the"))
    clean.suite(
        "prompt: triage\ndataset: ../datasets/mails.jsonl\nconstants: {message: Fern & Kettle}\nscorers: [exact_match]\n"
    )

    said = clean.cli("lint", *options)

    assert said.code == code
    assert said.out == (
        "prompts/triage/v1.prompty:7:1: warning PG111 'Fern & Kettle' is written out, and the constant 'message' of "
        "evals/triage.eval.yaml carries the same text\n"
        "  Write {{ message }} in its place: of two copies one is forgotten.\n"
        "1 warning in 3 files\n"
    )


def test_json_is_one_object(clean: CliProject) -> None:
    clean.write("prompts/triage/v1.prompty", PROMPT.replace(META, ""))

    assert json.loads(clean.cli("lint", "--format", "json").out) == {
        "files": 3,
        "errors": 0,
        "warnings": 0,
        "notes": 2,
        "findings": [
            {
                "code": code,
                "severity": "note",
                "file": "prompts/triage/v1.prompty",
                "line": 1,
                "column": None,
                "message": f"prompt triage@v1 names no {key}",
                "hint": f"Write `metadata: {{{key}: {example}}}`.",
            }
            for code, key, example in (("PG120", "owner", '"@team"'), ("PG121", "source", "https://…"))
        ],
    }


def test_annotations_of_github_stand_at_the_path_in_the_repository(
    clean: CliProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(clean.root.parent))
    clean.write("prompts/100%,a/v1.txt", "Say {{ a b }}.\n")

    assert clean.cli("lint", "--format", "github").out == (
        f"::warning file={clean.root.name}/prompts/100%25%2Ca,title=PG113::no suite can name the prompt '100%25,a'%0A"
        "Letters, digits, '.', '_' and '-' make a name, a letter or digit first.\n"
        f"::error file={clean.root.name}/prompts/100%25%2Ca/v1.txt,line=1,title=PG102::"
        "not a valid template: expected token 'end of print statement', got 'b'%0A{{ x }} puts a value in, {%25 if x %25} is a statement; as plain text "
        "they stand between {%25 raw %25} and {%25 endraw %25}.\n"
        "1 error, 1 warning in 5 files\n"
    )


def test_paths_that_are_not_there_are_a_usage_error(clean: CliProject) -> None:
    assert clean.cli("lint", "nope.yaml") == Said(out="", err="no such file or directory: nope.yaml\n", code=4)


def test_with_paths_suites_that_read_them_are_told_and_others_are_not(clean: CliProject) -> None:
    clean.write("evals/other.eval.yaml", "scorers: [exact_match]\n")
    clean.write("datasets/mails.jsonl", '{"id": 1, "text": "a", "expected": "b"}\n')

    lines = clean.cli("lint", "datasets/mails.jsonl").out.splitlines()

    assert lines == [
        "evals/triage.eval.yaml:1:1: error PG201 the input 'message' of prompt triage@v1 has neither a column nor a "
        "constant nor a default",
        "  Columns: expected, id, text.",
        "  Write `inputs: {message: COLUMN}` or `constants: {message: VALUE}`.",
        "1 error in 2 files",
    ]


def test_rubrics_and_datasets_of_their_own_are_read(clean: CliProject) -> None:
    clean.write("rubrics/tone.yaml", "criterion: kind?\nmodel: gpt-4o\nscale: {rude: 0, kind: 1}\nvotes: 2\n")
    clean.write("rubrics/better.yaml", "criterion: Which is kinder?\nmodel: embedded/nearest-example-1\n")
    clean.write("labels/people.csv", "id,label\n1,kind,3\n")
    clean.write("notes.md", "nothing\n")

    assert clean.cli("lint", "rubrics", "labels", "notes.md").out.splitlines() == [
        "labels/people.csv:2: error PG301 3 cells where the header has 2 columns",
        "  A cell with a separator in it needs quotes.",
        "notes.md: note PG902 nothing here reads this file",
        "  Prompts stand in the prompts directory, suites end in .eval.yaml, rubrics have a criterion.",
        "rubrics/tone.yaml:2:1: error PG501 openai/gpt-4o is a floating alias",
        "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.",
        "rubrics/tone.yaml:4:1: error PG401 votes must be an odd number from 1 to 15, not 2",
        "  An even one could end in a tie.",
        "3 errors, 1 note in 4 files",
    ]


def test_without_a_configuration_file_the_working_directory_is_the_project(
    clean: CliProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(QUIET_PLUGINS))
    (clean.root / "pytest.ini").unlink()

    assert clean.cli("lint", "prompts").out == "no findings in 1 file\n"


def test_names_that_differ_in_case_only_are_a_warning(clean: CliProject) -> None:
    clean.write("prompts/Triage/v1.prompty", PROMPT)

    assert clean.cli("lint").out == (
        "prompts/triage: warning PG112 the prompts 'Triage' and 'triage' are one directory where file names ignore case\n"
        "  Rename one of them.\n"
        "1 warning in 5 files\n"
    )


def test_what_yaml_1_1_reads_otherwise_is_a_warning(clean: CliProject) -> None:
    clean.write(
        "prompts/triage/v1.prompty", PROMPT.replace('"@team"', "Yes").replace("system:", "assistant:\nNo\n\nsystem:")
    )

    assert clean.cli("lint").out == (
        "prompts/triage/v1.prompty:3:19: warning PG901 Yes is text here, and true to readers of YAML 1.1\n"
        "  Put it in quotes, 'Yes', if text is meant; write true if that is meant.\n"
        "1 warning in 3 files\n"
    )


def test_a_prompt_without_variables_is_a_warning_unless_its_turns_come_from_rows(clean: CliProject) -> None:
    clean.write(
        "prompts/triage/v1.prompty",
        PROMPT.replace("inputs: [{name: message, kind: string}]\n", "").replace("{{ message }}", "Hi."),
    )

    assert clean.cli("lint").out.splitlines()[0] == (
        "prompts/triage/v1.prompty: warning PG110 prompt triage@v1 has no variable: every case is asked the same"
    )


def test_a_broken_lockfile_is_told_with_everything_else(clean: CliProject) -> None:
    clean.write("promptgate.lock.json", "[]\n")
    clean.write("prompts/triage/v1.prompty", PROMPT.replace(META, ""))

    assert [line.split()[2] for line in clean.cli("lint").out.splitlines() if line[0] != " "] == [
        "PG701",
        "PG120",
        "PG121",
        "2",
    ]
