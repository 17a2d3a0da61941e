"""What Git knows of the lockfile: files of a commit, and the merges since an anchor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from git_project import commit, git, repository
from made_baselines import made_baseline, made_case

from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.types import Baseline, Score
from pytest_promptgate.errors import ConfigError
from pytest_promptgate.files.git import commits, revision
from pytest_promptgate.files.lockfile import save_baselines
from pytest_promptgate.files.lockfile_history import History, history

FILE = "promptgate.lock.json"
KEY = ("triage", "default")


def scored(*values: float, anchor: Baseline | None = None) -> Baseline:
    cases = [made_case(f"t-{number}", {"queue": Score(value=value)}) for number, value in enumerate(values)]
    return replace(made_baseline(cases), anchor=None if anchor is None else anchor_of(anchor))


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """Three commits of a lockfile; the first is the anchor of the others."""
    first = scored(1, 1, 1, 1)
    save_baselines(tmp_path / FILE, [first])
    repository(tmp_path)
    save_baselines(tmp_path / FILE, [scored(0, 1, 1, 1, anchor=first)])
    commit(tmp_path, "Shorter (#12)", date="2025-02-01T12:00:00Z")
    (tmp_path / "other.txt").write_text("x", encoding="utf-8")
    commit(tmp_path, "Nothing of ours (#13)", date="2025-02-02T12:00:00Z")
    save_baselines(tmp_path / FILE, [scored(0, 0, 1, 1, anchor=first)])
    commit(tmp_path, "Shorter still", date="2025-02-03T12:00:00Z")
    return tmp_path


def test_the_merges_since_the_anchor_are_told_oldest_first(merged: Path) -> None:
    last = git(merged, "rev-parse", "HEAD")[:8]

    assert history(merged, merged / FILE, KEY, "accuracy", ref="HEAD", aggregates={}) == History(
        date="2025-01-10", steps=(("#12", -0.25), (last, -0.25))
    )


def test_it_ends_at_the_ref(merged: Path) -> None:
    found = history(merged, merged / FILE, KEY, "accuracy", ref="HEAD~2", aggregates={})

    assert found == History(date="2025-01-10", steps=(("#12", -0.25),))


@pytest.mark.parametrize(("key", "ref"), [(("other", "default"), "HEAD"), (KEY, "nowhere")])
def test_what_git_cannot_tell_is_left_out(merged: Path, key: tuple[str, str], ref: str) -> None:
    assert history(merged, merged / FILE, key, "accuracy", ref=ref, aggregates={}) is None


def test_a_metric_that_was_not_there_yet_has_no_steps(merged: Path) -> None:
    assert history(merged, merged / FILE, KEY, "tone", ref="HEAD", aggregates={}) == History(
        date="2025-01-10", steps=()
    )


def test_a_file_is_read_as_a_commit_has_it(merged: Path) -> None:
    (merged / "other.txt").write_text("y", encoding="utf-8")
    found = revision(merged, "main")

    assert found.read(merged / "other.txt") == b"x"
    assert found.read(merged / "nowhere.txt") is None
    assert revision(merged, "HEAD~2").read(merged / "other.txt") is None


def test_a_directory_deep_in_the_repository_sees_the_same(merged: Path) -> None:
    deep = merged / "a/b"
    deep.mkdir(parents=True)

    found = revision(deep, "main")

    assert found.read(merged / "other.txt") == b"x"
    assert found.holding('"lockfile_version": ') == ("../../promptgate.lock.json",)


def test_a_file_that_git_has_and_cannot_read_is_no_missing_file(merged: Path) -> None:
    blob = git(merged, "rev-parse", f"HEAD:{FILE}").strip()
    (merged / ".git/objects" / blob[:2] / blob[2:]).unlink()

    with pytest.raises(ConfigError) as caught:
        revision(merged, "main").read(merged / FILE)

    told = str(caught.value).splitlines()
    assert told[0] == "--baseline-ref: promptgate.lock.json cannot be read from 'main'"
    assert told[1].startswith("  Git says: ")


def test_commits_are_those_that_changed_the_file(merged: Path) -> None:
    found = commits(merged, merged / FILE, ref="main", most=2)

    assert [(each.date, each.subject) for each in found] == [
        ("2025-02-03", "Shorter still"),
        ("2025-02-01", "Shorter (#12)"),
    ]
    assert commits(merged, merged / "nowhere", ref="main", most=2) == ()
