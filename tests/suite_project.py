"""A root directory with one prompt and one dataset, in which tests load suite files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_promptgate.core.types import Case, Completion, Direction, Score, Suite
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.config import BUILT_IN
from pytest_promptgate.files.offers import promptgate_dataset_loaders
from pytest_promptgate.files.suites import SuiteContext, load_suite
from pytest_promptgate.scorers.extraction import EXTRACTION
from pytest_promptgate.scorers.offers import promptgate_scorers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.ports import DatasetLoader, ProviderSpec, ScorerOffer
    from pytest_promptgate.core.types import Json

PROMPT = """\
---
name: triage
model:
  id: gpt-4o-2024-11-20
  provider: openai
inputs:
  - {name: company, kind: string, required: false, default: Acme}
  - {name: message, kind: string, required: true}
---
system:
You work for {{ company }}.

user:
{{ message }}
"""
ROWS: Sequence[Mapping[str, Json]] = (
    {"id": "t-1", "message": "a", "text": "A", "expected": "tech", "queue": "tech", "language": "en", "score": 1},
    {"id": "t-2", "message": "b", "text": "B", "expected": "tech", "queue": "tech", "language": "de", "score": 2},
    {"id": "t-3", "message": "c", "text": "C", "expected": "billing", "queue": "billing", "language": "en", "score": 3},
    {"id": "t-4", "message": "d", "text": "D", "expected": "tech", "queue": "tech", "tags": ["safety"], "score": 4},
)
LEAST = "prompt: triage\ndataset: ../rows.jsonl\nscorers: [exact_match]\n"


def polite(completion: Completion, case: Case) -> Score:
    """A plugin's scorer: a plain function."""
    return Score(value=float("please" in completion.text and bool(case.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A plugin's scorer with settings, of which nothing but the annotations checks the types."""

    most: int
    unit: Literal["words", "characters"] = "words"
    stops: tuple[str, ...] = ()
    share: float = 1.0
    expected: str | None = None

    direction: ClassVar[Direction] = Direction.LOWER
    needs_expected: ClassVar[bool] = True

    def __call__(self, completion: Completion, case: Case) -> Score:
        return Score(value=float(len(completion.text) <= self.most and bool(case.id)))


def spread(values: Sequence[float]) -> float:
    """A plugin's aggregate."""
    return max(values) - min(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteProject:
    """The files, and what suites in it may refer to."""

    root: Path
    providers: Mapping[str, ProviderSpec] = field(default_factory=lambda: BUILT_IN)
    offers: Mapping[str, ScorerOffer] = field(
        default_factory=lambda: {**promptgate_scorers(), "polite": polite, "length": Length}
    )
    loaders: Mapping[str, DatasetLoader] = field(default_factory=promptgate_dataset_loaders)

    def write(self, path: str, text: str) -> Path:
        """Write one file, with its directories."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def rows(self, rows: Sequence[Mapping[str, Json]], path: str = "rows.jsonl") -> None:
        """Write the dataset."""
        self.write(path, "".join(f"{json.dumps(row)}\n" for row in rows))

    def load(self, text: str = LEAST, *, path: str = "evals/triage.eval.yaml") -> Suite:
        """Write and load a suite."""
        return load_suite(self.write(path, text), self.context())

    def context(self) -> SuiteContext:
        """What suites here may refer to."""
        return SuiteContext(
            root=self.root,
            prompts=self.root / "prompts",
            providers=self.providers,
            scorers=self.offers,
            aggregates={"spread": spread},
            loaders=self.loaders,
            extraction=EXTRACTION,
        )

    def refusal(self, text: str, *, path: str = "evals/triage.eval.yaml") -> str:
        """The whole message with which a suite is refused; "" if it is not."""
        try:
            self.load(text, path=path)
        except PromptGateError as error:
            return str(error)
        return ""


def suite_project(root: Path) -> SuiteProject:
    """The project, with its files written."""
    project = SuiteProject(root=root)
    project.write("prompts/triage/v1.prompty", PROMPT)
    project.rows(ROWS)
    return project
