"""What the command line, the ini file and the surroundings say, read once into one frozen value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_promptgate.core.limits import parse_duration, parse_money
from pytest_promptgate.core.model_change import ModelChange, parse_model_changes
from pytest_promptgate.core.redrawn import attempt_of
from pytest_promptgate.core.shards import Shard, parse_shard
from pytest_promptgate.plugin import ALIAS, ALIAS_TAKEN, UPDATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

ITEM_MODES = ("auto", "case", "suite")
FOLD_ABOVE = 5000  # cases; a node id each would slow every later pytest run of the project through its cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One pytest run's view of the project. Paths are absolute."""

    root: Path
    prompts: Path
    lockfile: Path
    store: Path
    connections: int
    items: str
    offline: bool
    smoke: bool
    update: bool
    accept: str | None
    accept_dataset: str | None
    baseline_ref: str | None
    ci: bool
    attempt: int  # of the CI job, from 1
    alias: str  # the option that writes baselines, as this project can spell it
    refresh: bool
    control: bool  # production is asked beside the candidate
    aa: bool  # prompts are held against themselves
    max_cost: float | None  # USD
    max_time: float | None  # seconds
    shard: Shard | None
    fail_fast: bool  # a failure that is certain ends the calls of its suite
    judge_drift: bool  # calibrated judges are held against their calibration
    models: tuple[ModelChange, ...] = ()  # of this run alone

    @property
    def judges(self) -> bool:
        """Whether gates are judged in this run."""
        return self.shard is None and not self.aa

    def tries(self, suite: str) -> bool:
        """Whether a suite is run on a model that no file names."""
        return any(change.suite == suite for change in self.models)

    def folds(self, cases: int) -> bool:
        """Whether a suite of so many cases is collected as one item."""
        return self.items == "suite" or (self.items == "auto" and cases > FOLD_ABOVE)

    def shown(self, path: Path) -> str:
        """`path` as messages and the lockfile write it: relative to the root, with "/"."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()


def settings_of(config: pytest.Config) -> Settings:
    """Read the settings.

    Raises:
        pytest.UsageError: A value is not one of those that are accepted, or two options contradict each other.
    """
    option = config.option
    alias = UPDATE if ALIAS_TAKEN in config.stash else ALIAS
    _check_reason("--accept-regression", option.promptgate_accept, update=option.promptgate_update, alias=alias)
    _check_reason(
        "--accept-dataset-change", option.promptgate_accept_dataset, update=option.promptgate_update, alias=alias
    )
    if option.promptgate_baseline_ref is not None and option.promptgate_update:
        raise pytest.UsageError(
            f"--baseline-ref judges by what a commit holds, and {alias} replaces what the work tree holds: "
            "drop one of the two"
        )
    if option.promptgate_baseline_ref is not None and not option.promptgate_baseline_ref.strip():
        raise pytest.UsageError("--baseline-ref is empty: name a commit, such as origin/main")
    if option.promptgate_update and option.promptgate_smoke:
        raise pytest.UsageError(f"--prompt-smoke runs a few cases only, and {alias} needs all: drop one of the two")
    if option.promptgate_refresh and option.promptgate_offline:
        raise pytest.UsageError("--prompt-refresh asks anew, and --prompt-offline asks nothing: drop one of the two")
    _check_control(option.promptgate_control, option.promptgate_refresh)
    if option.promptgate_shard and option.promptgate_update:
        raise pytest.UsageError(
            f"--prompt-shard runs a share of the cases, and {alias} needs all: "
            "merge the stores of all shards, then run it once without --prompt-shard"
        )
    if option.promptgate_fail_fast:
        _check_fail_fast(option.promptgate_update, option.promptgate_shard, option.promptgate_control, alias)
    _check_aa(option, alias)
    _check_drift(option)
    _check_models(option, alias)
    root = config.rootpath
    return Settings(
        root=root,
        prompts=root / config.getini("promptgate_prompts"),
        lockfile=root / config.getini("promptgate_lockfile"),
        store=root / config.getini("promptgate_dir"),
        connections=_positive(config, "promptgate_max_connections"),
        items=_one_of(config, "promptgate_items", ITEM_MODES),
        offline=option.promptgate_offline,
        smoke=option.promptgate_smoke,
        update=option.promptgate_update,
        accept=option.promptgate_accept,
        accept_dataset=option.promptgate_accept_dataset,
        baseline_ref=option.promptgate_baseline_ref,
        ci=os.environ.get("CI", "") not in ("", "0", "false"),
        attempt=attempt_of(os.environ),
        alias=alias,
        refresh=option.promptgate_refresh,
        control=option.promptgate_control,
        aa=option.promptgate_aa,
        max_cost=_parsed("--prompt-max-cost", option.promptgate_max_cost, parse_money),
        max_time=_parsed("--prompt-max-time", option.promptgate_max_time, parse_duration),
        shard=_parsed("--prompt-shard", option.promptgate_shard, parse_shard),
        fail_fast=option.promptgate_fail_fast,
        judge_drift=option.promptgate_judge_drift,
        models=_models(option.promptgate_models),
    )


def _parsed(name: str, text: str | None, parse: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise pytest.UsageError(f"{name} {text!r}: {error}") from None


def _models(texts: list[str]) -> tuple[ModelChange, ...]:
    try:
        return parse_model_changes(texts)
    except ValueError as error:
        raise pytest.UsageError(f"--prompt-model {error}") from None


def _check_models(option: argparse.Namespace, alias: str) -> None:
    if option.promptgate_models and option.promptgate_update:
        raise pytest.UsageError(
            f"--prompt-model tries a model that no file names yet, and {alias} would make it the baseline: write the "
            "model into the prompt or the suite first (promptgate migrate OLD NEW does)"
        )


def _check_reason(name: str, reason: str | None, *, update: bool, alias: str) -> None:
    if reason is not None and not update:
        raise pytest.UsageError(f"{name} goes with {alias}: alone it would accept nothing")
    if reason is not None and not reason.strip():
        raise pytest.UsageError(f"{name} needs a reason: it is what the next reader of the lockfile sees")


def _check_control(control: bool, refresh: bool) -> None:
    if control and refresh:
        raise pytest.UsageError(
            "--prompt-control asks both prompts in a round of their own, and --prompt-refresh asks yours for the "
            "rounds that count: drop one of the two"
        )


def _check_fail_fast(update: bool, shard: str | None, control: bool, alias: str) -> None:
    why = ""
    if update:
        why = f"{alias} needs all answers"
    elif shard:
        why = "--prompt-shard judges nothing before the merge"
    elif control:
        why = "--prompt-control compares with answers that are asked in this run"
    if why:
        raise pytest.UsageError(f"--prompt-fail-fast stops when a failure is certain, and {why}: drop one of the two")


def _check_aa(option: argparse.Namespace, alias: str) -> None:
    wanted = {
        alias: (option.promptgate_update, "writes baselines"),
        "--baseline-ref": (option.promptgate_baseline_ref, "names a baseline"),
        "--prompt-control": (option.promptgate_control, "asks production"),
        "--prompt-fail-fast": (option.promptgate_fail_fast, "ends a suite whose gate is certain to fail"),
        "--prompt-refresh": (option.promptgate_refresh, "asks for the rounds that count"),
    }
    for name, (given, does) in wanted.items():
        if option.promptgate_aa and given:
            raise pytest.UsageError(
                f"--prompt-aa holds every prompt against itself and judges no gate, and {name} {does}: "
                "drop one of the two"
            )


def _check_drift(option: argparse.Namespace) -> None:
    wanted = {
        "--prompt-offline": (option.promptgate_offline, "asks nothing"),
        "--prompt-shard": (option.promptgate_shard, "would have every shard ask"),
    }
    for name, (given, does) in wanted.items():
        if option.promptgate_judge_drift and given:
            raise pytest.UsageError(f"--prompt-judge-drift asks judges anew, and {name} {does}: drop one of the two")


def _positive(config: pytest.Config, name: str) -> int:
    text = str(config.getini(name))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise pytest.UsageError(f"{name} = {text!r}: expected a whole number of at least 1")
    return int(text)


def _one_of(config: pytest.Config, name: str, accepted: tuple[str, ...]) -> str:
    text = str(config.getini(name))
    if text not in accepted:
        raise pytest.UsageError(f"{name} = {text!r}: expected one of {', '.join(accepted)}")
    return text
