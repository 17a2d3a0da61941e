"""What Git remembers: files as they are in a commit, and the commits that changed one. Nothing is checked out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

OPTION = "--baseline-ref"
_SECONDS = 60.0  # for one answer of Git


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit, seen from one directory of its repository."""

    directory: Path  # absolute
    ref: str  # as the user wrote it
    commit: str  # its full id

    def read(self, path: Path) -> bytes | None:
        """The file at `path` as it is in this commit; None if it is not there.

        Args:
            path: Absolute; it need not exist in the work tree.

        Raises:
            ConfigError: Git is missing, does not answer, or cannot read what it has.
        """
        name = self._name(path)
        # Asked first: a file that cannot be read must not pass for one that is not there.
        if not _asked(self.directory, self.ref, "ls-tree", "-z", self.commit, "--", f"./{name}"):
            return None
        done = _run(self.directory, self.ref, "cat-file", "blob", f"{self.commit}:./{name}")
        if done.returncode != 0:
            raise ConfigError(OPTION, f"{name} cannot be read from {self.ref!r}", hint=_said(done))
        return done.stdout

    def checked_out(self, path: Path) -> bytes | None:
        """The same as Git would write it into this work tree: with its line ends (``core.autocrlf``).

        Raises:
            ConfigError: Git is missing or does not answer.
        """
        return _asked(self.directory, self.ref, "cat-file", "--filters", f"{self.commit}:./{self._name(path)}")

    def _name(self, path: Path) -> str:
        return os.path.relpath(path, self.directory).replace(os.sep, "/")

    def holding(self, text: str) -> tuple[str, ...]:
        """The files of this commit that hold `text`, relative to the directory (with "../" outside of it), sorted.

        Raises:
            ConfigError: Git is missing or does not answer.
        """
        args = ("grep", "-l", "-z", "-F", "-e", text, self.commit, "--", ":/")
        found = _asked(self.directory, self.ref, *args) or b""
        names = [os.fsdecode(each).partition(":")[2] for each in found.split(b"\0") if each]
        return tuple(sorted(names))

    def files(self) -> frozenset[str]:
        """All files of this commit, as `holding` names them; a submodule is one name.

        Raises:
            ConfigError: Git is missing, does not answer, or cannot read what it has.
        """
        return self._names("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit)

    def changed(self) -> frozenset[str]:
        """The files that the work tree has otherwise than this commit, committed or not; ignored files left out.

        Files whose changes Git was told not to look at (``--assume-unchanged``) count as changed.

        Raises:
            ConfigError: As `files`.
        """
        differing = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
        listed = self._names("ls-files", "-v", "-z", "--full-name", "--", ":/", tagged=True)
        return frozenset(
            {
                *self._names(*differing, "--no-relative", self.commit, "--"),
                *self._names("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", ":/"),
                *(name for name in listed if (self.directory / name).exists()),
            }
        )

    def _names(self, *args: str, tagged: bool = False) -> frozenset[str]:
        """The names that Git lists from the top of the repository; of `tagged` ones those that it does not look at."""
        done = _run(self.directory, self.ref, *args)
        if done.returncode != 0:
            raise ConfigError(OPTION, f"Git cannot compare with {self.ref!r}", hint=_said(done))
        prefix = os.fsdecode(_asked(self.directory, self.ref, "rev-parse", "--show-prefix") or b"").rstrip("\n")
        names = [os.fsdecode(each) for each in done.stdout.split(b"\0") if each]
        if tagged:
            names = [name for tag, _, name in (each.partition(" ") for each in names) if tag == "S" or tag.islower()]
        return frozenset(os.path.relpath(f"/{name}", f"/{prefix}").replace(os.sep, "/") for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit that changed a file."""

    revision: Revision
    date: str  # "2025-01-10", the committer's
    subject: str


def commits(directory: Path, path: Path, *, ref: str, most: int) -> tuple[Commit, ...]:
    """The commits up to `ref` that changed `path`, newest first, side branches left out.

    Raises:
        ConfigError: As `revision`.
    """
    start = revision(directory, ref)
    args = ("log", "--first-parent", f"--max-count={most}", "--format=%H%x00%cs%x00%s", "-z", start.commit, "--")
    told = _asked(directory, ref, *args, os.fspath(path)) or b""
    fields = told.decode("utf-8", "replace").rstrip("\0").split("\0")
    return tuple(
        Commit(revision=Revision(directory=directory, ref=ref, commit=commit), date=date, subject=subject)
        for commit, date, subject in zip(fields[::3], fields[1::3], fields[2::3], strict=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The commit that brought a file."""

    commit: str  # abbreviated
    date: str  # "2025-01-10", the committer's
    author: str  # by name
    certain: bool  # False: the history of this clone begins with it, and older commits may have the file, too


def first_written(directory: Path, path: Path) -> Written | None:
    """The oldest commit of this branch that has the file at `path`; None if no commit has.

    Raises:
        ConfigError: As `revision`.
    """
    start = revision(directory, "HEAD")
    args = ("log", "--format=%h%x00%cs%x00%an%x00%D", start.commit, "--", os.fspath(path))
    lines = (_asked(directory, "HEAD", *args) or b"").decode("utf-8", "replace").splitlines()
    if not lines:
        return None
    commit, date, author, decoration = lines[-1].split("\0")
    return Written(commit=commit, date=date, author=author, certain="grafted" not in decoration.split(", "))


def revision(directory: Path, ref: str) -> Revision:
    """The commit that `ref` names in the repository around `directory`.

    Raises:
        ConfigError: Git is missing, there is no repository, or no such commit.
    """
    inside = _run(directory, ref, "rev-parse", "--is-inside-work-tree")
    if inside.returncode != 0:
        what = f"Git finds no repository here, so nothing can be read from {ref!r}"
        hint = f"{_said(inside)}\nRun it in a clone of the repository, or leave the option out."
        raise ConfigError(OPTION, what, hint=hint)
    found = None
    if not ref.startswith("-"):
        found = _asked(directory, ref, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if not found:
        raise ConfigError(OPTION, f"there is no commit {ref!r} in this clone", hint=_fetching(directory, ref))
    return Revision(directory=directory, ref=ref, commit=found.decode("ascii").strip())


def head(directory: Path) -> tuple[str, str, bool] | None:
    """The commit of the work tree around `directory`, its branch ("" if it is detached), and whether files differ.

    None where there is no commit, no repository or no Git.
    """
    try:
        commit = _asked(directory, "HEAD", "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        branch = _asked(directory, "HEAD", "symbolic-ref", "--short", "--quiet", "HEAD")
        status = _asked(directory, "HEAD", "status", "--porcelain", "--untracked-files=no")
    except ConfigError:
        return None
    if not commit:
        return None
    return commit.decode("ascii").strip(), (branch or b"").decode("utf-8", "replace").strip(), bool(status)


def _fetching(directory: Path, ref: str) -> str:
    remote, slash, branch = ref.partition("/")
    fetch = f"git fetch {remote} {branch}" if slash and branch else f"git fetch origin {ref}"
    if _asked(directory, ref, "rev-parse", "--is-shallow-repository") == b"true\n":
        return (
            f"This clone is shallow. Fetch it first: {fetch}\nIn GitHub Actions: actions/checkout with fetch-depth: 0."
        )
    return f"Fetch it first: {fetch}"


def _asked(directory: Path, ref: str, *args: str) -> bytes | None:
    """What Git prints; None if it says no; raises as `_run`."""
    done = _run(directory, ref, *args)
    return done.stdout if done.returncode == 0 else None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").splitlines() or ["nothing"]
    return f"Git says: {one_line(lines[0], width=200)}"


def _run(directory: Path, ref: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Run Git.

    Raises:
        ConfigError: It is missing or does not answer.
    """
    # Neither a pager nor a question: nobody is there to answer.
    surroundings = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "LC_ALL": "C"}
    try:
        return subprocess.run(  # noqa: S603 no shell, and what the user wrote never stands where an option could
            ["git", "-C", os.fspath(directory), *args],  # noqa: S607 the user's Git is the one on PATH
            env={**os.environ, **surroundings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        hint = "Install Git, or leave the option out."
        raise ConfigError(OPTION, f"Git is not installed, so nothing can be read from {ref!r}", hint=hint) from None
    except subprocess.TimeoutExpired:
        raise ConfigError(OPTION, f"Git did not answer within {_SECONDS:.0f} s: git {args[0]}") from None
