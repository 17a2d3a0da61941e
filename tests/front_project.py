"""A small project on the embedded model, as a user would write it, for tests of the pytest front door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

QUEUES = {
    "my card was charged twice": "billing",
    "the invoice shows a wrong amount": "billing",
    "where is my parcel": "shipping",
    "the courier never came": "shipping",
    "i cannot log in": "account",
    "please reset my password": "account",
}

ROWS: Sequence[tuple[str, str, str]] = (
    ("c-01", "the card was charged two times", "billing"),
    ("c-02", "a wrong amount on the invoice", "billing"),
    ("c-03", "my parcel is not here", "shipping"),
    ("c-04", "the courier did not come", "shipping"),
    ("c-05", "i cannot log in today", "account"),
    ("c-06", "reset the password please", "account"),
    ("c-07", "the invoice amount", "billing"),
    ("c-08", "where is the courier with my parcel", "shipping"),
    ("c-09", "password forgotten, cannot log in", "account"),
    ("c-10", "charged twice on my card", "billing"),
)

# Plugins of this development environment that speak up, or shuffle, or take their time, without being asked.
QUIET_PLUGINS = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:anyio")

# What a model that knows everything answers to the rows.
RIGHT = {message: queue for _, message, queue in ROWS}

# A model behind HTTP, as `Project.server` declares it.
SERVED = "{id: small-1, provider: local}"

SUITE = """\
prompt: triage
dataset: ../datasets/mails.jsonl
scorers: {queue: exact_match}
metrics: {accuracy: mean(queue)}
"""


class Project:
    """Writes the files of a project and runs pytest in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path

    def write(self, path: str, text: str) -> Path:
        """Write one file, with its directories."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def prompt(self, version: str, examples: Mapping[str, str] = QUEUES, *, model: str = "") -> Path:
        """Write ``prompts/triage/<version>.prompty`` with these example turns."""
        pin = model or "{id: nearest-example-1, provider: embedded}"
        turns = "".join(f"\nuser:\n{asked}\n\nassistant:\n{answer}\n" for asked, answer in examples.items())
        return self.write(
            f"prompts/triage/{version}.prompty",
            f"---\nname: triage\nmodel: {pin}\ninputs:\n  - {{name: message, kind: string, required: true}}\n---\n"
            f"system:\nRoute the message to a queue.\n{turns}\nuser:\n{{{{ message }}}}\n",
        )

    def dataset(self, rows: Sequence[tuple[str, str, str]] = ROWS, name: str = "mails") -> Path:
        """Write ``datasets/<name>.jsonl`` of (id, message, expected)."""
        lines = [json.dumps({"id": case, "message": message, "expected": queue}) for case, message, queue in rows]
        return self.write(f"datasets/{name}.jsonl", "\n".join(lines) + "\n")

    def suite(self, text: str = SUITE, name: str = "triage") -> Path:
        """Write ``evals/<name>.eval.yaml``."""
        return self.write(f"evals/{name}.eval.yaml", text)

    def standard(self) -> Project:
        """One prompt version, ten rows, one suite."""
        self.prompt("v1")
        self.dataset()
        self.suite()
        return self

    def server(self, base_url: str, *, more: str = "") -> Path:
        """Write ``promptgate.yaml`` with the provider ``local`` at `base_url`; `more` are further keys of it."""
        models = "models: {small-1: {pinned: true}, small-2: {pinned: true}}"
        return self.write(
            "promptgate.yaml", f'providers:\n  local: {{base_url: "{base_url}", family: vllm, {models}{more}}}\n'
        )

    def served(self, base_url: str) -> Project:
        """The standard project, its prompt pinned to a model behind HTTP."""
        self.standard()
        self.server(base_url)
        self.prompt("v1", model=SERVED)
        return self

    def scripted(self, answer: str = "Completion(text=answers.get(question, 'billing'))") -> Project:
        """The standard project on a model that its conftest.py offers.

        Args:
            answer: An expression for the answer to `question`. At hand: `answers`, the right ones by question,
                `Completion`, the errors of the package, and ``fail(error)``, which raises.
        """
        self.standard()
        self.prompt("v1", model="{id: m-1, provider: it}")
        self.write(
            "promptgate.yaml", "providers: {it: {kind: scripted, family: vllm, models: {m-1: {pinned: true}}}}\n"
        )
        self.write(
            "conftest.py",
            "from pytest_promptgate import Completion, hookimpl\n"
            "from pytest_promptgate.errors import *\n"
            f"answers = {RIGHT!r}\n"
            "class Account:\n"
            "    endpoint = transport = 'scripted'\n"
            "    async def room(self): pass\n"
            "    async def close(self): pass\n"
            "    async def ask(self, request):\n"
            "        question = request.messages[-1].content\n"
            f"        return {answer}\n"
            "def fail(error):\n"
            "    raise error\n"
            "@hookimpl\n"
            "def promptgate_providers():\n"
            "    return {'scripted': lambda spec, most: Account()}\n",
        )
        return self

    def worse(self, version: str = "v2") -> Path:
        """A version whose account examples were lost: the account cases break."""
        return self.prompt(version, {asked: queue for asked, queue in QUEUES.items() if queue != "account"})

    def run(self, *args: str) -> pytest.RunResult:
        """``pytest ARGS`` in the project, in this process."""
        return self.pytester.runpytest(*QUIET_PLUGINS, *args)

    def run_apart(self, *args: str) -> pytest.RunResult:
        """``pytest ARGS`` in a process of its own."""
        return self.pytester.runpytest_subprocess(*QUIET_PLUGINS, *args)

    def evals(self, *args: str) -> pytest.RunResult:
        """``pytest --prompt-evals ARGS``."""
        return self.run("--prompt-evals", *args)

    def accept(self, *args: str) -> pytest.RunResult:
        """``pytest --update-baseline ARGS``, which must succeed."""
        result = self.run("--update-baseline", *args)
        assert result.ret == 0, result.stdout.str()
        return result

    def text(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path).read_text(encoding="utf-8")


def lines_of(result: pytest.RunResult, start: str) -> list[str]:
    """The output's lines that begin with `start`."""
    return [line for line in result.stdout.lines if line.startswith(start)]


def asked(result: pytest.RunResult) -> list[str]:
    """What each suite of the closing tables says it asked."""
    return [line.strip() for line in result.stdout.lines if re.match(r"  \d+ cases?: ", line)]


HEADLINE = re.compile(r"(?:FAILED|INCONCLUSIVE|INTERRUPTED|BROKE|PASSED|NEW|MEASURED): ")


def headline_of(result: pytest.RunResult) -> str:
    """The line on top of the closing section, which says what the run came to."""
    return next(line for line in result.stdout.lines if HEADLINE.match(line))


def section(result: pytest.RunResult, title: str) -> str:
    """The lines of one ``=== title ===`` section of the output; of the closing one without its headline."""
    lines = result.stdout.lines
    starts = [index for index, line in enumerate(lines) if re.fullmatch(rf"=+ {re.escape(title)} =+", line)]
    assert starts, f"no section {title!r} in:\n{result.stdout.str()}"
    following = [index for index in range(starts[0] + 1, len(lines)) if re.match(r"=+ .* =+$", lines[index])]
    found = lines[starts[0] + 1 : following[0] if following else len(lines)]
    return "\n".join(_without_headlines(found))


def _without_headlines(lines: Sequence[str]) -> Iterator[str]:
    """The lines but for headlines, which may go on in indented lines."""
    inside = False
    for line in lines:
        inside = bool(HEADLINE.match(line)) or (inside and line.startswith("  "))
        if not inside:
            yield line
