"""Projects to be measured, as a user would write them, in a temporary directory."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .processes import Cost, python, run

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = """\
---
name: bench
model: {id: gpt-4o-2024-11-20, provider: bench, options: {temperature: 0}}
inputs:
  - {name: message, kind: string, required: true}
---
system:
You are a support agent of Acme.

user:
{{ message }}
"""

SUITE = """\
prompt: bench
dataset: ../datasets/cases.jsonl
scorers: {echo: exact_match}
metrics: {accuracy: mean(echo)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One prompt, one suite of `cases` questions that the server echoes; the same as the bare script's."""

    root: Path
    cases: int

    def evals(self, *arguments: str, connections: int = 64) -> Cost:
        """``pytest --prompt-evals``, as a whole process."""
        option = f"promptgate_max_connections={connections}"
        evals = ("--prompt-evals", "-o", option, *arguments)
        return run(python("-m", "pytest", "-q", "-p", "pytest_promptgate.plugin", *evals), directory=self.root)

    def forget(self) -> None:
        """Remove the stored answers."""
        shutil.rmtree(self.root / ".promptgate", ignore_errors=True)

    @property
    def stored(self) -> int:
        """Answers in the store."""
        file = self.root / ".promptgate" / "responses" / "bench.jsonl"
        with file.open("rb") as lines:
            return sum(b'"answer":' in line for line in lines)


def make_project(root: Path, *, cases: int, base_url: str) -> Project:
    """Write a project that asks `base_url`."""
    for name in ("prompts/bench", "datasets", "evals"):
        (root / name).mkdir(parents=True)
    rows = ({"id": f"c-{n:06d}", "message": f"question {n}", "expected": f"question {n}"} for n in range(cases))
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (root / "prompts/bench/v1.prompty").write_text(PROMPT, encoding="utf-8")
    (root / "datasets/cases.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    (root / "evals/bench.eval.yaml").write_text(SUITE, encoding="utf-8")
    provider = f"providers:\n  bench: {{base_url: {json.dumps(base_url)}, family: openai}}\n"
    (root / "promptgate.yaml").write_text(provider, encoding="utf-8")
    return Project(root=root, cases=cases)


def empty_tests(root: Path, count: int) -> Path:
    """A project of `count` tests that do nothing."""
    root.mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    tests = "".join(f"def test_{number}():\n    pass\n\n\n" for number in range(count))
    (root / "test_empty.py").write_text(tests, encoding="utf-8")
    return root
