"""``promptgate.lock.json`` on the disk; its text is made and read in `files.lockfile_format`."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.errors import LockfileError, told_together
from pytest_promptgate.files.atomic import replace_file, shown
from pytest_promptgate.files.canonical_json import decode_utf8
from pytest_promptgate.files.lockfile_format import Lockfile, Removal, dumps, loads
from pytest_promptgate.files.outputs import delete_outputs, joined, read_outputs, write_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline
    from pytest_promptgate.files.lockfile_format import Key

_NONE: Mapping[str, Aggregate] = MappingProxyType({})
_KEPT: Mapping[Key, Removal] = MappingProxyType({})


def read_lockfile(
    path: Path, *, root: Path | None = None, aggregates: Mapping[str, Aggregate] = _NONE, mending: bool = False
) -> Lockfile:
    """The lockfile at `path`; an empty one if there is none.

    Args:
        path: Absolute.
        root: Directory that messages leave out; None: they show the file's name alone.
        aggregates: Those that plugins offer; metrics are checked with them.
        mending: A run that writes baselines anew takes metrics that contradict their cases as `Lockfile.doubts`.

    Raises:
        LockfileError, Faults: It cannot be read, is of a newer version, is no lockfile, or contradicts itself.
    """
    file = shown(path, root)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Lockfile()
    except OSError as error:
        raise LockfileError(
            file,
            f"it cannot be read: {error.strerror or error}",
            hint="Make it a readable file, or name another one with promptgate_lockfile.",
        ) from error
    hint = f"Take back the committed one: git checkout -- {file}"
    lockfile = loads(decode_utf8(data, file=file, hint=hint), file=file, aggregates=aggregates)
    return _undoubted(lockfile, mending=mending)


def lockfile_in(data: bytes, *, file: str, aggregates: Mapping[str, Aggregate] = _NONE) -> Lockfile:
    """The lockfile in these bytes, which are no file of the work tree.

    Args:
        data: What a Git commit holds.
        file: As messages call it, with the commit.
        aggregates: Those that plugins offer.

    Raises:
        LockfileError, Faults: As `read_lockfile`.
    """
    hint = "This run is held against it: mend it there first."
    text = decode_utf8(data, file=file, hint=hint)
    return _undoubted(loads(text, file=file, aggregates=aggregates, hint=hint), mending=False)


def _undoubted(lockfile: Lockfile, *, mending: bool) -> Lockfile:
    if lockfile.doubts and not mending:
        raise told_together(tuple(lockfile.doubts.values()))
    return lockfile


def write_lockfile(
    path: Path, lockfile: Lockfile, *, root: Path | None = None, aggregates: Mapping[str, Aggregate] = _NONE
) -> bool:
    """Write `lockfile`, wholly or not at all, and tell whether its bytes have changed; if not, nothing is touched.

    Raises:
        LockfileError, Faults: It cannot be written, or a baseline in it is still doubted.
    """
    if lockfile.doubts:
        raise told_together(tuple(lockfile.doubts.values()))
    data = dumps(lockfile, aggregates=aggregates).encode()
    return replace_file(path, lambda: (data,), file=shown(path, root))


def read_baseline(
    path: Path, lockfile: Lockfile, suite: str, slot: str, *, root: Path | None = None
) -> Baseline | None:
    """The baseline of one suite and slot with its templates and, as far as they are at hand, its outputs.

    Args:
        path: The lockfile's; the outputs stand beside it.
        lockfile: What `path` holds.
        suite: As the suite calls itself.
        slot: "default", or a name of its ``model:`` mapping.
        root: As for `read_lockfile`.

    Raises:
        LockfileError: There are outputs, but they cannot be read.
    """
    baseline = lockfile.baselines.get((suite, slot))
    if baseline is None:
        return None
    return joined(baseline, read_outputs(outputs_directory(path), suite, root=root))


def save_baselines(
    path: Path,
    updates: Sequence[Baseline],
    *,
    removals: Mapping[Key, Removal] = _KEPT,
    root: Path | None = None,
    aggregates: Mapping[str, Aggregate] = _NONE,
) -> tuple[Path, ...]:
    """Put `updates` in place of the baselines of the same suites and slots; every other one stays as it is.

    Outputs are written first: a lockfile never promises outputs that were not written yet.

    Args:
        path: The lockfile's.
        updates: New baselines.
        removals: Suites and slots that are gone for good.
        root: As for `read_lockfile`.
        aggregates: Those that plugins offer.

    Returns:
        The files that have changed; none if nothing has.

    Raises:
        LockfileError, Faults: As `read_lockfile` and `write_lockfile`; the lockfile is the old one then.
    """
    lockfile = read_lockfile(path, root=root, aggregates=aggregates, mending=True).updated(updates, removals)
    if lockfile.doubts:
        raise told_together(tuple(lockfile.doubts.values()))
    directory = outputs_directory(path)
    suites = sorted({each.suite for each in updates} | {suite for suite, _ in removals})
    written = [_save_outputs(directory, lockfile, updates, suite, root) for suite in suites]
    if suites and write_lockfile(path, lockfile, root=root, aggregates=aggregates):
        written.append(path)
    return tuple(each for each in written if each is not None)


def save_calibration(
    path: Path,
    rubric: str,
    calibration: Calibration,
    *,
    root: Path | None = None,
    aggregates: Mapping[str, Aggregate] = _NONE,
) -> bool:
    """Put `calibration` in place of that of the same rubric, and tell whether the lockfile's bytes have changed.

    Args:
        path: The lockfile's.
        rubric: Path of the rubric, as suites know it.
        calibration: Of that rubric.
        root: As for `read_lockfile`.
        aggregates: Those that plugins offer.

    Raises:
        LockfileError, Faults: As `read_lockfile` and `write_lockfile`; the lockfile is the old one then.
    """
    lockfile = read_lockfile(path, root=root, aggregates=aggregates)
    new = replace(lockfile, calibrations={**lockfile.calibrations, rubric: calibration})
    return write_lockfile(path, new, root=root, aggregates=aggregates)


def _save_outputs(
    directory: Path, lockfile: Lockfile, updates: Sequence[Baseline], suite: str, root: Path | None
) -> Path | None:
    """Write the outputs of all slots of `suite`, or delete the file with its last slot; its path if it has changed."""
    old = read_outputs(directory, suite, root=root)
    new = {each.slot: each for each in updates if each.suite == suite}
    slots = [slot for name, slot in lockfile.baselines if name == suite]
    if not slots:
        return delete_outputs(directory, suite, root=root)
    whole = [new[slot] if slot in new else joined(lockfile.baselines[suite, slot], old) for slot in slots]
    return write_outputs(directory, suite, whole, root=root)


def outputs_directory(path: Path) -> Path:
    """``promptgate.baselines`` beside ``promptgate.lock.json``."""
    name = path.name.removesuffix(".json").removesuffix(".lock")
    return path.with_name(f"{name}.baselines")
