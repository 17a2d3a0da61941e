"""``promptgate comment``: one comment, updated in place, against a loopback GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cli_world import Said
from click.testing import CliRunner
from fake_github import THREAD, FakeGitHub

from pytest_promptgate.cli.main import main

TOKEN = "ghs_secret-of-the-tests"
MARK = "<!-- promptgate-comment: promptgate -->"
URL = "https://example.com/acme/desk/pull/7#issuecomment-"
NO_WRITE = (
    "  The token may not write here: give the job `permissions: {pull-requests: write}`.\n"
    "  Pull requests from forks never get such a token; their report is in the job's summary. "
    "With --best-effort this is no failure.\n"
)


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A job of GitHub Actions for pull request 7, with a report in its directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.md").write_text("# 2 gates are red\n", encoding="utf-8")
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with FakeGitHub() as fake:
        monkeypatch.setenv("GITHUB_API_URL", fake.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/desk")
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield fake


def run(*args: str) -> Said:
    """``promptgate comment report.md ARGS``."""
    result = CliRunner().invoke(main, ["comment", "report.md", *args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert TOKEN not in result.output
    return Said(out=result.stdout, err=result.stderr, code=result.exit_code)


def test_the_first_run_creates_and_later_ones_update_in_place(github: FakeGitHub, tmp_path: Path) -> None:
    github.add("somebody's own words", author="ann")

    first = run()
    same = run()
    (tmp_path / "report.md").write_text("# all green\n", encoding="utf-8")
    later = run()

    assert [each.out for each in (first, same, later)] == [
        f"created: {URL}2\n",
        f"unchanged: {URL}2\n",
        f"updated: {URL}2\n",
    ]
    assert github.bodies == ["somebody's own words", f"{MARK}\n# all green\n"]
    assert github.tokens == {f"Bearer {TOKEN}"}


def test_jobs_with_other_names_have_comments_of_their_own(github: FakeGitHub) -> None:
    run("--name=nightly")
    run()
    run("--name=nightly")

    assert [body.splitlines()[0] for body in github.bodies] == [
        "<!-- promptgate-comment: nightly -->",
        MARK,
    ]


def test_it_is_found_on_a_later_page(github: FakeGitHub) -> None:
    for number in range(150):
        github.add(f"comment {number}", author="ann")
    github.add(f"{MARK}\nold")

    assert run().out == f"updated: {URL}151\n"
    assert len(github.comments) == 151


def test_somebody_elses_comment_with_our_marker_is_left_alone(github: FakeGitHub) -> None:
    github.add(f"{MARK}\n# all green, merge it", author="eve")

    said = run()

    assert said.out == f"created: {URL}2\n"
    assert said.err == "left alone: 1 with this marker that github-actions[bot] did not write\n"
    assert github.bodies[0] == f"{MARK}\n# all green, merge it"


def test_the_token_of_actions_may_not_ask_whose_it_is(github: FakeGitHub) -> None:
    github.login = None

    assert run().out == f"created: {URL}1\n"
    assert run().out == f"unchanged: {URL}1\n"


def test_another_author_can_be_named(github: FakeGitHub) -> None:
    github.writer = "gate[bot]"
    run("--author=gate[bot]")
    run("--author=gate[bot]")

    assert len(github.comments) == 1
    assert "GET /user" not in github.asked


def test_a_comment_that_was_deleted_meanwhile_is_written_anew(github: FakeGitHub) -> None:
    github.add(f"{MARK}\nold")
    github.refusals["PATCH"] = (404, {}, '{"message": "Not Found"}')

    assert run().out == f"created: {URL}2\n"


def test_a_report_that_is_too_long_is_cut(github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("line\n" * 20_000, encoding="utf-8")

    run()

    assert len(github.bodies[0]) <= 65_536
    assert github.bodies[0].splitlines()[1].startswith("> This report has 100,000 characters and is cut here")


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (
            (403, {}, '{"message": "Resource not accessible by integration"}'),
            "acme/desk#7: GitHub refuses the comment (403: Resource not accessible by integration)\n" + NO_WRITE,
        ),
        (
            (403, {"x-ratelimit-remaining": "0"}, '{"message": "API rate limit exceeded"}'),
            "acme/desk#7: GitHub's rate limit is reached (403: API rate limit exceeded)\n"
            "  Run the command again later; nothing was written.\n",
        ),
        (
            (429, {"retry-after": "60"}, ""),
            "acme/desk#7: GitHub's rate limit is reached (429)\n  Run the command again later; nothing was written.\n",
        ),
        (
            (401, {}, f'{{"message": "Bad credentials {TOKEN}"}}'),
            "acme/desk#7: GitHub does not accept the token (401: Bad credentials ***)\n"
            "  Set GITHUB_TOKEN: ${{ github.token }} in the step's `env`.\n",
        ),
        (
            (404, {}, '{"message": "Not Found"}'),
            "acme/desk#7: there is no such pull request for this token (404: Not Found)\n"
            "  Look at --pr and GITHUB_REPOSITORY.\n",
        ),
        (
            (422, {}, '{"message": "Validation\\u001b[31m Failed"}'),
            "acme/desk#7: GitHub does not take the comment (422: Validation\\x1b[31m Failed)\n",
        ),
        ((502, {}, "<html>"), "acme/desk#7: GitHub failed (502)\n  Run the command again.\n"),
        (
            (302, {"Location": "http://127.0.0.1:9/"}, ""),
            "acme/desk#7: GitHub does not take the comment (302)\n",
        ),
    ],
)
def test_what_github_refuses_is_told(github: FakeGitHub, refusal: tuple[int, dict[str, str], str], text: str) -> None:
    github.refusals["POST"] = refusal

    said, best_effort = run(), run("--best-effort")

    assert (said.code, said.err) == (1, text)
    assert (best_effort.code, best_effort.err) == (0, text)
    assert github.comments == []


def test_an_answer_that_is_no_comment_is_told(github: FakeGitHub) -> None:
    github.refusals["POST"] = (200, {}, "[]")

    assert run().err == ("GitHub: its answer is not the comment that was asked for\n  Look at GITHUB_API_URL.\n")


def test_a_login_that_is_not_told_has_to_be_named(github: FakeGitHub) -> None:
    github.login = ""

    assert run().err == "GitHub: it does not say whose the token is\n  Say it: --author LOGIN.\n"


def test_an_api_that_is_not_there_is_told(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")

    said = run()

    assert (said.code, said.err) == (
        1,
        "http://127.0.0.1:9: GitHub's API cannot be reached: [Errno 111] Connection refused\n  Run the command again.\n",
    )


def test_a_token_is_never_sent_in_the_clear(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://api.example.com")

    assert run().err == (
        "http://api.example.com: the API's address must begin with https://: the token is sent there\n"
    )


@pytest.mark.parametrize(
    ("surroundings", "args", "text"),
    [
        (
            {"GITHUB_TOKEN": ""},
            (),
            "GITHUB_TOKEN is not set, or is no token\n"
            "  In GitHub Actions it goes into the step's `env`: GITHUB_TOKEN: ${{ github.token }}\n",
        ),
        (
            {"GITHUB_REPOSITORY": "desk"},
            (),
            "'desk' is no repository\n  Write --repo owner/name, or set GITHUB_REPOSITORY.\n",
        ),
        ({"GITHUB_EVENT_PATH": ""}, (), "this event is about no pull request\n  Name it: --pr N.\n"),
        (
            {"GITHUB_EVENT_PATH": "none.json"},
            (),
            "GITHUB_EVENT_PATH cannot be read: [Errno 2] No such file or directory: 'none.json'\n"
            "  Name the pull request: --pr N.\n",
        ),
        ({}, ("--name=a b",), "--name 'a b': use letters, digits, '.', '_' and '-', at most 100\n"),
    ],
)
def test_what_is_missing_is_wrong_usage(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    surroundings: dict[str, str],
    args: tuple[str, ...],
    text: str,
) -> None:
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)

    said = run(*args)

    assert (said.code, said.err) == (4, text)
    assert github.asked == []


def test_the_pull_request_can_be_named(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    monkeypatch.delenv("GITHUB_REPOSITORY")

    assert run("--pr=7", "--repo=acme/desk").out == f"created: {URL}1\n"
    assert f"POST {THREAD}" in github.asked


def test_a_report_that_is_missing_or_empty_is_told(github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text(" \n", encoding="utf-8")
    empty = run("--best-effort")
    (tmp_path / "report.md").unlink()
    missing = run("--best-effort")

    assert (empty.code, empty.err) == (1, "report.md: the report is empty\n")
    assert (missing.code, missing.err) == (
        1,
        "report.md: the report cannot be read: No such file or directory\n"
        "  It is written by: pytest --prompt-evals --prompt-report report.md\n",
    )


def test_the_token_is_not_shown_by_the_value_that_holds_it() -> None:
    from pytest_promptgate.cli.github import GitHub

    github = GitHub(api="https://api.github.com", repository="a/b", number=1, token=TOKEN)

    assert TOKEN not in repr(replace(github, number=2))
