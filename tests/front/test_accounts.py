"""Where an account's limit settled is remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, ROWS, Project

from pytest_promptgate.core.ports import FindsItsLimit, ProviderSpec
from pytest_promptgate.models.openai import OpenAIAccount
from pytest_promptgate.pytest_accounts import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loopback.server import LoopbackServer


def account(most: int = 64) -> OpenAIAccount:
    spec = ProviderSpec(name="local", kind="openai", family="vllm", base_url="http://127.0.0.1:9/v1")
    return OpenAIAccount(spec, most)


def written(directory: Path, limit: int) -> Limits:
    (directory / "accounts.json").write_text(json.dumps({"limits": {"local http://127.0.0.1:9/v1": limit}}))
    return Limits(directory)


def test_an_account_begins_where_its_last_run_ended(tmp_path: Path) -> None:
    known = account()
    written(tmp_path, 48).begin("local", known)
    assert known.limit == 48


@pytest.mark.parametrize(("most", "limit"), [(8, 8), (64, 48)])
def test_an_account_never_begins_above_what_is_allowed(tmp_path: Path, most: int, limit: int) -> None:
    known = account(most)
    written(tmp_path, 48).begin("local", known)
    assert known.limit == limit


def test_another_provider_at_the_same_address_has_its_own_limit(tmp_path: Path) -> None:
    other = account()
    written(tmp_path, 48).begin("other", other)
    assert other.limit == 20


def test_what_did_not_move_is_not_written(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "own")
    limits.begin("local", account())
    limits.remember()
    assert not (tmp_path / "own").exists()


def test_what_moved_is_written(tmp_path: Path) -> None:
    limits, moving = Limits(tmp_path / "own"), account()
    limits.begin("local", moving)
    moving.begin_at(33)
    limits.remember()
    limits.remember()
    assert json.loads((tmp_path / "own/accounts.json").read_text()) == {"limits": {"local http://127.0.0.1:9/v1": 33}}


def test_an_account_that_knows_no_limit_is_left_alone(tmp_path: Path) -> None:
    class Plain:
        endpoint = transport = "plain"

    assert not isinstance(Plain(), FindsItsLimit)
    limits = Limits(tmp_path)
    limits.begin("plain", Plain())  # type: ignore[arg-type]
    limits.remember()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_finds_more_room_leaves_it_to_the_next(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT, latency=0.2)
    project.served(server.base_url)
    project.dataset([*ROWS, *[(f"n-{number:03}", f"new {number}", "billing") for number in range(290)]])

    project.evals()

    (name, limit), *_ = json.loads(project.text(".promptgate/accounts.json"))["limits"].items()
    assert name == f"local {server.base_url}"
    assert 20 < limit <= 64
    assert (project.root / ".promptgate/.gitignore").exists()


def test_a_warm_run_writes_nothing(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).accept()
    (project.root / ".promptgate/responses/triage.jsonl").unlink()
    before = sorted(project.root.rglob("*"))

    project.evals("-p", "no:cacheprovider")

    assert sorted(project.root.rglob("*")) == before
