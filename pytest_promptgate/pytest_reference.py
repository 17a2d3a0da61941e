"""What runs are held against: the work tree's lockfile, or with ``--baseline-ref`` a commit's (DECISIONS 1).

With a ref, a pull request cannot pass by editing its own lockfile. Of the work tree's lockfile count: what was accepted
for this very step, and the baselines of suites that the ref does not know, if they were written from this candidate.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import (
    STALE,
    baseline_digest,
    candidate_fingerprint,
    matching,
    recorded_fingerprint,
)
from pytest_promptgate.core.ratchet import merges_message
from pytest_promptgate.core.types import Direction, Outcome, Verdict
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.git import OPTION, Revision, revision
from pytest_promptgate.files.lockfile import lockfile_in, outputs_directory, read_baseline, read_lockfile
from pytest_promptgate.files.lockfile_format import Lockfile
from pytest_promptgate.files.lockfile_history import history
from pytest_promptgate.files.outputs import joined, outputs_in, outputs_name
from pytest_promptgate.workflows.update_baseline import lockfile_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Acceptance, Baseline, ModelPin
    from pytest_promptgate.files.lockfile_format import Key
    from pytest_promptgate.pytest_settings import Settings

_MARK = '"lockfile_version": '


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Two lockfiles, and which of them says what."""

    settings: Settings
    lockfile: Lockfile  # scores come from here
    work: Lockfile | None = None  # with a ref: the work tree's; else None, since `lockfile` is that
    revision: Revision | None = None

    @property
    def prompts(self) -> Mapping[str, str]:
        """The digests of the prompt versions that some baseline was written from."""
        return {**(self.work.prompts if self.work else {}), **self.lockfile.prompts}

    @property
    def partials(self) -> Mapping[str, Mapping[str, str]]:
        """The digests of the partials in those versions, by label and path."""
        return {**(self.work.partials if self.work else {}), **self.lockfile.partials}

    @property
    def calibrations(self) -> tuple[Mapping[str, Calibration], ...]:
        """Of judges, by the rubric's path. With a ref its own count first: a rubric that has changed since has none."""
        return (self.lockfile.calibrations, *([self.work.calibrations] if self.work else ()))

    @property
    def _shown(self) -> str:
        return self.settings.shown(self.settings.lockfile)

    def baseline(self, plan: Plan) -> Baseline | None:
        """What `plan` is held against.

        Raises:
            PromptGateError: Its outputs cannot be read.
        """
        key, path, root = (plan.suite.name, plan.slot), self.settings.lockfile, self.settings.root
        known = self.lockfile.baselines.get(key)
        if self.revision is not None and known is not None:
            return self._with_outputs(known, self.revision)
        if self.work is None:
            return read_baseline(path, self.lockfile, *key, root=root)
        new = read_baseline(path, self.work, *key, root=root)
        return new if new and recorded_fingerprint(new) == candidate_fingerprint(plan) else None

    def _with_outputs(self, baseline: Baseline, revision: Revision) -> Baseline:
        path = outputs_directory(self.settings.lockfile) / outputs_name(baseline.suite)
        data = revision.read(path)
        if data is None:
            return baseline
        return joined(baseline, outputs_in(data, file=f"{revision.ref}:{self.settings.shown(path)}"))

    def acceptances(self, plan: Plan, baseline: Baseline | None) -> tuple[Acceptance, ...]:
        """What the work tree says was accepted in the step from `baseline` to `plan`; nothing without a ref."""
        entry = None if self.work is None else self.work.baselines.get((plan.suite.name, plan.slot))
        return () if entry is None or baseline is None else matching(entry.accepted, baseline, plan)

    def take_back(self, key: Key) -> str:
        """The command that makes the work tree's lockfile the ref's again; "" if it is, for `key`."""
        if (
            self.work is None
            or self.revision is None
            or self.work.baselines.get(key) == self.lockfile.baselines.get(key)
        ):
            return ""
        directory = self.settings.shown(outputs_directory(self.settings.lockfile))
        return f"git checkout {self.revision.ref} -- {self._shown} {directory}"

    def stale(self, plan: Plan) -> tuple[Verdict, ...]:
        """The red verdict on a work tree's lockfile that is older than what it will stand for once it is merged."""
        if self.work is None or self.settings.tries(plan.suite.name):
            return ()
        suite, key = plan.suite, (plan.suite.name, plan.slot)
        entry, command = self.work.baselines.get(key), f"pytest {suite.path} {self.settings.alias}"
        if entry is None and key not in self.lockfile.baselines:
            return ()
        if entry is None:
            why = f"baseline missing: {self._shown} has none for it any more; run: {command}"
        elif (entry.prompt_digest, _pinned(entry.pin)) != (suite.prompt.digest, _pinned(suite.slots[plan.slot])):
            told = f"{self._shown} stands for {entry.prompt} on {entry.pin}, and this is {suite.prompt.label}"
            why = f"baseline stale: {told} on {suite.slots[plan.slot]}; run: {command}, and commit what it writes"
        else:
            return ()
        return (
            Verdict(
                metric=STALE,
                outcome=Outcome.INCONCLUSIVE,
                reason=why,
                gated=True,
                red=True,
                baseline=None,
                current=None,
            ),
        )

    def lets_go(self, key: Key) -> bool:
        """Whether the work tree says why the recorded suite or slot `key` is gone."""
        removal = None if self.work is None else self.work.removed.get(key)
        return removal is not None and removal.before == baseline_digest(self.lockfile.baselines[key])

    def merges_since_anchor(
        self, key: Key, metric: str, direction: Direction, aggregates: Mapping[str, Aggregate]
    ) -> str:
        """What became of `metric` since its anchor, merge by merge, in one line; "" if Git cannot tell."""
        ref = "HEAD" if self.revision is None else self.revision.ref
        settings = self.settings
        found = history(settings.root, settings.lockfile, key, metric, ref=ref, aggregates=aggregates)
        if found is None:
            return ""
        sign = 1 if direction is Direction.HIGHER else -1
        return merges_message(found.date, [(name, sign * change) for name, change in found.steps])

    def changes(self, aggregates: Mapping[str, Aggregate]) -> tuple[str, ...]:
        """What the work tree's lockfile changes, told first: a line per change; nothing without a ref."""
        if self.work is None or self.revision is None:
            return ()
        lines = tuple(self._changed(self.work, aggregates))
        ref = self.revision.ref
        return (f"{self._shown} against {ref}:", *lines) if lines else (f"{self._shown} is that of {ref}",)

    def _changed(self, work: Lockfile, aggregates: Mapping[str, Aggregate]) -> Iterator[str]:
        yield from _recalibrated(self.lockfile.calibrations, work.calibrations)
        for key in sorted(self.lockfile.baselines.keys() | work.baselines.keys()):
            title = key[0] if key[1] == "default" else f"{key[0]} ({key[1]})"
            old, new = self.lockfile.baselines.get(key), work.baselines.get(key)
            if new is None:
                removal = work.removed.get(key)
                yield f"  {title}: removed, {f'accepted: {removal.reason}' if removal else 'without a reason'}"
            elif old != new:
                yield from (f"  {title}: {line}" for line in lockfile_diff(old, new, aggregates=aggregates))


def _recalibrated(before: Mapping[str, Calibration], now: Mapping[str, Calibration]) -> Iterator[str]:
    for path in sorted(before.keys() | now.keys()):
        old, new = before.get(path), now.get(path)
        if old != new:
            yield f"  {path}: {_agreement(old)} -> {_agreement(new)}"


def _agreement(calibration: Calibration | None) -> str:
    if calibration is None:
        return "not calibrated"
    return f"weighted kappa {calibration.weighted_kappa:.2f} on {calibration.labels} labels"


def _pinned(pin: ModelPin) -> tuple[object, ...]:
    return pin.provider, pin.name, dict(pin.parameters)


def read_reference(settings: Settings, aggregates: Mapping[str, Aggregate]) -> Reference:
    """Read the lockfiles.

    Raises:
        PromptGateError: One of them cannot be read, the ref is not there, or it has the lockfile under another name.
    """
    path, root = settings.lockfile, settings.root
    work = read_lockfile(path, root=root, aggregates=aggregates, mending=settings.update)
    if settings.baseline_ref is None:
        return Reference(settings=settings, lockfile=work)
    found = revision(root, settings.baseline_ref)
    data = found.read(path)
    if data is None:
        _refuse_renamed(found, settings, work)
        lockfile = Lockfile()
    else:
        lockfile = lockfile_in(data, file=f"{found.ref}:{settings.shown(path)}", aggregates=aggregates)
    return Reference(settings=settings, lockfile=lockfile, work=work, revision=found)


def _refuse_renamed(found: Revision, settings: Settings, work: Lockfile) -> None:
    """Raise if the ref holds baselines of these suites in another file: without them every suite would pass as new."""
    suites = {suite for suite, _ in work.baselines}
    for name in found.holding(_MARK):
        path = settings.root / name
        other = _lockfile_at(found, path)
        moved = name.startswith("../") and path.is_file()  # another project of the repository, with its own lockfile
        if other is not None and not moved and suites & {suite for suite, _ in other.baselines}:
            file = settings.shown(settings.lockfile)
            raise LockfileError(
                OPTION,
                f"{found.ref!r} has no {file}, but the same suites in {os.path.normpath(name)}: was it renamed?",
                hint=(
                    "Rename it in two steps: merge a copy under the new name first, and then set promptgate_lockfile "
                    "and delete the old one."
                ),
            )


def _lockfile_at(found: Revision, path: Path) -> Lockfile | None:
    data = found.read(path)
    if data is None or not data.lstrip().startswith(b'{\n  "lockfile_version"'):
        return None
    try:
        return lockfile_in(data, file=path.name)
    except LockfileError:
        return None
