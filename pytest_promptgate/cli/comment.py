"""``promptgate comment``: a report as one comment on the pull request, kept up to date in place."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click

from pytest_promptgate.cli.exits import USAGE, Stop
from pytest_promptgate.cli.github import GitHub
from pytest_promptgate.core.comment import body_of, marker, own, pull_request_of
from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import CommentError

_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+\Z", re.ASCII)


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--pr", type=click.IntRange(min=1), help="The pull request; by default that of GITHUB_EVENT_PATH.")
@click.option("--repo", help="owner/name; by default GITHUB_REPOSITORY.")
@click.option("--name", default="promptgate", show_default=True, help="Jobs with other names have other comments.")
@click.option("--author", help="Login whose comment is updated; by default whose the token is.")
@click.option("--best-effort", is_flag=True, help="Exit with 0 where GitHub cannot be written to; it is still said.")
def comment(report: Path, pr: int | None, repo: str | None, name: str, author: str | None, best_effort: bool) -> None:
    """Write REPORT (Markdown) as a comment on a pull request, or update the one that is there.

    Reads GITHUB_TOKEN (or GH_TOKEN), GITHUB_REPOSITORY, GITHUB_EVENT_PATH and GITHUB_API_URL. Exits with 0 if the
    comment is there, 1 if it is not, 4 on wrong usage.
    """
    mark = _mark(name)
    thread = GitHub(
        api=os.environ.get("GITHUB_API_URL", _API).rstrip("/"),
        repository=_repository(repo),
        number=pr or _from_event(),
        token=_token(),
    )
    body = body_of(_text(report), mark)
    try:
        click.echo(_written(thread, mark, body, author))
    except CommentError as error:
        if not best_effort:
            raise
        click.echo(printable(str(error)), err=True)


def _written(thread: GitHub, mark: str, body: str, author: str | None) -> str:
    login = author or thread.author()
    known, others = own(thread.comments(), mark, login)
    if others:
        click.echo(f"left alone: {others} with this marker that {login} did not write", err=True)
    if known is not None and known.body == body:
        return f"unchanged: {printable(known.url)}"
    updated = thread.update(known, body) if known is not None else None
    if updated is not None:
        return f"updated: {printable(updated.url)}"
    return f"created: {printable(thread.create(body).url)}"


def _mark(name: str) -> str:
    try:
        return marker(name)
    except ValueError as error:
        raise Stop(f"--name {name!r}: {error}", USAGE) from None


def _token() -> str:
    token = (os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or "").strip()
    if not token or not token.isprintable() or not token.isascii():
        raise Stop(
            "GITHUB_TOKEN is not set, or is no token\n"
            "  In GitHub Actions it goes into the step's `env`: GITHUB_TOKEN: ${{ github.token }}",
            USAGE,
        )
    return token


def _repository(given: str | None) -> str:
    found = given or os.environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.match(found):
        raise Stop(f"{found!r} is no repository\n  Write --repo owner/name, or set GITHUB_REPOSITORY.", USAGE)
    return found


def _from_event() -> int:
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    number = None
    if path:
        try:
            number = pull_request_of(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise Stop(f"GITHUB_EVENT_PATH cannot be read: {error}\n  Name the pull request: --pr N.", USAGE) from None
    if number is None:
        raise Stop("this event is about no pull request\n  Name it: --pr N.", USAGE)
    return number


def _text(report: Path) -> str:
    try:
        text = report.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        hint = "It is written by: pytest --prompt-evals --prompt-report report.md"
        raise CommentError(str(report), f"the report cannot be read: {error.strerror}", hint=hint) from None
    if not text.strip():
        raise CommentError(str(report), "the report is empty")
    return text
