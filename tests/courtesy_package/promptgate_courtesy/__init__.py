"""A sample of somebody else's package: a scorer with settings, an aggregate, a dataset format and an observer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pytest_promptgate import Case, Completion, Row, Score, hookimpl


@dataclass(frozen=True, slots=True, kw_only=True)
class Courteous:
    """Score 1 if the answer says one of `words`."""

    words: tuple[str, ...] = ("please", "thank")

    revision: ClassVar[int] = 1  # raised whenever the same settings may score differently

    def __call__(self, completion: Completion, case: Case) -> Score:
        """Score one answer."""
        said = any(word in completion.text.casefold() for word in self.words)
        return Score(value=float(said), reason="" if said else f"case {case.id} was answered without courtesy")


def best_half(values: Sequence[float]) -> float:
    """The mean of the better half."""
    better = sorted(values)[len(values) // 2 :]
    return sum(better) / len(better)


def read_lines(path: str) -> list[Row]:
    """A row per line: message, tabulator, expected."""
    lines = [line.partition("\t") for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [
        Row(fields={"message": message, "expected": expected}, line=number)
        for number, (message, _, expected) in enumerate(lines, 1)
    ]


@hookimpl
def promptgate_scorers() -> Mapping[str, type]:
    """The scorer."""
    return {"courteous": Courteous}


@hookimpl
def promptgate_metrics() -> Mapping[str, Callable[[Sequence[float]], float]]:
    """The aggregate."""
    return {"best_half": best_half}


@hookimpl
def promptgate_dataset_loaders() -> Mapping[str, Callable[[str], list[Row]]]:
    """The format."""
    return {".letters": read_lines}


@hookimpl
def promptgate_completion(completion: Completion) -> None:
    """Write every answer that was asked for into ``heard.txt``."""
    with Path("heard.txt").open("a", encoding="utf-8") as file:
        print(completion.text, file=file)
