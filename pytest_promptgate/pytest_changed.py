"""``--prompt-changed-since REF``: suites that read nothing but what REF has as well are left out, visibly."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.affected import Reads, reasons, selection_lines
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.errors import ConfigError, PromptGateError
from pytest_promptgate.files.git import Revision, revision
from pytest_promptgate.files.lockfile import lockfile_in, outputs_directory
from pytest_promptgate.files.lockfile_format import Lockfile
from pytest_promptgate.files.outputs import outputs_name
from pytest_promptgate.files.suite_mentions import mentioned_code, mentioned_paths, mentions
from pytest_promptgate.pytest_items import EvalItem, GateItem
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
    return selection_lines(why, ref, verbose=evals.config.option.verbose > 0)


def _keep(evals: EvalSession, items: list[pytest.Item]) -> None:
    idle = [item for item in items if isinstance(item, EvalItem) and item.run.unchanged]
    gated = {item.run for item in idle if isinstance(item, GateItem)}
    seen = set(gated)
    dropped: set[pytest.Item] = set()
    for item in idle:
        if isinstance(item, GateItem) or item.run not in seen:
            seen.add(item.run)  # a suite without a gate is spoken for by its first case
            item.add_marker(pytest.mark.skip(reason=item.run.unchanged))
        else:
            dropped.add(item)
    if dropped:
        items[:] = [item for item in items if item not in dropped]
        evals.config.hook.pytest_deselected(items=list(dropped))


def _reasons(evals: EvalSession, ref: str) -> Mapping[str, str]:
    settings = evals.settings
    found = revision(settings.root, ref)
    before = _Before.of(evals, found)
    suites = {run.suite.name: run.suite for run in evals.runs.values()}
    reads = [before.reads(suite) for suite in suites.values()]
    ours = {before.name(settings.lockfile)}  # looked at entry by entry
    return reasons(reads, found.changed() - ours, prompts=f"{before.name(settings.prompts)}/")


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
        return cls(evals=evals, ref=found.ref, files=found.files(), lockfile=lockfile, doubt=doubt)

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
