"""Suite files: ``<anything>.eval.yaml`` to a `Suite` in which nothing can fail before the first call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from pytest_promptgate.core.default_rule import default_rule
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.core.types import Suite
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.source import read_text, read_yaml
from pytest_promptgate.files.suite_cases import cases_of, check_scorable
from pytest_promptgate.files.suite_clusters import read_clusters
from pytest_promptgate.files.suite_context import SuiteContext
from pytest_promptgate.files.suite_dataset import TAGS, read_dataset
from pytest_promptgate.files.suite_gate import check_margins, read_gates, read_rule
from pytest_promptgate.files.suite_inputs import read_inputs, variables_from
from pytest_promptgate.files.suite_metrics import read_metrics
from pytest_promptgate.files.suite_models import read_slots
from pytest_promptgate.files.suite_scorers import names_of, read_scorers
from pytest_promptgate.files.suite_selection import read_must_pass
from pytest_promptgate.files.suite_slices import read_slice_gates, read_slices
from pytest_promptgate.files.suite_target import read_target
from pytest_promptgate.files.suite_turns import check_turns, read_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_promptgate.core.types import BoundScorer, Case, MetricGate, MetricSpec, ModelPin, PromptVersion
    from pytest_promptgate.files.suite_dataset import Dataset

__all__ = ["JUDGING", "SUFFIX", "Subject", "SuiteContext", "load_suite", "read_suite", "suite_name"]

SUFFIX = ".eval.yaml"
# What does not depend on who is asked.
JUDGING = frozenset(
    {
        *("suite", "dataset", "samples", "scorers", "metrics", "gate"),
        *("must_pass", "slices", "smoke", "outputs", "extract"),
    }
)
KEYS = JUDGING | {"prompt", "target", "model", "inputs", "constants", "turns"}

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
    root.keys(KEYS)
    asked = _subject(root, context)
    return read_suite(root, path, context, name=suite_name(path), subject=lambda _dataset: asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is asked."""

    prompt: PromptVersion | None  # None: it has faults, which are noted
    slots: Mapping[str, ModelPin]


def read_suite(
    root: Node, path: Path, context: SuiteContext, *, name: str, subject: Callable[[Dataset | None], Subject]
) -> Suite:
    """The suite that stands at `root`.

    Args:
        root: A mapping, whose keys are known.
        path: The file that it stands in; paths start at its directory.
        context: What it may refer to.
        name: Of a suite that does not give itself one.
        subject: Who is asked about the rows of a dataset; it notes faults.

    Raises:
        PromptGateError: Anything is wrong that can be known before the first call; several faults as `Faults`.
    """
    file = context.shown(path)
    suite = _read(root, path, context, name, subject)
    raise_faults(root.faults, file=file)
    if suite is None:
        raise AssertionError(f"{file}: no suite and no fault")
    return suite


def _subject(root: Node, context: SuiteContext) -> Subject:
    prompt = _prompt(root, context)
    return Subject(prompt=prompt, slots=read_slots(root, prompt, context.providers))


def _read(
    root: Node, path: Path, context: SuiteContext, name: str, subject: Callable[[Dataset | None], Subject]
) -> Suite | None:
    dataset = read_dataset(root, path.parent, context)
    asked = subject(dataset)
    prompt, slots = asked.prompt, asked.slots
    inputs, constants = read_inputs(root, prompt, dataset.columns if dataset else None)
    scorers = read_scorers(root, context, path.parent)
    metrics, gates = _judged(root, scorers, context)
    slices = read_slices(root.get("slices"), {*dataset.columns, TAGS} if dataset else None)
    columns = tuple(each.column for each in slices)
    clusters = read_clusters(root, dataset)
    cases = _cases(root, dataset, prompt, (inputs, constants), scorers, columns)
    turns = read_turns(
        root, prompt, dataset.columns if dataset else None, variables_from(prompt, inputs, constants) if prompt else ()
    )
    check_turns(root, cases, "" if root.faults else turns)
    must_pass = read_must_pass(root.get("must_pass"), cases or None, names_of(root))
    plain = _plain(root, name)
    named, policy = read_rule(root.get("gate"))
    check_margins(root.get("gate"), named, gates)
    if root.faults or prompt is None:
        return None
    gated = read_slice_gates(slices, metrics, gates, cases)
    return Suite(
        path=context.shown(path),
        prompt=prompt,
        slots=slots,
        cases=clusters.mark(cases),
        inputs=inputs,
        constants=constants,
        scorers=scorers,
        metrics=metrics,
        gates={**gates, **gated.gates},
        must_pass=must_pass,
        slices=columns,
        parts=gated.specs,
        thin=gated.thin,
        together=clusters.together,
        turns=turns,
        policy=policy,
        **plain,
        **_rules(named, slots, context),
    )


class _Plain(TypedDict):
    name: str
    samples: int
    smoke: int
    outputs: bool


class _Rules(TypedDict):
    rule: str
    default_rules: Mapping[str, str]


def _rules(named: str | None, slots: Mapping[str, ModelPin], context: SuiteContext) -> _Rules:
    """The rule that the file names, or one for each slot by the kind of its model."""
    if named is not None:
        return _Rules(rule=named, default_rules={})
    kinds = {TARGET: TARGET} | {name: spec.kind for name, spec in context.providers.items()}
    defaults = {slot: default_rule(kinds[pin.provider]) for slot, pin in slots.items()}
    return _Rules(rule=next(iter(defaults.values())), default_rules=defaults)


def _plain(root: Node, name: str) -> _Plain:
    outputs = root.get("outputs")
    return _Plain(
        name=_name(root, name),
        samples=_whole(root, "samples", 1),
        smoke=_whole(root, "smoke", 8),
        outputs=outputs is None or outputs.flag() is not False,
    )


def _prompt(root: Node, context: SuiteContext) -> PromptVersion | None:
    from pytest_promptgate.files.prompts import find_prompt

    node, target = root.get("prompt"), root.get("target")
    if target is not None and node is not None:
        target.fault("the suite has both a prompt and a target", "Keep one of the two.")
        return None
    if target is not None:
        return read_target(root, context.root)
    if node is None:
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


def _name(root: Node, default: str) -> str:
    node = root.get("suite")
    name = node.text("a name") if node else default
    if name and not _NAME.match(name):
        hint = "Use letters, digits, '.', '_' and '-', a letter or digit first: `suite: NAME`."
        (node or root).fault(f"{name!r} is no name for a suite", hint)
    return name or ""


def _whole(root: Node, key: str, default: int) -> int:
    node = root.get(key)
    return (node.whole(1) if node else None) or default
