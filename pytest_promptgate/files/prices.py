"""``prices:`` of promptgate.yaml: USD per million tokens, by provider/model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import Price
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.files.deprecations import KEY

if TYPE_CHECKING:
    from pytest_promptgate.files.node import Node

_PRICE_KEYS = frozenset({"input", "output", "cached", KEY})


def read_prices(node: Node | None, providers: Collection[str]) -> dict[str, Price]:
    """The prices, of models of known `providers`. Faults are noted."""
    found: dict[str, Price] = {}
    for model, entry in node.pairs() if node else []:
        provider, slash, _ = model.partition("/")
        if not slash or provider not in providers:
            entry.fault(
                f"the price of {model!r} names no known provider",
                "Write provider/model. " + did_you_mean(provider, providers, label="Providers"),
            )
        entry.keys(_PRICE_KEYS)
        if isinstance(entry.value, Mapping) and entry.value.keys() == {KEY}:
            continue
        amounts = {key: _amount(entry, key) for key in ("input", "output", "cached")}
        if amounts["input"] is not None and amounts["output"] is not None:
            found[model] = Price(input=amounts["input"], output=amounts["output"], cached=amounts["cached"])
    return found


def _amount(entry: Node, key: str) -> float | None:
    node = entry.get(key)
    if node:
        return node.number("USD per million tokens, a number >= 0", low=0)
    if key != "cached" and isinstance(entry.value, Mapping):
        entry.fault(f"{entry.name} lacks {key!r}", "Prices are USD per million tokens: {input: 2.5, output: 10}.")
    return None
