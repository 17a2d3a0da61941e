"""Listed prices, from the data that the package `genai-prices` carries; the only place that knows it."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_promptgate.core.ports import Price
from pytest_promptgate.models.endpoints import address_of, shown_url

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec

_TOKENS = 1000  # few enough for the first tier of models that charge more for long prompts
_MILLION = 1_000_000


def listed_price(spec: ProviderSpec, model: str) -> Price | None:
    """What `model` costs where `spec` sends its requests; None without the package, or if it does not know.

    The address decides, not the provider's name: a proxy or a local server does not cost what OpenAI does.
    """
    if importlib.util.find_spec("genai_prices") is None:
        return None
    if spec.kind == "azure":
        return _listed("azure", "", model)
    address = shown_url(address_of(spec))
    # No list holds such an address, and to load the list takes longer than many a run.
    return None if _is_local(address) else _listed("", address, model)


def _is_local(address: str) -> bool:
    """Whether `address` is of this machine or given as a number."""
    host = urlsplit(address).hostname or ""
    return host == "localhost" or ":" in host or host.replace(".", "").isdigit()


@cache
def _listed(provider: str, address: str, model: str) -> Price | None:
    if not provider and not address:
        return None
    usual, cached = _cost(provider, address, model, cached=0), _cost(provider, address, model, cached=_TOKENS)
    if usual is None:
        return None
    return Price(input=usual[0], output=usual[1], cached=None if cached is None else cached[0])


def _cost(provider: str, address: str, model: str, *, cached: int) -> tuple[float, float] | None:
    """USD per million tokens in and out."""
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=_TOKENS, output_tokens=_TOKENS, cache_read_tokens=cached or None)
    try:
        if provider:
            found = calc_price(usage, model, provider_id=provider)
        else:
            found = calc_price(usage, model, provider_api_url=address)
    except (LookupError, ValueError):
        return None
    factor = _MILLION // _TOKENS
    return float(found.input_price * factor), float(found.output_price * factor)
