"""``promptgate.baselines/<suite>.jsonl``: the answers behind a baseline, and what rebuilds its requests.

::

    {"constants", "inputs", "model", "prompt": {templates, parameters, …}, "slot"}      one line per slot, first
    {…, "role": "anchor", "slot"}                                                       the same of the slot's anchor
    {"case", "digest", "sample", "slot", "text", "tool_calls"}                         one line per answer

Lines are sorted. The lockfile decides: a line that it does not stand for (of another digest, edited, torn) counts as
absent. Only the slots are read at once; answers are found by a scan when the first is wanted, and decoded one by one.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.types import Completion, ToolCall
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.atomic import replace_file, shown
from pytest_promptgate.files.canonical_json import decode_utf8, encode, refuse_conflict
from pytest_promptgate.files.recipes import ANCHOR, encode_recipe, read_recipe
from pytest_promptgate.files.shapes import WrongShapeError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Anchor, Baseline, Json, Observation, Recipe

_SAFE = re.compile(r"[a-z0-9_][a-z0-9._-]{0,79}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")  # Windows opens a device under these names
_TEXT = r'"(?:[^"\\\n]|\\.)*"'
_ANSWER = re.compile(rf'^\{{"case":({_TEXT}),"digest":{_TEXT},"sample":([0-9]{{1,9}}),"slot":({_TEXT}),', re.MULTILINE)
_SLOT = '{"constants":'
Answer: TypeAlias = tuple[str, tuple[ToolCall, ...]]  # text, tool calls

_HINT = "Delete it and run: pytest --update-baseline"


def outputs_name(suite: str) -> str:
    """The file's name: the suite's own where every file system can hold it, else with a digest to tell it apart."""
    if _SAFE.fullmatch(suite) and not _RESERVED.fullmatch(suite):
        return f"{suite}.jsonl"
    tail = sha256(suite.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9_]+", "-", suite.lower())[:60].strip("-") or "suite"
    return f"{slug}-{tail}.jsonl"


class OutputsFile:
    """One suite's outputs, as they were when the file was read."""

    def __init__(self, text: str) -> None:
        self._text = text

    def recipe(self, slot: str, *, role: str = "") -> Recipe | None:
        """What rebuilds the requests of `slot`, or of its anchor; None if it is not told."""
        for line in self._slot_lines():
            try:
                value = json.loads(line)
                name, recipe = read_recipe(value)
            except (ValueError, RecursionError, WrongShapeError):
                continue
            if (name, value.get("role", "")) == (slot, role):
                return recipe
        return None

    def _slot_lines(self) -> Iterator[str]:
        start = 0
        while self._text.startswith(_SLOT, start):
            end = self._text.find("\n", start) + 1 or len(self._text)
            yield self._text[start:end]
            start = end

    @functools.cached_property
    def _starts(self) -> Mapping[str, Mapping[tuple[str, int], int]]:
        starts: dict[str, dict[tuple[str, int], int]] = {}
        for found in _ANSWER.finditer(self._text):
            case, sample, slot = found.groups()
            starts.setdefault(_plain(slot), {})[_plain(case), int(sample)] = found.start()
        return starts

    def keys(self, slot: str) -> Iterable[tuple[str, int]]:
        """(case, sample) of every line of `slot`, in the file's order."""
        return self._starts.get(slot, {}).keys()

    def answer(self, slot: str, key: tuple[str, int]) -> Answer | None:
        """What stands at `key`; None if nothing, or nothing readable, does."""
        start = self._starts.get(slot, {}).get(key)
        if start is None:
            return None
        end = self._text.find("\n", start)
        return _answer(self._text[start : end if end >= 0 else len(self._text)])


def _plain(quoted: str) -> str:
    return str(json.loads(quoted)) if "\\" in quoted else quoted[1:-1]


def _answer(line: str) -> Answer | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    text, calls = value.get("text"), value.get("tool_calls", [])
    if not isinstance(text, str) or not isinstance(calls, list) or not all(map(_is_call, calls)):
        return None
    return text, tuple(ToolCall(name=call[0], arguments=call[1]) for call in calls)


def _is_call(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


class StoredOutputs(Mapping[tuple[str, int], Completion]):
    """The answers of a baseline that are at hand; read when they are wanted."""

    def __init__(self, baseline: Baseline, file: OutputsFile) -> None:
        self._cases = baseline.cases
        self._slot = baseline.slot
        self._file = file

    def __getitem__(self, key: tuple[str, int]) -> Completion:
        observation = self._observation(key)
        answer = None if observation is None else self._file.answer(self._slot, key)
        if observation is None or answer is None:
            raise KeyError(key)
        completion = Completion(
            text=answer[0],
            tool_calls=answer[1],
            tokens_in=observation.tokens_in,
            tokens_out=observation.tokens_out,
            tokens_cached=observation.tokens_cached,
        )
        if output_digest(completion) != observation.output:
            raise KeyError(key)
        return completion

    def _observation(self, key: tuple[str, int]) -> Observation | None:
        case, sample = key
        record = self._cases.get(case)
        return record.observations[sample - 1] if record and 1 <= sample <= len(record.observations) else None

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return (key for key in self._file.keys(self._slot) if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def joined(baseline: Baseline, file: OutputsFile) -> Baseline:
    """`baseline` with what its outputs file adds: templates and recipe if they are of its prompt, and its outputs."""
    baseline = replace(baseline, anchor=baseline.anchor and _with_recipe(baseline.anchor, baseline.slot, file))
    recipe = file.recipe(baseline.slot)
    if recipe is None or (recipe.prompt.label, recipe.prompt.digest) != (baseline.prompt, baseline.prompt_digest):
        return replace(baseline, outputs=StoredOutputs(baseline, file))
    return replace(baseline, messages=recipe.prompt.messages, recipe=recipe, outputs=StoredOutputs(baseline, file))


def _with_recipe(anchor: Anchor, slot: str, file: OutputsFile) -> Anchor:
    for recipe in (file.recipe(slot, role=ANCHOR), file.recipe(slot)):
        if recipe is not None and (recipe.prompt.label, recipe.prompt.digest) == (anchor.prompt, anchor.prompt_digest):
            return replace(anchor, recipe=recipe)
    return anchor


def read_outputs(directory: Path, suite: str, *, root: Path | None = None) -> OutputsFile:
    """The outputs of `suite`; none if there is no such file.

    Raises:
        LockfileError: It cannot be read, or holds a conflict of Git.
    """
    path = directory / outputs_name(suite)
    file = shown(path, root)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return OutputsFile("")
    except OSError as error:
        raise LockfileError(file, f"it cannot be read: {error.strerror or error}", hint=_HINT) from error
    return outputs_in(data, file=file)


def outputs_in(data: bytes, *, file: str) -> OutputsFile:
    """The outputs in the bytes of such a file, which messages call `file`; raises as `read_outputs`."""
    text = decode_utf8(data, file=file, hint=_HINT)
    refuse_conflict(text, file=file)
    return OutputsFile(text)


def write_outputs(
    directory: Path, suite: str, baselines: Iterable[Baseline], *, root: Path | None = None
) -> Path | None:
    """Write the outputs of all slots of `suite`, wholly or not at all.

    Args:
        directory: Made if it is missing.
        suite: Whose file it is.
        baselines: One per slot, in any order, with recipe and outputs as far as they are known.
        root: Directory that messages leave out.

    Returns:
        The file's path if it has changed, else None.

    Raises:
        LockfileError: It cannot be written; the old file is still there.
    """
    path = directory / outputs_name(suite)
    slots = sorted(baselines, key=lambda each: each.slot)
    lines = [line for each in slots for line in _recipes(each)]
    lines += [line for each in slots for line in _answers(each)]
    if not lines and not path.exists():
        return None
    _make(directory, shown(directory, root))
    data = "".join(f"{line}\n" for line in lines).encode()
    return path if replace_file(path, lambda: (data,), file=shown(path, root)) else None


def delete_outputs(directory: Path, suite: str, *, root: Path | None = None) -> Path | None:
    """Delete the outputs of `suite`; the file's path if there was one.

    Raises:
        LockfileError: It cannot be deleted.
    """
    path = directory / outputs_name(suite)
    try:
        path.unlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"it cannot be deleted: {error.strerror or error}"
        raise LockfileError(shown(path, root), what, hint="Delete it by hand, and run the command again.") from error
    return path


def _make(directory: Path, file: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "Outputs of baselines stand there. Put away what is in its place, or make its parent writable."
        raise LockfileError(file, f"it is no directory and cannot be made: {error.strerror}", hint=hint) from error


def _recipes(baseline: Baseline) -> Iterator[str]:
    if baseline.recipe is not None:
        yield encode_recipe(baseline.slot, baseline.recipe)
    if baseline.anchor is not None and baseline.anchor.recipe not in (None, baseline.recipe):
        assert baseline.anchor.recipe is not None
        yield encode_recipe(baseline.slot, baseline.anchor.recipe, role=ANCHOR)


def _answers(baseline: Baseline) -> Iterator[str]:
    for case in sorted(baseline.cases):
        for observation in baseline.cases[case].observations:
            answer = baseline.outputs.get((case, observation.sample))
            if answer is not None:
                yield encode(_line(baseline.slot, observation, answer))


def _line(slot: str, observation: Observation, answer: Completion) -> dict[str, Json]:
    line: dict[str, Json] = {
        "case": observation.case,
        "digest": observation.output,
        "sample": observation.sample,
        "slot": slot,
        "text": answer.text,
    }
    if answer.tool_calls:
        line["tool_calls"] = [[call.name, call.arguments] for call in answer.tool_calls]
    return line
