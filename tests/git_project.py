"""Git around a test's project: commits, branches and clones, with an identity of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

IDENTITY = (
    *("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"),
    *("-c", "init.defaultBranch=main", "-c", "core.autocrlf=false", "-c", "protocol.file.allow=always"),
)


def git(directory: Path, *args: str, date: str = "2025-01-10T12:00:00Z") -> str:
    """``git ARGS`` in `directory`; what it prints."""
    done = subprocess.run(
        ["git", *IDENTITY, *args],
        cwd=directory,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(directory: Path) -> Path:
    """A new repository at `directory` whose `main` holds what stands there."""
    git(directory, "init", "--quiet")
    (directory / ".gitignore").write_text(".promptgate/\n__pycache__/\n.pytest_cache/\n", encoding="utf-8")
    return commit(directory, "start")


def commit(directory: Path, subject: str, *, date: str = "2025-01-10T12:00:00Z") -> Path:
    """Commit everything."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", subject, date=date)
    return directory
