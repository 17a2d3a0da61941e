"""One question to a prompt version, as a suite of one case: what the fixture ``prompt_eval`` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import canonical, case_digest, digest
from pytest_promptgate.core.types import BoundScorer, Case, Direction, MetricSpec, Score, Suite
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.prompts import find_prompt
from pytest_promptgate.files.source import Document
from pytest_promptgate.files.suite_models import read_slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Completion, Json, PromptVersion
    from pytest_promptgate.errors import Place
    from pytest_promptgate.files.suite_context import SuiteContext

NAME = "_prompt_eval"  # no suite of a user's can have it
ANSWERED = "answered"


def read_question(
    reference: str, inputs: Mapping[str, Json], model: Json, *, where: Place, context: SuiteContext
) -> Suite:
    """The suite whose only case is the question. Its scorer says that there is an answer.

    Args:
        reference: ``name`` or ``name@version``.
        inputs: By template variable; JSON values.
        model: As in a suite file; None: the prompt's own.
        where: The line that asks.
        context: What it may refer to.

    Raises:
        PromptGateError: There is no such prompt, its model is no pin, or the inputs are not its inputs.
    """
    prompt = find_prompt(context.root, context.prompts, reference, where=where)
    faults: list[PromptGateError] = []
    value: dict[str, Json] = {} if model is None else {"model": model}
    root = Node(
        value=value, route=(), document=Document(value=None, places={(): where}), faults=faults, error=SuiteError
    )
    slots = read_slots(root, prompt, context.providers)
    _check_inputs(root, prompt, inputs)
    raise_faults(faults, file=where.file)
    (pin,) = slots.values()
    asked = digest((prompt.digest, str(pin), pin.parameters, inputs))
    case = Case(
        id=f"{prompt.label}-{asked[:12]}",
        inputs=inputs,
        expected=None,
        has_expected=False,
        tags=(),
        digest=case_digest(inputs, None, has_expected=False),
        place=where,
    )
    return Suite(
        name=NAME,
        path=where.file,
        prompt=prompt,
        slots=slots,
        cases=(case,),
        inputs={},
        constants={},
        samples=1,
        scorers=(BoundScorer(name=ANSWERED, kind=ANSWERED, scorer=_answered, fingerprint="", place=where),),
        metrics=(
            MetricSpec(name=ANSWERED, aggregate="mean", source=ANSWERED, direction=Direction.HIGHER, place=where),
        ),
        rule="strict",
        gates={},
    )


def _check_inputs(root: Node, prompt: PromptVersion, inputs: Mapping[str, Json]) -> None:
    known = [each.name for each in prompt.inputs]
    for name in inputs:
        if name not in known:
            root.fault(f"{name!r} is no input of {prompt.title}", did_you_mean(name, known, label="Inputs"))
    for each in prompt.inputs:
        if each.required and each.name not in inputs:
            root.fault(f"the input {each.name!r} of {prompt.title} is missing", f'Write {{"{each.name}": VALUE}}.')
    try:
        canonical(inputs)
    except (TypeError, ValueError) as fault:
        root.fault(f"the inputs are no JSON values: {fault}", "Hand over texts, numbers, lists and mappings.")


def _answered(completion: Completion, case: Case) -> Score:  # noqa: ARG001 a scorer's arguments
    return Score(value=1.0)
