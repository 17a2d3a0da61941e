"""``promptgate init --from FILE``: prompts that stand in code become files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import FAILED, Stop
from pytest_promptgate.cli.tables import show_table
from pytest_promptgate.core.pins import check_pin, parse_model
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.prompt import ModelPin
from pytest_promptgate.files.config import BUILT_IN
from pytest_promptgate.files.lifted_files import read_prompts
from pytest_promptgate.files.lifted_parts import NotLiftedError
from pytest_promptgate.files.lifted_prompts import Lifted, directory_name, lift
from pytest_promptgate.files.starter import Step
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROMPTS = "prompts"
_WIDTH = 100


def lifted_steps(root: Path, path: Path, *, model: str) -> tuple[list[Step], list[Lifted]]:
    """Read `path`, tell what was found, and give the files to write.

    Args:
        root: The project's directory.
        path: A .py, .ipynb or .txt file.
        model: A pin for the lifted prompts, or "".

    Raises:
        PromptError: The file cannot be read.
        PinError: `model` is no fixed snapshot.
        Stop: No prompt was found, or none could be lifted.
    """
    if model:
        _check_model(model)
    lifted: list[Lifted] = []
    rows: list[tuple[str, str, str]] = []
    taken: set[str] = set()
    for source, found in read_prompts(path.absolute(), file=shown_path(path.absolute(), root)):
        name = _free(directory_name(found.name), taken)
        try:
            if (root / _PROMPTS / name).exists():
                raise NotLiftedError(f"{_PROMPTS}/{name} is there already")
            each = lift(found, name=name, source=source, model=model)
        except NotLiftedError as why:
            rows.append((source, found.name, f"not lifted, because {one_line(str(why), width=_WIDTH)}"))
            continue
        taken.add(name)
        lifted.append(each)
        rows.append((source, found.name, f"{_file(each)}{_variables(each)}"))
    if not rows:
        hint = "What counts as one stands in docs/getting_started.md."
        raise Stop(f"{shown_path(path.absolute(), root)}: no prompt was found\n  {hint}", FAILED)
    show_table(("where", "prompt", "now"), rows, left=3)
    if not lifted:
        raise Stop("no prompt could be lifted", FAILED)
    return [Step(path=_file(each), text=each.text, made=True, why="") for each in lifted], lifted


def tell_use(lifted: Sequence[Lifted], *, model: str) -> None:
    """Print what takes the place of the originals, and what comes next."""
    click.echo("\nIn the code, in their place:\n  from pytest_promptgate.prompts import load_prompt\n")
    for each in lifted:
        click.echo(f"  {one_line(each.call, width=10 * _WIDTH)}.messages  # {each.source}")
    if not model:
        click.echo("\nNo model was named: write `model:` into the prompts or the suites, or begin anew with --model.")
    first = lifted[0]
    columns = ", ".join(slot.name for slot in first.slots) or "expected"
    click.echo(
        f"\nNext: a dataset with the columns {columns}, and a suite, such as evals/{first.name}.eval.yaml:\n"
        f"  prompt: {first.name}\n  dataset: ../datasets/{first.name}.jsonl\n  scorers: [exact_match]"
    )


def _check_model(model: str) -> None:
    provider, name = parse_model(model)
    family = BUILT_IN[provider].family if provider in BUILT_IN else provider
    check_pin(ModelPin(provider=provider, name=name), family=family, where="--model")


def _free(name: str, taken: set[str]) -> str:
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


def _file(lifted: Lifted) -> str:
    return f"{_PROMPTS}/{lifted.name}/v1.prompty"


def _variables(lifted: Lifted) -> str:
    """The inputs, with the code that each stands for where it is not its name."""
    told = [
        slot.name if slot.name == slot.expression else f"{slot.name} for {one_line(slot.expression, width=_WIDTH)}"
        for slot in lifted.slots
    ]
    return f": {', '.join(told)}" if told else ""
