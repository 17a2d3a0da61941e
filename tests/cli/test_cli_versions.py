"""``promptgate diff`` and ``promptgate log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cli_world import Said
from git_project import commit, git, repository

from pytest_promptgate.cli.structured_diff import structured_diff
from pytest_promptgate.cli.word_columns import show_messages
from pytest_promptgate.core.types import Message

if TYPE_CHECKING:
    from cli_world import CliProject

    from pytest_promptgate.core.types import Json

HEAD = "---\nname: triage\nmodel: {id: nearest-example-1, provider: embedded, options: {temperature: %s}}\n"
BODY = (
    "inputs:\n  - {name: message, kind: string}\n---\nsystem:\n%s\n\n"
    "user:\nhi\n\nassistant:\nbilling\n\nuser:\n{{ message }}\n"
)


@pytest.fixture
def versions(project: CliProject) -> CliProject:
    """Two versions with a baseline each, in Git: the first one's is history."""
    project.dataset()
    project.suite()
    project.write("prompts/triage/v1.prompty", HEAD % "0" + BODY % "Route it.")
    project.accept()
    repository(project.root)
    project.write("prompts/triage/v2.prompty", HEAD % "0.2" + BODY % "Route it [red].")
    project.accept()
    commit(project.root, "two (#12)", date="2025-02-20T12:00:00Z")
    return project


def test_two_versions_differ_in_messages_settings_and_metrics(versions: CliProject) -> None:
    expected = Said(
        out=(
            "--- triage@v1\n"
            "+++ triage@v2\n"
            "@@ -1,4 +1,4 @@\n"
            " system:\n"
            "-Route it.\n"
            "+Route it [red].\n"
            " user:\n"
            " hi\n"
            "settings:\n"
            "  options.temperature: 0 -> 0.2\n"
            "metrics:\n"
            "  triage:\n"
            "    accuracy: 0.4 -> 0.4 (+0)\n"
        ),
        err="",
        code=0,
    )

    assert versions.cli("diff", "triage", "v1", "v2") == expected
    assert versions.cli("diff", "triage", "1", "2") == expected
    assert versions.cli("diff", "triage") == expected


def test_a_version_that_was_edited_is_held_against_the_text_of_its_baseline(versions: CliProject) -> None:
    assert versions.cli("diff", "triage", "v2").out == (
        "triage@v2 and triage@v2, as it is now: the same messages\nsettings: the same\n"
    )

    versions.write("prompts/triage/v2.prompty", HEAD % "0.2" + BODY % "Route them.")

    assert "-Route it [red].\n+Route them.\n" in versions.cli("diff", "triage", "v2").out


def test_without_the_outputs_of_a_baseline_git_knows_the_text(versions: CliProject) -> None:
    (versions.root / "promptgate.baselines/triage.jsonl").unlink()
    for version, written in (("v1", "Route it."), ("v2", "Route it [red].")):
        path = versions.root / f"prompts/triage/{version}.prompty"
        path.write_text(path.read_text(encoding="utf-8").replace(written, "Route them."), encoding="utf-8")

        said = versions.cli("diff", "triage", version)

        assert f"-{written}\n+Route them.\n" in said.out
        assert said.out.endswith("settings: the same\n")


def test_what_no_baseline_holds_is_said(versions: CliProject) -> None:
    versions.write("prompts/triage/v3.prompty", HEAD % "0.2" + BODY % "Route it at once.")

    assert versions.cli("diff", "triage", "v2", "v3").out.endswith("metrics: no baseline of triage@v3 is recorded\n")
    assert versions.cli("diff", "triage", "v3") == Said(
        out="",
        err="no baseline holds an earlier text of triage@v3\n  Name two versions: promptgate diff triage v1 v2\n",
        code=4,
    )


def test_a_name_that_is_not_there_is_a_usage_error(versions: CliProject) -> None:
    assert versions.cli("diff", "triag") == Said(
        out="", err="no prompt 'triag' in prompts/\n  Did you mean 'triage'? Prompts: triage.\n", code=4
    )
    assert versions.cli("diff", "triage", "v1", "v7") == Said(
        out="", err="prompt 'triage' has no v7\n  Its versions: v1, v2.\n", code=4
    )
    assert versions.cli("diff", "triage", "v1", "v2", "v3").code == 4
    (versions.root / "prompts" / "triage" / "v2.prompty").unlink()
    assert versions.cli("diff", "triage") == Said(
        out="",
        err=(
            "prompt 'triage' has one version only\n"
            "  Hold it against the text of its baseline: promptgate diff triage v1\n"
        ),
        code=4,
    )


def test_the_log_has_commit_date_author_and_metrics(versions: CliProject) -> None:
    versions.write("prompts/triage/v3.prompty", HEAD % "0.2" + BODY % "Route it at once.")

    header, third, second, first = versions.cli("log", "triage").out.splitlines()

    assert header.split() == ["version", "commit", "date", "author", "baselines"]
    assert third.split() == ["v3", "-", "-", "-", "-"]
    assert second.split()[0::2] == ["v2", "2025-02-20", "triage:", "0.4"]
    assert first.split(maxsplit=2)[2] == "2025-01-10  Ann     triage: accuracy 0.4 (until 2025-01-10)"


def test_the_first_commit_of_a_shallow_clone_has_not_written_what_it_holds(
    versions: CliProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = versions.root / "shallow"
    git(versions.root, "clone", "--quiet", "--depth=1", f"file://{versions.root}", str(shallow))
    monkeypatch.chdir(shallow)

    said = versions.cli("log", "triage")

    assert [line.split()[1:4] for line in said.out.splitlines()[1:]] == [["-", "-", "-"]] * 2
    assert said.err == "this clone is shallow, so older commits are not known: git fetch --unshallow\n"


def test_without_git_the_log_shows_what_it_can(project: CliProject) -> None:
    project.standard().accept()

    assert project.cli("log", "triage") == Said(
        out="version  commit  date  author  baselines\nv1       -       -     -       triage: accuracy 1\n",
        err="commits, dates and authors are not known: "
        "Git finds no repository here, so nothing can be read from 'HEAD'\n",
        code=0,
    )


def test_on_a_terminal_the_messages_stand_side_by_side_and_brackets_are_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    before = [Message(role="system", content="Be [bold]brief."), Message(role="user", content="{{ q }}\n!")]
    after = [Message(role="system", content="Be [red]brief\x1b."), Message(role="user", content="{{ q }}\n!")]

    show_messages(before, after, names=("a@v1", "a@v2"))

    rows = [line for line in capsys.readouterr().out.splitlines() if "brief" in line or "user" in line]
    assert [[cell.strip() for cell in row.strip("│").split("│")] for row in rows] == [
        ["Be [bold]brief.", r"Be [red]brief\x1b."],
        ["user: the same 2 lines", "user: the same 2 lines"],
    ]


def test_settings_are_compared_key_by_key() -> None:
    before: Json = {"inputs": {"a": {"required": True}, "b": {}}, "tools": [{"name": "x"}], "model": None}
    after: Json = {"inputs": {"a": {"required": False}}, "tools": [{"name": "y"}, 1], "model": "p/m"}

    assert structured_diff(before, after) == [
        "inputs.a.required: true -> false",
        "inputs.b: {} -> (none)",
        'model: null -> "p/m"',
        'tools[0].name: "x" -> "y"',
        "tools[1]: (none) -> 1",
    ]
