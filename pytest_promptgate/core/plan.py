"""From a suite to the trials of one model slot: variables, rendered requests, digests, ordinals."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.targets import call_messages
from pytest_promptgate.core.turns import lengths, opening
from pytest_promptgate.core.types import Case, Json, Message, ModelPin, Request, Suite, Trial
from pytest_promptgate.errors import (
    DatasetError,
    PromptError,
    PromptGateError,
    TemplateError,
    TemplateLimit,
    told_together,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.ports import Renderer

_RESERVED = frozenset({"cases"})
_RESERVED_PREFIX = "gate:"
# One wrong template makes as many faults as there are rows; nobody reads more than these.
_FAULTS_TOLD = 10
_SHORTEST = 1e-6  # of what is expected of a trial, in seconds or characters; a logarithm needs one


def slug(text: str) -> str:
    """A case id that can stand in a node id: white space, ``::``, brackets and unprintable characters become ``-``.

    A run of them becomes one ``-``; at both ends they are dropped. May be empty; collisions are the caller's.
    """
    if text.isalnum():
        return text
    kept = "".join(char if char.isprintable() and char not in " []" else "\0" for char in text.replace("::", "\0"))
    return "-".join(part for part in kept.split("\0") if part)


def is_reserved(case_id: str) -> bool:
    """Whether the plugin itself needs this id: ``cases`` for folded suites, ``gate:…`` for gates."""
    return case_id in _RESERVED or case_id.startswith(_RESERVED_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All trials of one suite and model slot, in dataset order, the samples of a case side by side."""

    suite: Suite
    slot: str
    pin: ModelPin
    trials: tuple[Trial, ...]  # len(suite.cases) * suite.samples

    def of_case(self, index: int) -> tuple[Trial, ...]:
        """The trials of ``suite.cases[index]``, in sample order."""
        return self.trials[index * self.suite.samples : (index + 1) * self.suite.samples]


def plan(suite: Suite, slot: str, *, render: Renderer) -> Plan:
    """Render every case of `suite` for the model of `slot`; asks nothing.

    A variable takes the first of: the column that the suite's ``inputs`` name, the suite's constant, the column of
    the same name, the declared default. Ordinals rank identical requests over the whole suite, by (case id, sample).

    Raises:
        DatasetError: A row has no value for a required input.
        PromptError: A row cannot be rendered; `where` is the row's place. Several of either are told together.
    """
    pin = suite.slots[slot]
    requests = _requests(suite, pin, render)
    digests = _shared_digests(requests)
    first = _first_ordinals(suite, digests)
    trials = tuple(
        Trial(case=case, sample=sample, request=request, digest=digest, ordinal=first[case.id] + sample - 1)
        for case, request, digest in zip(suite.cases, requests, digests, strict=True)
        for sample in range(1, suite.samples + 1)
    )
    return Plan(suite=suite, slot=slot, pin=pin, trials=trials)


def slowness(trial: Trial) -> int:
    """How slow the answer may be, for asking the slowest first: the length in characters of all that is sent."""
    return lengths(trial.request, len)


def slowest_first(trials: Sequence[Trial], latencies: Sequence[float | None]) -> tuple[Trial, ...]:
    """The trials in the order in which to ask them, so that no straggler begins last.

    Those that may take about as long as most (within a factor of 1.4) keep their order: it is that of pytest's
    items, which then report while others are still asked.

    Args:
        trials: In pytest's order.
        latencies: What earlier answers of each took, in seconds. Where nobody knows, the prompt's length stands for
            it, at the pace of those that are known.
    """
    lengths = [slowness(trial) for trial in trials]
    known = [(length, seconds) for length, seconds in zip(lengths, latencies, strict=True) if seconds is not None]
    pace = sum(seconds for _, seconds in known) / max(1, sum(length for length, _ in known)) if known else 1.0
    expected = [
        length * pace if seconds is None else seconds for length, seconds in zip(lengths, latencies, strict=True)
    ]
    usual = max(sorted(expected)[len(expected) // 2], _SHORTEST) if expected else 1.0
    # In doublings of the usual; sorted() keeps the order of equals.
    doublings = [round(math.log2(max(each, _SHORTEST) / usual)) for each in expected]
    return tuple(trials[index] for index in sorted(range(len(trials)), key=lambda index: -doublings[index]))


def _requests(suite: Suite, pin: ModelPin, render: Renderer) -> list[Request]:
    prompt = suite.prompt
    parameters = {**prompt.parameters, **pin.parameters}
    requests: list[Request] = []
    faults: list[PromptGateError] = []
    before: tuple[Message, ...] = ()
    for case in suite.cases:
        try:
            values = variables(suite, case)
            values, turns = opening(suite, case, values)
            messages = call_messages(values) if prompt.target else render(prompt, values)
            before = _with_shared(messages, before)
        except PromptGateError as error:
            faults.append(_at_row(error, case))
            # A limit may have taken seconds, and the next row would take them again.
            if len(faults) == _FAULTS_TOLD or isinstance(error, TemplateLimit):
                break
            continue
        requests.append(
            Request(
                pin=pin,
                messages=before,
                parameters=parameters,
                tools=prompt.tools,
                response_format=prompt.response_format,
                turns=turns,
            )
        )
    if faults:
        raise told_together(faults)
    return requests


def variables(suite: Suite, case: Case) -> dict[str, Json]:
    """The template variables of one case.

    Raises:
        DatasetError: The row has no value for a required input.
    """
    return dict(_values(suite, case))


def _values(suite: Suite, case: Case) -> Iterator[tuple[str, Json]]:
    for declared in suite.prompt.inputs:
        name = declared.name
        column = suite.inputs.get(name)
        if column is None and name in suite.constants:
            yield name, suite.constants[name]
        elif (column or name) in case.inputs:
            yield name, case.inputs[column or name]
        elif declared.required:
            raise _missing(suite, case, name, column or name)
        elif suite.prompt.target is None:
            yield name, declared.default  # a target has its own


def _missing(suite: Suite, case: Case, name: str, column: str) -> DatasetError:
    close = difflib.get_close_matches(column, case.inputs, n=1)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    wanted = f"input {name!r}" if name == column else f"column {column!r} for input {name!r}"
    return DatasetError(
        case.place,
        f"case {case.id!r} has no {wanted} of {suite.prompt.title}",
        hint=f"{guess}Its columns: {', '.join(sorted(case.inputs)) or 'none'}.",
    )


def _at_row(error: PromptGateError, case: Case) -> PromptGateError:
    if isinstance(error, DatasetError):
        return error
    template = f"The template: {error.where}" if str(error.where) else ""
    hint = "\n".join(line for line in (template, error.hint) if line)
    kind = TemplateError if isinstance(error, TemplateError) else PromptError
    return kind(case.place, f"case {case.id!r} cannot be rendered: {error.what}", hint=hint)


def _with_shared(messages: tuple[Message, ...], before: tuple[Message, ...]) -> tuple[Message, ...]:
    # Most rows differ in their last message only: the long system message is then kept once for all of them.
    if messages == before:
        return before
    if len(messages) != len(before):
        return messages
    return tuple(old if old == new else new for old, new in zip(before, messages, strict=True))


def _shared_digests(requests: list[Request]) -> list[str]:
    known: dict[str, str] = {}
    return [known.setdefault(digest, digest) for digest in map(request_digest, requests)]


def _first_ordinals(suite: Suite, digests: list[str]) -> Mapping[str, int]:
    seen: Counter[str] = Counter()
    first: dict[str, int] = {}
    for case, digest in sorted(zip(suite.cases, digests, strict=True), key=lambda pair: pair[0].id):
        first[case.id] = seen[digest]
        seen[digest] += suite.samples
    return first
