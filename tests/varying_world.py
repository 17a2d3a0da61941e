"""A project whose model answers as a script says, so that tests can make luck, and losses that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from front_project import SERVED, Project

if TYPE_CHECKING:
    import pytest
    from loopback.server import LoopbackServer

PLAIN = """\
prompt: echo
dataset: ../datasets/mails.jsonl
scorers: {same: exact_match}
metrics: {accuracy: mean(same)}
"""
SUITE = f"{PLAIN}gate: {{rule: confirm}}\n"
ROWS = [(f"c-{number:02}", f"m{number}", f"m{number}") for number in range(20)]

# Whether an answer is right: by prompt version, case number, and how often that was asked before.
Script = Callable[[str, int, int], bool]


def always(_version: str, _case: int, _before: int) -> bool:
    """Every answer is right."""
    return True


@dataclass
class Noise:
    """What the model answers; the order of calls makes no difference."""

    script: Script = always
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __call__(self, body: dict[str, Any]) -> str:
        version, text = body["messages"][0]["content"], body["messages"][-1]["content"]
        number = int(text[1:])
        before = self.seen[version, number]
        self.seen[version, number] += 1
        return text if self.script(version, number, before) else "something else"


def write_echo(project: Project, version: str) -> None:
    """A prompt that hands the message on, with its own version as the system's message."""
    project.write(
        f"prompts/echo/{version}.prompty",
        f"---\nname: echo\nmodel: {SERVED}\ninputs:\n  - {{name: message, kind: string, required: true}}\n---\n"
        f"system:\n{version}\n\nuser:\n{{{{ message }}}}\n",
    )


@dataclass
class World:
    """A project, its model, and how often that was asked."""

    project: Project
    noise: Noise
    server: LoopbackServer

    def version(self, version: str) -> None:
        write_echo(self.project, version)

    def evals(self, *args: str) -> pytest.RunResult:
        return self.project.evals("-q", *args)

    def calls(self, run: Callable[[], object]) -> int:
        before = self.server.count
        run()
        return self.server.count - before


def begun(
    project: Project, loopback: Callable[..., LoopbackServer], suite: str = SUITE, *, script: Script = always
) -> World:
    """Version v1 of a prompt, its baseline, and version v2."""
    noise = Noise(script)
    server = loopback(answers=noise)
    project.server(server.base_url)
    made = World(project, noise, server)
    made.version("v1")
    project.dataset(ROWS)
    project.suite(suite)
    project.accept()
    made.version("v2")
    return made


def luck(version: str, case: int, before: int) -> bool:
    """v2 fails two cases the first time, and never again."""
    return not (version == "v2" and case < 2 and before == 0)


def broken(version: str, case: int, _before: int) -> bool:
    """v2 fails one case for good."""
    return not (version == "v2" and case == 3)
