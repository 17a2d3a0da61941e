"""Rubric files: what a judge judges by.

::

    criterion: Is the reply polite, and does it answer the question?
    model: openai/gpt-4o-2024-11-20
    scale: {rude: 0, neutral: 0.5, warm: {score: 1, means: it thanks the customer}}    # or {from: 1, to: 5}
    votes: 3
    sees: {inputs: [message], expected: true, reference: ideal}
    examples:
      - {answer: "No.", verdict: rude, reasoning: It refuses without a word of regret.}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.rubrics import (
    PAIR,
    GradedExample,
    Rubric,
    Sees,
    default_parameters,
    has_structured_outputs,
)
from pytest_promptgate.core.wording import did_you_mean, shown
from pytest_promptgate.errors import Place, PromptGateError, RubricError
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.rubric_scale import read_scale
from pytest_promptgate.files.source import read_text, read_yaml
from pytest_promptgate.files.suite_models import read_pin

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.rubrics import Scale
    from pytest_promptgate.core.types import Json, ModelPin
    from pytest_promptgate.files.suite_context import SuiteContext

KEYS = frozenset({"criterion", "model", "scale", "votes", "sees", "examples", "corrected"})
SEES = frozenset({"inputs", "expected", "reference"})
EXAMPLE = frozenset({"answer", "verdict", "reasoning", "inputs", "expected", "reference"})
MOST_VOTES = 15
_LEAST = "The least that works:\ncriterion: Is the reply polite?\nmodel: provider/id\nscale: {rude: 0, polite: 1}"
_REFUSED = {
    "temperature": ("'temperature' stands in the wrong place", "Write `model: {id: …, parameters: {temperature: …}}`."),
    "prompt": (
        "'prompt' is no key of rubrics",
        "Say what is judged under `criterion:`; the prompt is built around it.",
    ),
    "threshold": ("'threshold' is no key of rubrics", "A judge measures; the suite's gate decides."),
    "choices": ("'choices' is no key of rubrics", "Write them under `scale:`, each with its score."),
}
_REFUSED_OF_PAIRS = {
    "scale": ("a comparison has no scale", "Its verdicts are first, second and tie."),
    "examples": ("a comparison has no examples", "Say under `criterion:` what makes one answer better than another."),
}


def read_rubric(path: Path, context: SuiteContext, owner: Node, *, pairwise: bool = False) -> Rubric | None:
    """The rubric in a file, or None; what is wrong is noted among the faults of `owner`, the place that names it.

    Args:
        path: Of the file.
        context: Of the suite.
        owner: The place that names it.
        pairwise: Two answers are compared by it: it needs no scale.
    """
    file = context.shown(path)
    try:
        document = read_yaml(read_text(path, error=RubricError, name=file), file=file, error=RubricError)
    except PromptGateError as fault:
        if not path.exists():
            owner.fault(f"there is no rubric {file}", "Paths start at the suite's directory.")
        else:
            owner.note(fault)
        return None
    faults: list[PromptGateError] = []
    root = Node(value=document.value, route=(), document=document, faults=faults, error=RubricError)
    rubric = None
    if document.value is None:
        root.fault("the rubric is empty", _LEAST)
    elif not isinstance(document.value, Mapping):
        root.wrong("a mapping", _LEAST)
    else:
        rubric = _read(root, file, context, pairwise=pairwise)
    owner.faults.extend(sorted(faults, key=_position))
    return rubric


def _position(fault: PromptGateError) -> tuple[int, int]:
    where = fault.where
    return (where.line or 0, where.column or 0) if isinstance(where, Place) else (0, 0)


def _read(root: Node, file: str, context: SuiteContext, *, pairwise: bool) -> Rubric | None:
    root.keys(KEYS, refused={**_REFUSED, **_REFUSED_OF_PAIRS} if pairwise else _REFUSED)
    criterion = _required(root, "criterion", "Say in a sentence or more what makes an answer good.")
    model = _required(root, "model", "A judge has a pin of its own: `model: provider/id`.")
    written = None if pairwise else _required(root, "scale", "Write {rude: 0, polite: 1}, or {from: 1, to: 5}.")
    text = criterion.text("text") if criterion else None
    pin = read_pin(model, context.providers) if model else None
    scale = PAIR if pairwise else read_scale(written) if written else None
    sees = _sees(root.get("sees"))
    examples = () if pairwise else _examples(root.get("examples"), scale, sees)
    votes = _votes(root.get("votes"))
    wanted = root.get("corrected")
    correction = bool(wanted and wanted.flag())
    if root.faults or text is None or pin is None or scale is None or model is None:
        return None
    spec = context.providers[pin.provider]
    return Rubric(
        path=file,
        criterion=text,
        scale=scale,
        pin=pin,
        parameters=_parameters(model, pin, spec.family),
        votes=votes,
        sees=sees,
        examples=examples,
        structured=has_structured_outputs(spec, pin.name),
        pairwise=pairwise,
        corrected=correction,
    )


def _required(root: Node, key: str, hint: str) -> Node | None:
    node = root.get(key)
    if node is None:
        root.fault(f"the rubric has no {key}", hint)
    return node


def _parameters(model: Node, pin: ModelPin, family: str) -> dict[str, Json]:
    """The defaults and the rubric's own; a parameter that is written as null is left out."""
    own = model.get("parameters")
    written = own.value if own and isinstance(own.value, Mapping) else {}
    defaults = {name: value for name, value in default_parameters(family, pin.name).items() if name not in written}
    return {**defaults, **pin.parameters}


def _votes(node: Node | None) -> int:
    if node is None:
        return 1
    votes = node.whole(1)
    if votes is not None and (votes % 2 == 0 or votes > MOST_VOTES):
        node.fault(
            f"votes must be an odd number from 1 to {MOST_VOTES}, not {votes}", "An even one could end in a tie."
        )
    return votes or 1


def _sees(node: Node | None) -> Sees:
    if node is None:
        return Sees()
    node.keys(SEES)
    expected, reference, inputs = node.get("expected"), node.get("reference"), node.get("inputs")
    return Sees(
        inputs=_columns(inputs) if inputs else (),
        expected=_expected(expected) if expected else None,
        reference=reference.text("the name of a column") if reference else None,
    )


def _columns(node: Node) -> tuple[str, ...] | None:
    if isinstance(node.value, bool):
        return None if node.value else ()
    return tuple(dict.fromkeys(node.texts("true, or a list of columns")))


def _expected(node: Node) -> str | None:
    if isinstance(node.value, bool):
        return "" if node.value else None
    return node.text("true, or the name of a column")


def _examples(node: Node | None, scale: Scale | None, sees: Sees) -> tuple[GradedExample, ...]:
    found = [_example(item, scale, sees) for item in node.items("a list of graded examples")] if node else []
    return tuple(each for each in found if each is not None)


def _example(node: Node, scale: Scale | None, sees: Sees) -> GradedExample | None:
    if not isinstance(node.value, Mapping):
        node.wrong("a mapping with an answer and its verdict")
        return None
    node.keys(EXAMPLE)
    answer, verdict, reasoning, inputs = (node.get(key) for key in ("answer", "verdict", "reasoning", "inputs"))
    for key, there in (("answer", answer), ("verdict", verdict)):
        if there is None:
            node.fault(f"{node.name} has no {key}", "An example is an answer with the verdict that it deserves.")
    _check_seen(node, sees)
    if answer is None or verdict is None:
        return None
    text, chosen = answer.text(), _verdict(verdict, scale)
    why = reasoning.text() if reasoning else ""
    if text is None or chosen is None or why is None:
        return None
    return GradedExample(
        answer=text,
        verdict=chosen,
        reasoning=why,
        inputs=dict(inputs.value) if inputs and isinstance(inputs.value, Mapping) else {},
        expected=_value(node, "expected"),
        reference=_value(node, "reference"),
    )


def _value(node: Node, key: str) -> Json:
    found = node.get(key)
    return found.value if found else None


def _check_seen(node: Node, sees: Sees) -> None:
    """An example shows what the judge sees of a row, and nothing else."""
    inputs = node.get("inputs")
    for name, below in inputs.pairs() if inputs else []:
        if sees.inputs is not None and name not in sees.inputs:
            below.fault(f"the judge does not see the input {name!r}", did_you_mean(name, sees.inputs, label="It sees"))
    for key, seen in (("expected", sees.expected), ("reference", sees.reference)):
        there = node.get(key)
        if there is not None and seen is None:
            there.fault(f"the judge does not see {key!r}", f"Show it: `sees: {{{key}: …}}`, or leave it out here.")
        elif there is None and seen is not None:
            node.fault(f"{node.name} has no {key}", "The judge sees it of every row, so examples have it too.")


def _verdict(node: Node, scale: Scale | None) -> str | None:
    if scale is None:
        return None
    said = str(node.value) if isinstance(node.value, str | int) and not isinstance(node.value, bool) else ""
    if said in scale.menu:
        return said
    node.fault(f"{shown(node.value)} is no verdict of this scale", did_you_mean(said, scale.menu, label="Verdicts"))
    return None
