"""One case, one line: what the lockfile remembers of every sample.

::

    {"request": digest, "row": digest,
     "samples": [{"output": digest, "scores": {scorer: grade}, "tokens": [in, out, cached]}]}     (on one line)

A grade is a number; ``[number, answered, expected]`` where a metric reads labels; ``{"unextracted": number or list}``
where the part to grade was not found; or ``{"unscored": reason}``.
``tokens`` is missing if the provider did not count; ``latency_s`` stands in a sample if a gate reads it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import CaseRecord, Observation, Score, Unscored
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.shapes import (
    WrongShapeError,
    count,
    entries,
    field,
    items,
    known,
    mapping,
    number,
    optional,
    sequence,
    text,
    wrong,
)

if TYPE_CHECKING:
    from pytest_promptgate.core.recorded import Kept
    from pytest_promptgate.core.types import Grade, Json

_CASE = frozenset({"request", "row", "samples"})
_SAMPLE = frozenset({"latency_s", "output", "scores", "tokens"})
_GRADE = 'a number, [number, answered, expected], {"unextracted": …} or {"unscored": reason}'
_NO_TOKENS = (None, None, None)
_TOKENS = "[in, out, cached], each a whole number or null"


def encode_case(record: CaseRecord, kept: Kept) -> str:
    """The line of one case, without its id.

    Raises:
        ValueError: A sample was not answered, or is missing: no baseline may hold that.
    """
    if [each.sample for each in record.observations] != list(range(1, len(record.observations) + 1)):
        raise ValueError(f"{record.id}: samples are missing")
    samples = [_sample(each, kept) for each in record.observations]
    return encode({"request": record.request, "row": record.row, "samples": samples})


def _sample(observation: Observation, kept: Kept) -> dict[str, Json]:
    scores = {name: _grade(grade, name in kept.labels) for name, grade in observation.grades.items()}
    sample: dict[str, Json] = {"output": observation.output, "scores": scores}
    tokens = [observation.tokens_in, observation.tokens_out, observation.tokens_cached]
    if tokens != [None, None, None]:
        sample["tokens"] = tokens
    if kept.latency and observation.latency_s is not None:
        sample["latency_s"] = float(observation.latency_s)
    return sample


def _grade(grade: Grade, labelled: bool) -> Json:
    if isinstance(grade, Score):
        value = grade.value + 0.0  # 1 and 1.0, 0.0 and -0.0 are one score: one text
        kept: Json = [value, *grade.labels] if labelled and grade.labels is not None else value
        return {"unextracted": kept} if grade.unextracted else kept
    if isinstance(grade, Unscored):
        return {"unscored": grade.reason}
    raise ValueError(f"{type(grade).__name__}: only answered and scored samples can stand in a baseline")


def decode_case(case: str, value: Json) -> CaseRecord:
    """The case `case`, from its line.

    Raises:
        WrongShapeError: It is no such line.
    """
    line = known(value, _CASE)
    observations = field(line, "samples", lambda samples: _samples(case, samples))
    if not observations:
        raise WrongShapeError("expected at least one sample").inside("samples")
    return CaseRecord(
        id=case,
        row=field(line, "row", text),
        request=field(line, "request", text),
        observations=observations,
    )


def _samples(case: str, value: Json) -> tuple[Observation, ...]:
    numbers = itertools.count(1)
    return items(value, lambda sample: _observation(case, next(numbers), sample))


def _observation(case: str, index: int, value: Json) -> Observation:
    sample = known(value, _SAMPLE)
    tokens_in, tokens_out, tokens_cached = field(sample, "tokens", _read_tokens) if "tokens" in sample else _NO_TOKENS
    return Observation(
        case=case,
        sample=index,
        grades=field(sample, "scores", lambda scores: entries(scores, _read_grade)),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=tokens_cached,
        latency_s=field(sample, "latency_s", number) if "latency_s" in sample else None,
        output=field(sample, "output", text),
    )


def _read_tokens(value: Json) -> tuple[int | None, ...]:
    tokens = sequence(value)
    if len(tokens) != 3:
        raise wrong(_TOKENS, value)
    return items(tokens, optional(count))


def _read_grade(value: Json) -> Grade:
    if isinstance(value, float):
        return _score(number(value))
    if isinstance(value, list):
        return _read_labelled(value)
    if isinstance(value, Mapping) and value.keys() == {"unscored"}:
        return Unscored(reason=field(mapping(value), "unscored", text))
    if isinstance(value, Mapping) and value.keys() == {"unextracted"}:
        return field(mapping(value), "unextracted", _read_unextracted)
    if isinstance(value, int) and not isinstance(value, bool):
        return _score(float(value))
    raise wrong(_GRADE, value)


def _read_unextracted(value: Json) -> Score:
    return replace(_read_labelled(value) if isinstance(value, list) else _score(number(value)), unextracted=True)


@functools.lru_cache(maxsize=1024)
def _score(value: float) -> Score:
    # Scores of most suites take few values; a hundred thousand cases share them.
    return Score(value=value)


def _read_labelled(value: list[Json]) -> Score:
    match value:
        case [int() | float() as score, str(answered), str(expected)] if not isinstance(score, bool):
            return Score(value=number(score), labels=(answered, expected))
    raise wrong(_GRADE, value)
