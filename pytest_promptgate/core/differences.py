"""What differs between a suite and its baseline, apart from the answers."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.core.promises import loosened, used_to_pass
from pytest_promptgate.core.types import Differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.types import (
        Baseline,
        Json,
        Message,
        ModelPin,
        PromptVersion,
        Suite,
    )

CONTEXT = 2  # unchanged lines around each change of the prompt


def differences(suite: Suite, pin: ModelPin, baseline: Baseline | None) -> Differences:
    """Compare a suite, as it is now, with what its baseline was written from.

    Args:
        pin: What runs in the baseline's slot now; it may differ from the suite's own (``--prompt-model``).
        baseline: None if there is none: then nothing differs.
    """
    if baseline is None:
        return Differences()
    rows = {case.id: case.digest for case in suite.cases}
    before = baseline.cases
    removed = tuple(sorted(before.keys() - rows.keys()))
    same_prompt = suite.prompt.digest == baseline.prompt_digest
    return Differences(
        prompt="" if same_prompt else _step(baseline.prompt, suite.prompt),
        prompt_diff=() if same_prompt else prompt_diff(baseline, suite.prompt),
        model="" if str(pin) == str(baseline.pin) else f"{baseline.pin} -> {pin}",
        parameters=tuple(_parameters(baseline.pin.parameters, pin.parameters)),
        scorers=tuple(sorted(_changed_scorers(suite, baseline))),
        added=tuple(sorted(rows.keys() - before.keys())),
        removed=removed,
        passing=tuple(name for name in removed if used_to_pass(before[name])),
        edited=tuple(sorted(name for name in rows.keys() & before.keys() if rows[name] != before[name].row)),
        loosened=tuple(loosened(suite, baseline)),
    )


def prompt_diff(baseline: Baseline, prompt: PromptVersion) -> tuple[str, ...]:
    """Unified diff of the templates, each message under its role; empty if the baseline's are not at hand."""
    if not baseline.messages:
        return ()
    return messages_diff(baseline.messages, prompt.messages, names=(baseline.prompt, prompt.label))


def messages_diff(before: Sequence[Message], after: Sequence[Message], *, names: tuple[str, str]) -> tuple[str, ...]:
    """Unified diff of two lists of templates, each message under its role."""
    old, new = _lines(before), _lines(after)
    return tuple(difflib.unified_diff(old, new, fromfile=names[0], tofile=names[1], lineterm="", n=CONTEXT))


def _changed_scorers(suite: Suite, baseline: Baseline) -> Iterator[str]:
    now = {bound.name: bound.fingerprint for bound in suite.scorers}
    return (name for name in now.keys() | baseline.scorers.keys() if now.get(name) != baseline.scorers.get(name))


def _step(before: str, prompt: PromptVersion) -> str:
    """``v2 -> v3``; whole labels if the prompt has another name."""
    if before == prompt.label:
        return f"{prompt.label}, edited in place"
    name, _, version = before.rpartition("@")
    return f"{version} -> {prompt.version}" if name == prompt.name else f"{before} -> {prompt.label}"


def _lines(messages: Sequence[Message]) -> list[str]:
    return [line for each in messages for line in (f"{each.role}:", *each.content.splitlines())]


def _parameters(before: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        old, new = (canonical(each[name]) if name in each else "unset" for each in (before, now))
        if old != new:
            yield f"{name}: {old} -> {new}"
