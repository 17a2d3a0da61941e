"""``model:`` of a suite: slots and their pins (DECISIONS 23)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.parameters import canonical_parameters
from pytest_promptgate.core.pins import check_pin, parse_model
from pytest_promptgate.core.types import ModelPin
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PinError

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Json, PromptVersion
    from pytest_promptgate.errors import Place
    from pytest_promptgate.files.node import Node

DEFAULT_SLOT = "default"
RESERVED = frozenset({"id", "pinned", "parameters"})

_SLOT = re.compile(r"[^\W_][\w.-]*\Z")


def read_slots(root: Node, prompt: PromptVersion | None, providers: Mapping[str, ProviderSpec]) -> dict[str, ModelPin]:
    """The pins by slot; the prompt's own pin if the suite names none. Faults are noted."""
    node = root.get("model")
    if root.get("target") is not None:
        if node is not None:
            node.fault("a target has no model: it asks whatever it likes", "Hand it over: `constants: {model: ...}`.")
        return {DEFAULT_SLOT: prompt.pin} if prompt and prompt.pin else {}
    if node is None:
        return _of_prompt(root, prompt, providers)
    if isinstance(node.value, Mapping) and not RESERVED & node.value.keys():
        return _of_slots(node, providers)
    pin = read_pin(node, providers)
    return {DEFAULT_SLOT: pin} if pin else {}


def _of_prompt(root: Node, prompt: PromptVersion | None, providers: Mapping[str, ProviderSpec]) -> dict[str, ModelPin]:
    if prompt is None:
        return {}
    node = root.get("prompt") or root
    if prompt.pin is None:
        node.fault(f"neither the suite nor prompt {prompt.label} names a model", "Add `model: provider/id`.")
        return {}
    pin = checked_pin(prompt.pin, node, providers)
    return {DEFAULT_SLOT: pin} if pin else {}


def _of_slots(node: Node, providers: Mapping[str, ProviderSpec]) -> dict[str, ModelPin]:
    found: dict[str, ModelPin] = {}
    if not node.value:
        node.fault("model names no model", "Write `model: provider/id`.")
    for slot, below in node.pairs():
        if not _SLOT.match(slot):
            below.fault(f"{slot!r} is no name for a slot", "Use letters, digits, '.', '_' and '-'.")
        elif pin := read_pin(below, providers):
            found[slot] = pin
    return found


def read_pin(node: Node, providers: Mapping[str, ProviderSpec]) -> ModelPin | None:
    """The pin that a text or ``{id, pinned, parameters}`` names, or None after noting a fault."""
    vouched, parameters, model = False, dict[str, "Json"](), node
    if isinstance(node.value, Mapping):
        node.keys(RESERVED)
        pinned, named = node.get("pinned"), node.get("id")
        vouched = bool(pinned and pinned.flag())
        parameters = _parameters(node.get("parameters"))
        if named is None:
            node.fault(f"{node.name} lacks 'id'", "Write {id: provider/id}.")
            return None
        model = named
    text = model.text("a model, written provider/id")
    if text is None:
        return None
    provider, name = parse_model(text.strip())
    return checked_pin(ModelPin(provider=provider, name=name, parameters=parameters, vouched=vouched), model, providers)


def checked_pin(pin: ModelPin, node: Node, providers: Mapping[str, ProviderSpec]) -> ModelPin | None:
    """`pin` with the word that promptgate.yaml gives for it, or None after noting at `node` why it is none."""
    try:
        return known_pin(pin, providers, where=node.place)
    except PinError as fault:
        node.note(fault)
        return None


def known_pin(pin: ModelPin, providers: Mapping[str, ProviderSpec], *, where: Place | str) -> ModelPin:
    """`pin` with the word that its provider's entry gives for it.

    Args:
        pin: As it was written.
        providers: Those of the project.
        where: It was written.

    Raises:
        PinError: There is no such provider or deployment, or the pin is no fixed snapshot.
    """
    provider = providers.get(pin.provider)
    if provider is None:
        known = did_you_mean(pin.provider, providers, label="Providers")
        more = "Others stand under `providers:` in promptgate.yaml; a model of OpenAI's needs no prefix."
        what = f"unknown provider {pin.provider!r} of model {str(pin)!r}"
        raise PinError(where, what, hint=f"{known}\n{more}")
    if provider.deployments and pin.name not in provider.deployments:
        hint = did_you_mean(pin.name, provider.deployments, label="Deployed")
        raise PinError(where, f"provider {pin.provider!r} has no deployment of {pin.name!r}", hint=hint)
    if provider.models.get(pin.name, {}).get("pinned"):
        pin = replace(pin, vouched=True)
    check_pin(pin, family=provider.family, where=where)
    return pin


def _parameters(node: Node | None) -> dict[str, Json]:
    if node is None:
        return {}
    found, faults = canonical_parameters({key: below.value for key, below in node.pairs()})
    for fault in faults:
        (node.get(fault.name) or node).fault(fault.what, fault.hint)
    return found
