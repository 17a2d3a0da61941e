"""``--prompt-changed-since REF``: suites that read nothing but what REF has as well are left out, visibly."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.affected import Reads, reasons, selection_lines
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.errors import ConfigError, PromptGateError
from pytest_promptgate.files.git import Revision, revision
from pytest_promptgate.files.lockfile import lockfile_in, outputs_directory
from pytest_promptgate.files.lockfile_format import Lockfile
from pytest_promptgate.files.outputs import outputs_name
from pytest_promptgate.files.suite_mentions import mentioned_code, mentioned_paths, mentions
from pytest_promptgate.pytest_items import EvalItem, GateItem
from pytest_promptgate.pytest_session import CONFIG_FILE
from pytest_promptgate.toolbox import offers_something

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.pytest_session import EvalSession

OPTION = "--prompt-changed-since"


def leave_out_unchanged(evals: EvalSession, items: list[pytest.Item]) -> tuple[str, ...]:
    """Skip the gates of suites that nothing has touched, and deselect their cases.

    Returns:
        What is told of it; nothing without the option.

    Raises:
        pytest.UsageError: There is no such commit, or Git cannot be asked: nothing may pass for unchanged then.
    """
    ref = evals.settings.changed_since
    if ref is None or not evals.runs:
        return ()
    try:
        why = _reasons(evals, ref)
    except PromptGateError as error:
        raise pytest.UsageError(str(ConfigError(OPTION, error.what, hint=getattr(error, "hint", "")))) from None
    for run in evals.runs.values():
        if not why[run.suite.name]:
            run.unchanged = f"unchanged since {ref}"
    _keep(evals, items)
    return tuple(printable(line) for line in selection_lines(why, ref, verbose=evals.config.option.verbose > 0))


def _keep(evals: EvalSession, items: list[pytest.Item]) -> None:
    idle = [item for item in items if isinstance(item, EvalItem) and item.run.unchanged]
    spoken_for = {item.run for item in idle if isinstance(item, GateItem)}
    dropped: list[pytest.Item] = []
    for item in idle:
        if isinstance(item, GateItem) or item.run not in spoken_for:
            spoken_for.add(item.run)  # by its first case, if it has no gate
            item.add_marker(pytest.mark.skip(reason=item.run.unchanged))
        else:
            dropped.append(item)
    if dropped:
        away = set(dropped)
        items[:] = [item for item in items if item not in away]
        evals.config.hook.pytest_deselected(items=dropped)


def _reasons(evals: EvalSession, ref: str) -> Mapping[str, str]:
    settings = evals.settings
    found = revision(settings.root, ref)
    before = _Before.of(evals, found)
    suites = {run.suite.name: run.suite for run in evals.runs.values()}
    reads = [before.reads(suite) for suite in suites.values()]
    written, store = {before.name(path) for path in _written(evals)}, f"{before.name(settings.store)}/"
    changed = {name for name in found.changed() - written if not name.startswith(store)} | before.unseen_prompts()
    return reasons(reads, changed, prompts=f"{before.name(settings.prompts)}/")


def skipped_notes(evals: EvalSession) -> Iterator[str]:
    """What reports say of the suites that were left out."""
    names = sorted({run.suite.name for run in evals.runs.values() if run.unchanged})
    if names:
        yield f"skipped, unchanged since {evals.settings.changed_since}: {', '.join(names)}"


def _written(evals: EvalSession) -> Iterator[Path]:
    """Files that runs write and that decide nothing; the lockfile does, and is looked at entry by entry."""
    settings = evals.settings
    yield from (settings.lockfile, settings.history_file, *settings.reports)
    if xml := getattr(evals.config.option, "xmlpath", None):
        yield evals.config.invocation_params.dir / xml


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """The project as it was at the ref, beside the one of now."""

    evals: EvalSession
    ref: str
    files: Collection[str]
    lockfile: Lockfile
    doubt: str  # about every suite

    @classmethod
    def of(cls, evals: EvalSession, found: Revision) -> _Before:
        settings, lockfile, doubt = evals.settings, Lockfile(), ""
        data = found.read(settings.lockfile)
        try:
            if data is not None:
                lockfile = lockfile_in(data, file=found.ref, aggregates=evals.toolbox().aggregates)
        except PromptGateError as error:
            doubt = f"the lockfile of {found.ref} cannot be read: {error.what}"
        if lockfile.calibrations != evals.reference.calibrations[-1]:
            doubt = doubt or f"the calibrations of judges are not those of {found.ref}"
        before = cls(evals=evals, ref=found.ref, files=found.files(), lockfile=lockfile, doubt=doubt)
        unseen = (why for path in sorted(_everybodys(evals)) if (why := before._untold(path)))
        return replace(before, doubt=doubt or next(unseen, ""))

    def unseen_prompts(self) -> frozenset[str]:
        """Files among the prompts that Git does not compare: ignored ones, and what links lead to."""
        return frozenset(
            self.name(path)
            for path in self.evals.settings.prompts.rglob("[!.]*")
            if path.is_symlink() or (path.is_file() and self.name(path) not in self.files)
        )

    def reads(self, suite: Suite) -> Reads:
        """What `suite` reads, and what makes it impossible to tell whether it is the same."""
        settings = self.evals.settings
        path = settings.root / suite.path
        texts = mentions(path)
        outputs = outputs_directory(settings.lockfile) / outputs_name(suite.name)
        target = suite.prompt.target is not None
        prompts = "" if target else f"{self.name((settings.root / suite.prompt.path).parent)}/"
        paths = {*mentioned_paths(texts, path.parent), *([outputs] if outputs.exists() else [])}
        return Reads(
            suite=suite.name,
            path=suite.path,
            prompts=prompts,
            data=frozenset(f"{self.name(each)}/" if each.is_dir() else self.name(each) for each in paths),
            code=self._code(suite, texts),
            target=target,
            doubt=self._doubt(suite, {path, *([] if target else [settings.root / suite.prompt.path]), *paths}),
        )

    def _code(self, suite: Suite, texts: frozenset[str]) -> str:
        if suite.prompt.target is not None:
            return f"the {TARGET} {suite.prompt.name}"
        return mentioned_code(texts) or next((f"the plugin {name}" for name in _offering(self.evals)), "")

    def _doubt(self, suite: Suite, paths: Collection[Path]) -> str:
        if self.doubt:
            return self.doubt
        reference = self.evals.reference
        for slot in suite.slots:
            key = suite.name, slot
            before = self.lockfile.baselines.get(key)
            if before is None:
                return f"{self.ref} has no baseline of it"
            if any(each and each.baselines.get(key) != before for each in (reference.lockfile, reference.work)):
                return f"its baseline is not that of {self.ref}"
        return next((why for path in sorted(paths) if (why := self._untold(path))), "")

    def _untold(self, path: Path) -> str:
        """Why Git cannot tell whether what stands at `path` is the same; "" if it can."""
        name = self.name(path)
        known = any(each.startswith(f"{name}/") for each in self.files) if path.is_dir() else name in self.files
        if not known:
            return f"{name} is not in {self.ref}"
        root = self.evals.settings.root
        real = os.path.normpath(Path(os.path.realpath(root), name))
        return "" if os.path.realpath(path) == real else f"{name} is a link, and what it leads to may have changed"

    def name(self, path: Path) -> str:
        """`path` as Git's names are written: relative to the root, also outside of it."""
        return os.path.relpath(path, self.evals.settings.root).replace(os.sep, "/")


def _offering(evals: EvalSession) -> Iterator[str]:
    """The plugins, conftests among them, that offer or observe something."""
    for name, plugin in evals.config.pluginmanager.list_name_plugin():
        if plugin is not None and offers_something(plugin):
            yield name
    yield from (entry.value for entry in metadata.entry_points(group="promptgate"))


def _everybodys(evals: EvalSession) -> Iterator[Path]:
    """Files that any suite may depend on, as far as they are there: configuration, and conftests."""
    config = evals.settings.lockfile.parent / CONFIG_FILE
    yield from (path for path in (config, evals.config.inipath) if path is not None and path.exists())
    for _, plugin in evals.config.pluginmanager.list_name_plugin():
        file = getattr(plugin, "__file__", None)
        if file and Path(file).name == "conftest.py":
            yield Path(file)
