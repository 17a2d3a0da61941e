"""``@pytest.mark.prompt_eval(…)``: a suite in Python, whose test function is asked.

The marker's keywords are the keys of a suite file. The function gets ``case``: the row without its ``expected`` and
``tags``.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.plan import slug
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.core.types import ModelPin, PromptInput
from pytest_promptgate.errors import Place, SuiteError
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.source import Document
from pytest_promptgate.files.suite_dataset import EXPECTED, TAGS
from pytest_promptgate.files.suite_models import DEFAULT_SLOT
from pytest_promptgate.files.suite_target import as_prompt
from pytest_promptgate.files.suites import JUDGING, Subject, read_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.errors import PromptGateError
    from pytest_promptgate.files.suite_context import SuiteContext
    from pytest_promptgate.files.suite_dataset import Dataset

KEYS = JUDGING | {"version", "timeout_s"}
CASE = "case"

_VERSION = 'Write `@pytest.mark.prompt_eval(…, version="1")`'


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One marked function, as pytest found it."""

    path: Path  # its file, absolute
    line: int
    name: str  # "test_router", "TestRouting.test_router"
    function: Callable[..., Any]
    keywords: Mapping[str, object]  # the marker's
    combinations: Sequence[str]  # ids of the stacked `parametrize`; none: [""]

    @property
    def suite(self) -> str:
        """The suite's name, as far as it can be told before anything is checked."""
        given = self.keywords.get("suite")
        return given if isinstance(given, str) and given else self.name

    @property
    def slots(self) -> tuple[str, ...]:
        """The model slots: a combination's id, as it can stand in node ids."""
        return tuple(slug(each) or DEFAULT_SLOT for each in self.combinations)


def load_marked(marked: Marked, context: SuiteContext) -> Suite:
    """Read the suite of a marked function, with its dataset. `Target.call` of its prompt is the function itself.

    Raises:
        PromptGateError: Anything is wrong that can be known before the first call; several faults as `Faults`.
    """
    file = context.shown(marked.path)
    place = Place(file=file, line=marked.line)
    faults: list[PromptGateError] = []
    document = Document(value=None, places={(): place})
    value = _plain(marked.keywords, "", place, faults)
    root = Node(value=value, route=(), document=document, faults=faults, error=SuiteError, root_name="the marker")
    _check_keys(root)
    _check_function(marked, root)
    raise_faults(faults, file=file)
    return read_suite(
        root,
        marked.path,
        context,
        name=marked.name,
        subject=lambda dataset: _subject(root, marked, dataset, f"{file}:{marked.name}"),
    )


def _subject(root: Node, marked: Marked, dataset: Dataset | None, reference: str) -> Subject:
    columns = sorted(dataset.columns - {EXPECTED, TAGS}) if dataset else ()
    inputs = tuple(PromptInput(name=column, kind="any", required=False) for column in columns)
    prompt = as_prompt(reference, marked.function, inputs, root, hint=_VERSION)
    pins = {slot: ModelPin(provider=TARGET, name=_named(reference, slot)) for slot in marked.slots}
    return Subject(prompt=prompt, slots=pins)


def _named(reference: str, slot: str) -> str:
    return reference if slot == DEFAULT_SLOT else f"{reference}[{slot}]"


def for_slot(suite: Suite, slot: str, call: Callable[..., Any]) -> Suite:
    """The suite as the run of one slot asks it: `call` takes a row as keyword arguments."""
    prompt = suite.prompt
    assert prompt.target is not None
    target = replace(prompt.target, reference=suite.slots[slot].name, call=call)
    return replace(suite, prompt=replace(prompt, target=target))


def _check_keys(root: Node) -> None:
    root.keys(KEYS, refused=dict.fromkeys(("prompt", "target", "model", "inputs", "constants", "turns"), _REFUSED))


_REFUSED = (
    "the marker takes no prompt, target, model, inputs, constants or turns",
    'The function is what is asked: it gets the row as `case`; models are stacked: `parametrize("model", […])`.',
)


def _check_function(marked: Marked, root: Node) -> None:
    function = inspect.unwrap(marked.function)
    name = marked.name
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        root.fault(f"{name} is a generator", "Return what is to be scored; set things up in a fixture.")
    elif CASE not in inspect.signature(function).parameters:
        root.fault(
            f"{name} takes no argument `case`", f"Write `def {name.rpartition('.')[2]}(case, …)`: it is the row."
        )
    twice = {slot for slot in marked.slots if marked.slots.count(slot) > 1}
    if twice:
        ids = [each for each, slot in zip(marked.combinations, marked.slots, strict=True) if slot in twice]
        hint = "Each is a model slot with its own baseline: name them with `ids=` or `pytest.param(…, id=…)`."
        root.fault(f"the parameter ids {', '.join(map(repr, ids))} cannot be told apart in node ids", hint)


def _plain(value: object, name: str, place: Place, faults: list[PromptGateError]) -> Any:
    """`value` as a suite file would hold it; but for callables, which may be scorers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each, f"{name}.{key}".lstrip("."), place, faults) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, f"{name}[{index}]", place, faults) for index, each in enumerate(value)]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if callable(value) and name.startswith("scorers"):
        return value
    seen = str(value) if isinstance(value, float) else _kind(value)
    faults.append(SuiteError(place, f"{name} cannot be {seen}", hint=_ACCEPTED))
    return None


_ACCEPTED = "A marker takes what a suite file can hold: text, numbers, lists, mappings; and callables as scorers."


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
