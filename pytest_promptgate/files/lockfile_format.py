"""The text of ``promptgate.lock.json``: values in, text out, and back. Pure: `files.lockfile` reads and writes it.

::

    {
      "lockfile_version": 1,
      "partials": {label: {path: digest of the version's own file, and of every partial in it}},
      "prompts": {label: digest of every prompt version that a baseline was written from},
      "removed": {suite: {slot: {"from": digest of the baseline, "reason"}}},
      "rubrics": {path: one line, see `lockfile_calibrations`},
      "suites": {suite: {slot: {
          "accepted", "anchor": see `lockfile_anchors`,
          "directions", "must_reach", "policy", "slices": see `lockfile_promises`,
          "cases": {id: one line, see `lockfile_cases`},
          "gates": {metric: {"floor", "gated", "relative", "tolerance"}},
          "metrics": {metric: {"expression", "scored", "unscored", "value"}},
          "model": {"name", "parameters", "provider", "vouched"},
          "must_pass": [case ids],
          "path", "prompt", "prompt_digest", "rule", "samples",
          "scorers": {scorer: fingerprint}}}}
    }

Keys are sorted, one entry stands on one line, and nothing depends on when, where or in which order it was measured:
equal baselines are equal bytes, and Git shows and merges them case by case. Metrics whose source is money or ungated
latency are named without a value: prices and hours are not the prompt's. Since Git can merge lines but not means,
`loads` measures every metric anew from the lines; where that disagrees, the lockfile is doubted.
``removed`` says why a recorded suite or slot is gone; it is missing if none is, like ``partials``, ``rubrics``,
``accepted`` and ``anchor``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.recorded import recorded_metrics
from pytest_promptgate.errors import LockfileError, Place
from pytest_promptgate.files import shapes
from pytest_promptgate.files.canonical_json import decode, encode, find_line
from pytest_promptgate.files.lockfile_calibrations import decode_calibrations, encode_calibrations
from pytest_promptgate.files.lockfile_entries import decode_baseline, encode_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.recorded import Figures
    from pytest_promptgate.core.types import Baseline, Json

VERSION = 1

Tree: TypeAlias = "str | tuple[str, ...] | Mapping[str, Tree]"  # a str is JSON already
Key: TypeAlias = tuple[str, str]  # suite, slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Why a recorded suite, or one of its model slots, is gone."""

    before: str  # `core.acceptance.baseline_digest` of what was recorded
    reason: str


_NOTHING: Mapping[Key, Removal] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockfile:
    """Every baseline of a project."""

    prompts: Mapping[str, str] = field(default_factory=dict)  # label -> digest; such versions are immutable
    baselines: Mapping[Key, Baseline] = field(default_factory=dict)
    doubts: Mapping[Key, LockfileError] = field(default_factory=dict)  # metrics that disagree with their case lines
    removed: Mapping[Key, Removal] = field(default_factory=dict)
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)  # by the rubric's path
    partials: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # label -> path -> digest, of `prompts`

    def updated(self, baselines: Iterable[Baseline], removals: Mapping[Key, Removal] = _NOTHING) -> Lockfile:
        """This lockfile with `baselines` in place of those of the same suite and slot; every other one stays.

        Args:
            baselines: New ones.
            removals: Suites and slots that are gone for good, each with its reason.
        """
        new = {(each.suite, each.slot): each for each in baselines}
        removed = {key: why for key, why in {**self.removed, **removals}.items() if key not in new}
        kept = {key: each for key, each in self.baselines.items() if key not in removed}
        return replace(
            self,
            prompts=MappingProxyType({**self.prompts, **{each.prompt: each.prompt_digest for each in new.values()}}),
            baselines=MappingProxyType({**kept, **new}),
            doubts=MappingProxyType({key: why for key, why in self.doubts.items() if key in kept and key not in new}),
            removed=MappingProxyType(removed),
            partials=MappingProxyType(self._with_partials(new.values())),
        )

    def _with_partials(self, new: Iterable[Baseline]) -> dict[str, Mapping[str, str]]:
        fresh = {each.prompt: each.recipe.prompt.partials for each in new if each.recipe is not None}
        return {label: found for label, found in {**self.partials, **fresh}.items() if found}


def dumps(lockfile: Lockfile, *, aggregates: Mapping[str, Aggregate] = MappingProxyType({})) -> str:
    """The text of a lockfile: byte-identical for equal content.

    Args:
        lockfile: What to write.
        aggregates: Those that plugins offer, by name; metrics are measured with them.

    Raises:
        ValueError: A baseline holds a sample that was not answered and scored.
    """
    suites: dict[str, dict[str, Tree]] = {}
    for (suite, slot), baseline in lockfile.baselines.items():
        suites.setdefault(suite, {})[slot] = encode_baseline(baseline, aggregates=aggregates)
    prompts = {label: encode(digest) for label, digest in lockfile.prompts.items()}
    removed: dict[str, dict[str, Tree]] = {}
    for (suite, slot), removal in lockfile.removed.items():
        removed.setdefault(suite, {})[slot] = encode({"from": removal.before, "reason": removal.reason})
    tree: dict[str, Tree] = {"lockfile_version": str(VERSION), "prompts": prompts, "suites": suites}
    if removed:
        tree["removed"] = removed
    partials = {label: encode(dict(each)) for label, each in lockfile.partials.items() if each}
    if partials:
        tree["partials"] = partials
    if lockfile.calibrations:
        tree["rubrics"] = encode_calibrations(lockfile.calibrations)
    return "".join(_layout(tree, 1)) + "\n"


def _layout(tree: Tree, depth: int) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
        return
    if isinstance(tree, tuple):
        inner = "  " * depth
        yield f"[\n{inner}" + f",\n{inner}".join(tree) + f"\n{'  ' * (depth - 1)}]"
        return
    separator = "{\n"
    for key in sorted(tree):
        yield f"{separator}{'  ' * depth}{encode(key)}: "
        yield from _layout(tree[key], depth + 1)
        separator = ",\n"
    yield "{}" if not tree else "\n" + "  " * (depth - 1) + "}"


def loads(
    text: str, *, file: str, aggregates: Mapping[str, Aggregate] = MappingProxyType({}), hint: str = ""
) -> Lockfile:
    """A lockfile from its text.

    Args:
        text: The whole file.
        file: Its path as messages show it.
        aggregates: Those that plugins offer; a metric whose aggregate nobody offers cannot be doubted.
        hint: How to mend a broken one; "": take back the committed one.

    Raises:
        LockfileError: A newer version wrote it, or it is no lockfile.
    """
    value = decode(text, file=file, hint=hint or _restore(file))
    try:
        return _lockfile(value, text=text, file=file, aggregates=aggregates)
    except shapes.WrongShapeError as error:
        place = Place(file=file, line=find_line(text, error.path))
        raise LockfileError(place, str(error), hint=hint or _restore(file)) from None


def _restore(file: str) -> str:
    written = "It is written by pytest --update-baseline and promptgate calibrate."
    return f"{written} Take back the committed one: git checkout -- {file}"


def _lockfile(value: Json, *, text: str, file: str, aggregates: Mapping[str, Aggregate]) -> Lockfile:
    _check_version(value, file=file)
    root = shapes.known(value, ("lockfile_version", "partials", "prompts", "removed", "rubrics", "suites"))
    doubts: dict[Key, LockfileError] = {}
    baselines: dict[Key, Baseline] = {}

    def slot(suite: str, name: str, entry: Json) -> None:
        baseline, recorded = decode_baseline(suite, name, entry)
        baselines[suite, name] = baseline
        found = _disagreement(baseline, recorded, aggregates)
        if found:
            place = Place(file=file, line=find_line(text, ("suites", suite, name, "metrics", found[0])))
            doubts[suite, name] = _doubt(place, baseline, found[1])

    def slots(suite: str, entry: Json) -> None:
        shapes.named_entries(entry, lambda name, inner: slot(suite, name, inner))

    prompts = shapes.field(root, "prompts", lambda entry: shapes.entries(entry, shapes.text))
    shapes.field(root, "suites", lambda entry: shapes.named_entries(entry, slots))
    found = shapes.field(root, "rubrics", decode_calibrations) if "rubrics" in root else {}
    return Lockfile(
        prompts=prompts,
        baselines=baselines,
        doubts=doubts,
        removed=_removed(root),
        calibrations=found,
        partials=shapes.field(root, "partials", _read_partials) if "partials" in root else {},
    )


def _read_partials(value: Json) -> dict[str, dict[str, str]]:
    return shapes.entries(value, lambda inner: shapes.entries(inner, shapes.text))


def _removed(root: Mapping[str, Json]) -> dict[Key, Removal]:
    if "removed" not in root:
        return {}
    suites = shapes.field(root, "removed", lambda entry: shapes.entries(entry, _removals))
    return {(suite, slot): removal for suite, slots in suites.items() for slot, removal in slots.items()}


def _removals(value: Json) -> dict[str, Removal]:
    return shapes.entries(value, _removal)


def _removal(value: Json) -> Removal:
    entry = shapes.known(value, ("from", "reason"))
    return Removal(before=shapes.field(entry, "from", shapes.text), reason=shapes.field(entry, "reason", shapes.text))


def _check_version(value: Json, *, file: str) -> None:
    version = shapes.field(shapes.mapping(value), "lockfile_version", shapes.count)
    if version > VERSION:
        raise LockfileError(
            file,
            f"it was written by a newer pytest-promptgate (lockfile version {version}, this one reads {VERSION})",
            hint="Upgrade: pip install --upgrade pytest-promptgate",
        )
    if version < VERSION:
        raise shapes.wrong(str(VERSION), version).inside("lockfile_version")


def _disagreement(
    baseline: Baseline, recorded: Mapping[str, Figures | None], aggregates: Mapping[str, Aggregate]
) -> tuple[str, str] | None:
    """The first metric that its case lines contradict, and how; None if all agree."""
    measured = recorded_metrics(baseline, aggregates=aggregates)
    for metric, old in recorded.items():
        new = measured[metric]
        if old is not None and new is not None and not _same(old, new):
            return metric, f"{metric}: its cases give {new}, but {old} is recorded"
    return None


def _same(old: Figures, new: Figures) -> bool:
    if (old.scored, old.unscored) != (new.scored, new.unscored):
        return False
    if old.value is None or new.value is None:
        return old.value is new.value
    # Another Python may add floats in another order.
    return math.isclose(old.value, new.value, rel_tol=1e-9, abs_tol=1e-12)


def _doubt(place: Place, baseline: Baseline, what: str) -> LockfileError:
    slot = "" if baseline.slot == "default" else f" ({baseline.slot})"
    return LockfileError(
        place,
        f"{baseline.suite}{slot}: {what}: merged by hand or by Git",
        hint=f"Run: pytest --update-baseline {baseline.contract.path}",
    )
