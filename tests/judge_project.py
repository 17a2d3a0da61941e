"""A project whose answers and verdicts come from one loopback server: ``small-1`` answers, ``small-2`` judges."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from front_project import RIGHT, ROWS
from loopback.answers import Answer, last_user_text

if TYPE_CHECKING:
    from front_project import Project

Body: TypeAlias = dict[str, Any]

JUDGE = "small-2"
RUBRIC = """\
criterion: Does the reply name the right queue?
model: local/small-2
scale: {wrong: 0, partly: 0.5, right: 1}
sees: {inputs: [message], expected: true}
"""
SUITE = """\
prompt: triage
dataset: ../datasets/mails.jsonl
scorers: {tone: {judge: {rubric: rubrics/tone.yaml}}}
metrics: {tone: mean(tone)}
"""
_BLOCK = re.compile(r"^\[(\w+) ([\w ]+)\]\n((?:\| .*\n?)*)", re.MULTILINE)


@dataclass(slots=True)
class Models:
    """What the loopback server answers; a call of it is one request.

    Args:
        verdict: Of the judge, by the blocks of its last message, under their names; with the mark as ``mark``.
        answer: Of the subject, by its question.
    """

    verdict: Callable[[dict[str, str]], Answer | str]
    answer: Callable[[str], str] = lambda question: RIGHT.get(question, "billing")
    judged: list[Body] = field(default_factory=list)
    answered: list[Body] = field(default_factory=list)

    def __call__(self, body: Body) -> Answer | str:
        if body["model"] == JUDGE:
            self.judged.append(body)
            return self.verdict(blocks(last_user_text(body)))
        self.answered.append(body)
        return self.answer(last_user_text(body))


def blocks(question: str) -> dict[str, str]:
    """What a judge's question holds: its blocks by name, without their quotes, and the mark."""
    found = _BLOCK.findall(question)
    assert found, question
    return {name: text.replace("| ", "").strip() for _, name, text in found} | {"mark": found[0][0]}


def says(verdict: str) -> Callable[[dict[str, str]], str]:
    """A judge that gives one verdict, whatever it sees."""
    return lambda seen: f"So it seems.\nVERDICT {seen['mark']}: {verdict}"


def fair(seen: dict[str, str]) -> str:
    """A judge that compares."""
    right = seen["answer"] == seen["expected"]
    return f"It says {seen['answer']}.\nVERDICT {seen['mark']}: {'right' if right else 'wrong'}"


def judged_project(project: Project, base_url: str, *, rubric: str = RUBRIC, suite: str = SUITE) -> Project:
    """The standard project, answered and judged by the server."""
    project.served(base_url)
    project.suite(suite)
    project.write("evals/rubrics/tone.yaml", rubric)
    return project


CASES = len(ROWS)
