"""Listed prices, and who wins over them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest

from pytest_promptgate.core.ports import Price, ProviderSpec
from pytest_promptgate.core.types import ModelPin
from pytest_promptgate.files.config import BUILT_IN, ProjectConfig
from pytest_promptgate.models.prices import listed_price
from pytest_promptgate.wiring import price_of

LISTED = importlib.util.find_spec("genai_prices") is not None
needs_data = pytest.mark.skipif(not LISTED, reason="the extra `prices` is not installed")
OPENAI = replace(BUILT_IN["openai"], base_url_env="")
AZURE = ProviderSpec(name="eu", kind="azure", family="azure", base_url="https://eu.openai.azure.com")
LOCAL = ProviderSpec(name="local", kind="openai", family="openai", base_url="http://127.0.0.1:8000/v1")
MODEL = "gpt-4o-2024-11-20"


def price(name: str, prices: dict[str, Price] | None = None, model: str = MODEL) -> Price | None:
    providers = {"openai": OPENAI, "eu": AZURE, "local": LOCAL, "embedded": BUILT_IN["embedded"]}
    return price_of(ModelPin(provider=name, name=model), ProjectConfig(providers=providers, prices=prices or {}))


@needs_data
@pytest.mark.parametrize("spec", [OPENAI, AZURE])
def test_the_list_knows_the_usual_models(spec: ProviderSpec) -> None:
    assert listed_price(spec, MODEL) == Price(input=2.5, output=10.0, cached=1.25)


def test_a_local_server_does_not_cost_what_openai_does() -> None:
    assert price("local") is None


@pytest.mark.parametrize("name", ["openai", "eu"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price(name, model="no-such-model-9") is None


def test_what_promptgate_yaml_says_wins() -> None:
    own = Price(input=1.0, output=2.0)

    assert price("openai", {f"openai/{MODEL}": own}) == own
    assert price("embedded", {f"embedded/{MODEL}": own}) == own
    assert price("nobody") is None


def test_the_embedded_model_is_free() -> None:
    assert price("embedded") == Price(input=0.0, output=0.0)
