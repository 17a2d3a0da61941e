"""Suite files: ``<anything>.eval.yaml`` to a `Suite` in which nothing can fail before the first call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from pytest_promptgate.core.types import GatePolicy, Suite
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.source import read_text, read_yaml
from pytest_promptgate.files.suite_cases import cases_of, check_scorable
from pytest_promptgate.files.suite_context import SuiteContext
from pytest_promptgate.files.suite_dataset import TAGS, read_dataset
from pytest_promptgate.files.suite_gate import read_gates, read_rule
from pytest_promptgate.files.suite_inputs import read_inputs, variables_from
from pytest_promptgate.files.suite_metrics import read_metrics
from pytest_promptgate.files.suite_models import read_slots
from pytest_promptgate.files.suite_scorers import names_of, read_scorers
from pytest_promptgate.files.suite_selection import read_must_pass, read_slices

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import BoundScorer, Case, MetricGate, MetricSpec, PromptVersion
    from pytest_promptgate.files.suite_dataset import Dataset

__all__ = ["SUFFIX", "SuiteContext", "load_suite", "suite_name"]

SUFFIX = ".eval.yaml"
KEYS = frozenset(
    {
        *("suite", "prompt", "model", "dataset", "inputs", "constants", "samples", "scorers", "metrics", "gate"),
        *("must_pass", "slices", "smoke", "outputs"),
    }
)
LATER: Mapping[str, tuple[str, str]] = {
    "target": ("'target' is not accepted yet", "Accepted: `prompt: name` or `prompt: name@v2`."),
    "extract": ("'extract' is not accepted yet", "Scorers read the whole answer; `regex` compares a part of it."),
}

_NAME = re.compile(r"[^\W_][\w.-]*\Z")
_LEAST = "The least that works:\nprompt: NAME\ndataset: ../datasets/NAME.jsonl\nscorers: [exact_match]"


def suite_name(path: Path) -> str:
    """The name of a suite that does not give itself one (DECISIONS 25)."""
    return path.name.removesuffix(SUFFIX)


def load_suite(path: Path, context: SuiteContext) -> Suite:
    """Read one suite file, with its prompt and its dataset.

    Raises:
        PromptGateError: Anything is wrong that can be known before the first call; several faults as `Faults`.
    """
    file = context.shown(path)
    text = read_text(path, error=SuiteError, name=file)
    document = read_yaml(text, file=file, error=SuiteError)
    faults: list[PromptGateError] = []
    root = Node(value=document.value, route=(), document=document, faults=faults, error=SuiteError)
    if document.value is None:
        raise SuiteError(root.place, "the suite is empty", hint=_LEAST)
    if not isinstance(document.value, Mapping):
        root.wrong("a mapping", _LEAST)
        raise faults[0]
    suite = _read(root, path, context)
    raise_faults(faults, file=file)
    if suite is None:
        raise AssertionError(f"{file}: no suite and no fault")
    return suite


def _read(root: Node, path: Path, context: SuiteContext) -> Suite | None:
    root.keys(KEYS, refused=LATER)
    prompt = _prompt(root, context)
    slots = read_slots(root, prompt, context.providers)
    dataset = read_dataset(root, path.parent, context)
    inputs, constants = read_inputs(root, prompt, dataset.columns if dataset else None)
    scorers = read_scorers(root, context, path.parent)
    metrics, gates = _judged(root, scorers, context)
    slices = read_slices(root.get("slices"), {*dataset.columns, TAGS} if dataset else None)
    cases = _cases(root, dataset, prompt, (inputs, constants), scorers, slices)
    must_pass = read_must_pass(root.get("must_pass"), cases or None, names_of(root))
    plain = _plain(root, path)
    if root.faults or prompt is None:
        return None
    return Suite(
        path=context.shown(path),
        prompt=prompt,
        slots=slots,
        cases=cases,
        inputs=inputs,
        constants=constants,
        scorers=scorers,
        metrics=metrics,
        gates=gates,
        must_pass=must_pass,
        slices=slices,
        **plain,
    )


class _Plain(TypedDict):
    name: str
    samples: int
    rule: str
    policy: GatePolicy
    smoke: int
    outputs: bool


def _plain(root: Node, path: Path) -> _Plain:
    outputs = root.get("outputs")
    rule, policy = read_rule(root.get("gate"))
    return _Plain(
        name=_name(root, path),
        samples=_whole(root, "samples", 1),
        rule=rule,
        policy=policy,
        smoke=_whole(root, "smoke", 8),
        outputs=outputs is None or outputs.flag() is not False,
    )


def _prompt(root: Node, context: SuiteContext) -> PromptVersion | None:
    from pytest_promptgate.files.prompts import find_prompt

    node = root.get("prompt")
    if node is None:
        if root.get("target") is None:
            root.fault("the suite has no prompt", "Add `prompt: NAME`, or `prompt: NAME@v2` for one version of it.")
        return None
    reference = node.text("the name of a prompt")
    if reference is None:
        return None
    try:
        return find_prompt(context.root, context.prompts, reference.strip(), where=node.place)
    except PromptGateError as fault:
        node.note(fault)
        return None


def _judged(
    root: Node, scorers: tuple[BoundScorer, ...], context: SuiteContext
) -> tuple[tuple[MetricSpec, ...], dict[str, MetricGate]]:
    metrics = read_metrics(root, scorers, names_of(root), context)
    node = root.get("metrics")
    written = tuple(node.value) if node and isinstance(node.value, Mapping) else names_of(root)
    return read_gates(root.get("gate"), metrics, written)


def _cases(
    root: Node,
    dataset: Dataset | None,
    prompt: PromptVersion | None,
    given: tuple[Mapping[str, str], Mapping[str, object]],
    scorers: tuple[BoundScorer, ...],
    slices: tuple[str, ...],
) -> tuple[Case, ...]:
    if dataset is None:
        return ()
    variables = variables_from(prompt, *given) if prompt else frozenset[str]()
    cases = cases_of(dataset, variables=variables, scorers=scorers, slices=slices)
    check_scorable(cases, scorers, dataset, root)
    return cases


def _name(root: Node, path: Path) -> str:
    node = root.get("suite")
    name = node.text("a name") if node else suite_name(path)
    if name and not _NAME.match(name):
        hint = "Use letters, digits, '.', '_' and '-', a letter or digit first: `suite: NAME`."
        (node or root).fault(f"{name!r} is no name for a suite", hint)
    return name or ""


def _whole(root: Node, key: str, default: int) -> int:
    node = root.get(key)
    return (node.whole(1) if node else None) or default
