"""What differs between a commit and the work tree, as Git sees it from a directory of its repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_project import commit, git, repository

from pytest_promptgate.errors import ConfigError
from pytest_promptgate.files.git import Revision, revision


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a directory of a repository that holds another one beside it."""
    for name in ("desk/a.txt", "desk/kept.txt", "other/b.txt", "other/ü \n.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old", encoding="utf-8")
    repository(tmp_path)
    return tmp_path / "desk"


def test_files_are_named_from_the_directory_also_outside_of_it(project: Path) -> None:
    assert revision(project, "HEAD").files() == {
        *("a.txt", "kept.txt", "../other/b.txt", "../other/ü \n.txt", "../.gitignore")
    }


def test_edits_new_files_deletions_and_renames_count_committed_or_not(project: Path) -> None:
    base = revision(project, "HEAD")
    (project / "a.txt").rename(project / "renamed.txt")
    commit(project, "renamed")
    (project / "new.txt").write_text("new", encoding="utf-8")
    (project.parent / "other/b.txt").unlink()
    (project.parent / "other/ü \n.txt").write_text("edited", encoding="utf-8")
    git(project, "add", "../other/ü \n.txt")

    assert base.changed() == {"a.txt", "renamed.txt", "new.txt", "../other/b.txt", "../other/ü \n.txt"}


@pytest.mark.parametrize("option", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_was_told_not_to_look_at_count(project: Path, option: str) -> None:
    git(project, "update-index", option, "a.txt")

    assert revision(project, "HEAD").changed() == {"a.txt"}


def test_a_file_of_a_sparse_checkout_that_is_not_there_does_not(project: Path) -> None:
    git(project, "update-index", "--skip-worktree", "../other/b.txt")
    (project.parent / "other/b.txt").unlink()

    assert revision(project, "HEAD").changed() == frozenset()


def test_a_repository_that_cannot_be_compared_is_an_error(project: Path) -> None:
    lost = Revision(directory=project, ref="main", commit="1" * 40)

    with pytest.raises(ConfigError) as caught:
        lost.files()

    assert str(caught.value) == ("--baseline-ref: Git cannot compare with 'main'\n  Git says: fatal: not a tree object")
