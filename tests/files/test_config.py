"""promptgate.yaml."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.ports import Price, ProviderSpec
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.config import BUILT_IN, ProjectConfig, load_config

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("openai", "azure", "embedded")
DESIGN = """\
providers:
  anthropic: {base_url: "https://api.anthropic.com/v1/", api_key_env: ANTHROPIC_API_KEY, family: anthropic}
  local:     {base_url: "http://127.0.0.1:8000/v1", family: vllm, models: {llama-3.1-8b: {pinned: true}}}
  azure-eu:  {kind: azure, endpoint_env: AZURE_OPENAI_ENDPOINT, api_key_env: AZURE_OPENAI_API_KEY,
              deployments: {gpt-4o-2024-11-20: my-gpt4o}}
prices:
  local/llama-3.1-8b: {input: 0, output: 0.5, cached: 0.25}
"""


def load(tmp_path: Path, text: str) -> ProjectConfig:
    path = tmp_path / "promptgate.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, kinds=KINDS)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(PromptGateError) as caught:
        load(tmp_path, text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n"])
def test_an_empty_file_means_the_built_in_providers(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == ProjectConfig(providers=BUILT_IN, prices={})


def test_no_file_means_the_built_in_providers(tmp_path: Path) -> None:
    config = load_config(tmp_path / "promptgate.yaml", kinds=KINDS)

    assert config == ProjectConfig(providers=BUILT_IN, prices={})
    assert config.providers["openai"] == ProviderSpec(
        name="openai", kind="openai", family="openai", base_url_env="OPENAI_BASE_URL", api_key_env="OPENAI_API_KEY"
    )
    assert config.providers["embedded"] == ProviderSpec(name="embedded", kind="embedded", family="embedded")


def test_providers_and_prices_are_read(tmp_path: Path) -> None:
    config = load(tmp_path, DESIGN)

    assert config.providers == {
        **BUILT_IN,
        "anthropic": ProviderSpec(
            name="anthropic",
            kind="openai",
            family="anthropic",
            base_url="https://api.anthropic.com/v1/",
            api_key_env="ANTHROPIC_API_KEY",
        ),
        "local": ProviderSpec(
            name="local",
            kind="openai",
            family="vllm",
            base_url="http://127.0.0.1:8000/v1",
            models={"llama-3.1-8b": {"pinned": True}},
        ),
        "azure-eu": ProviderSpec(
            name="azure-eu",
            kind="azure",
            family="azure",
            base_url_env="AZURE_OPENAI_ENDPOINT",
            api_key_env="AZURE_OPENAI_API_KEY",
            deployments={"gpt-4o-2024-11-20": "my-gpt4o"},
        ),
    }
    assert config.prices == {"local/llama-3.1-8b": Price(input=0, output=0.5, cached=0.25)}


def test_deprecation_dates_come_from_a_table_and_from_the_entries_of_prices(tmp_path: Path) -> None:
    entries = {
        "gpt-4-0613": {"deprecation_date": "2025-06-06", "input_cost_per_token": 0.00003},
        "gpt-4o-2024-11-20": {"deprecation_date": "2026-12-01"},
        "no-date": {},
        "odd": {"deprecation_date": "soon"},
        "sample_spec": "no entry",
    }
    (tmp_path / "litellm.json").write_text(json.dumps(entries), encoding="utf-8")

    config = load(
        tmp_path,
        "model_data: litellm.json\n"
        "prices:\n"
        "  openai/gpt-4o-2024-11-20: {deprecation_date: 2027-01-31}\n"
        "  openai/m: {input: 1, output: 2, deprecation_date: '2028-02-29'}\n",
    )

    assert config.deprecations == {
        "gpt-4-0613": "2025-06-06",
        "gpt-4o-2024-11-20": "2026-12-01",
        "openai/gpt-4o-2024-11-20": "2027-01-31",
        "openai/m": "2028-02-29",
    }
    assert config.prices == {"openai/m": Price(input=1, output=2)}


def test_a_table_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")

    assert refusal(tmp_path, "model_data: list.json") == (
        "list.json: it is no table of models\n"
        "  It is LiteLLM's model_prices_and_context_window.json: {model: {deprecation_date: …}}."
    )


def test_limits_and_headers_are_read(tmp_path: Path) -> None:
    entry = (
        'a: {base_url: "http://h/v1", headers: {X-Team: support, Authorization: "Bearer ${TOKEN}"}, '
        "requests_per_minute: 60, tokens_per_minute: 9000, timeout_s: 7.5, retry_for_s: 0, hedge: true, "
        "api_version: 2024-10-21, structured_outputs: false}"
    )

    assert load(tmp_path, f"providers:\n  {entry}\n").providers["a"] == ProviderSpec(
        name="a",
        kind="openai",
        family="a",
        base_url="http://h/v1",
        headers={"X-Team": "support", "Authorization": "Bearer ${TOKEN}"},
        requests_per_minute=60,
        tokens_per_minute=9000,
        timeout_s=7.5,
        retry_for_s=0.0,
        hedge=True,
        api_version="2024-10-21",
        structured_outputs=False,
    )


def test_an_entry_for_a_built_in_provider_changes_only_what_it_says(tmp_path: Path) -> None:
    slow = load(tmp_path, "providers: {openai: {timeout_s: 300}}").providers["openai"]
    proxied = load(tmp_path, 'providers: {openai: {base_url: "http://proxy/v1"}}').providers["openai"]

    assert (slow.timeout_s, slow.base_url_env, slow.api_key_env) == (300, "OPENAI_BASE_URL", "OPENAI_API_KEY")
    assert (proxied.base_url, proxied.base_url_env, proxied.api_key_env) == ("http://proxy/v1", "", "OPENAI_API_KEY")


@pytest.mark.parametrize("key", ["api_key", "API_KEY", "token", "secret", "password", "authorization", "key"])
def test_a_literal_key_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    told = refusal(tmp_path, f'providers:\n  my.eu:\n    base_url: "http://h/v1"\n    {key}: sk-abc123\n')

    assert told == (
        f"promptgate.yaml:4:5: {key!r} of provider 'my.eu' puts a secret into a file\n"
        "  Keep it in an environment variable and name that: `api_key_env: MY_EU_API_KEY`.\n"
        "  Revoke it if shared."
    )


URL = 'base_url: "http://h/v1"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "promptgate.yaml:1:1: this file must be a mapping, not a list"),
        ("provider: {}",
         ("promptgate.yaml:1:1: unknown key 'provider' in this file\n"
         "  Did you mean 'providers'? Known keys: judges, model_data, prices, providers.")),
        ("judges: {uncalibrated: ignore}",
         "promptgate.yaml:1:10: judges.uncalibrated must be warn or error, not text"),
        ("judges: {calibrated: error}",
         ("promptgate.yaml:1:10: unknown key 'calibrated' in judges\n"
         "  Did you mean 'uncalibrated'? Known keys: uncalibrated.")),
        ("providers: [a]", "promptgate.yaml:1:1: providers must be a mapping, not a list"),
        ("providers: {a: sk-abc}", "promptgate.yaml:1:13: providers.a must be a mapping, not text"),
        ("providers: {a: {}}",
         ("promptgate.yaml:1:13: provider 'a' has no address\n"
         '  Add `base_url`, such as "http://127.0.0.1:8000/v1", or `base_url_env`.')),
        ("providers: {a: {kind: azure}}",
         ("promptgate.yaml:1:13: provider 'a' has no address\n"
         "  Add `endpoint_env`, the name of the variable that holds it, or `endpoint`.")),
        (f"providers: {{a: {{{URL}, base_url_env: A}}}}",
         ("promptgate.yaml:1:13: provider 'a' has two addresses\n"
         "  Keep one: the address, or the variable that holds it.")),
        (f'providers: {{a: {{{URL}, endpoint: "http://h"}}}}',
         "promptgate.yaml:1:42: 'endpoint' is another word for 'base_url', which is given too\n  Keep one."),
        (f"providers: {{a: {{{URL}, familly: vllm}}}}",
         ("promptgate.yaml:1:42: unknown key 'familly' in providers.a\n"
         "  Did you mean 'family'? Known keys: api_key_env, api_version, base_url, base_url_env, deployments, "
         "endpoint, endpoint_env, family, headers, hedge, kind, models, requests_per_minute, retry_for_s, "
         "structured_outputs, timeout_s, tokens_per_minute.")),
        (f"providers: {{a: {{{URL}, kind: opneai}}}}",
         "promptgate.yaml:1:42: unknown kind 'opneai'\n  Did you mean 'openai'? Kinds: azure, embedded, openai."),
        (f"providers: {{a: {{{URL}, family: antropic}}}}",
         ("promptgate.yaml:1:42: unknown family 'antropic'\n"
         "  Did you mean 'anthropic'? Families: anthropic, azure, bedrock, cerebras, cohere, dashscope, deepseek, "
         "embedded, fireworks, gateway, gemini, groq, hf, litellm, llamacpp, lmstudio, mistral, ollama, openai, "
         "openrouter, replicate, sglang, together, vertex, vllm, xai.")),
        ('providers: {a: {base_url: "https://user:pass@h/v1"}}',
         ("promptgate.yaml:1:17: providers.a.base_url is no plain http(s) address\n"
         '  Write it like "https://api.example.com/v1", without user, password, query or spaces.')),
        ("providers: {a: {base_url: h/v1}}",
         ("promptgate.yaml:1:17: providers.a.base_url is no plain http(s) address\n"
         '  Write it like "https://api.example.com/v1", without user, password, query or spaces.')),
        (f"providers: {{a: {{{URL}, api_key_env: sk-abc}}}}",
         ("promptgate.yaml:1:42: providers.a.api_key_env is no name of an environment variable\n"
         "  Write the variable's name, such as OPENAI_API_KEY, never the secret itself.")),
        (f"providers: {{a: {{{URL}, headers: {{X-Api-Key: sk-abc}}}}}}",
         ("promptgate.yaml:1:52: the header 'X-Api-Key' holds a secret\n"
         "  Write ${NAME}: it is taken from that environment variable.")),
        (f"providers: {{a: {{{URL}, headers: sk-abc}}}}",
         "promptgate.yaml:1:42: providers.a.headers must be a mapping, not text"),
        (f"providers: {{a: {{{URL}, headers: {{X: 1}}}}}}",
         "promptgate.yaml:1:52: providers.a.headers.X must be text, not 1"),
        (f"providers: {{a: {{{URL}, retry_for_s: 600}}}}",
         "promptgate.yaml:1:42: providers.a.retry_for_s must be seconds, a number from 0 to 120, not 600"),
        (f"providers: {{a: {{{URL}, timeout_s: 0}}}}",
         "promptgate.yaml:1:42: providers.a.timeout_s must be seconds, a number >= 1, not 0"),
        (f"providers: {{a: {{{URL}, requests_per_minute: 0.5}}}}",
         "promptgate.yaml:1:42: providers.a.requests_per_minute must be a whole number >= 1, not 0.5"),
        (f"providers: {{a: {{{URL}, hedge: yes}}}}",
         "promptgate.yaml:1:42: providers.a.hedge must be true or false, not text"),
        (f"providers: {{a: {{{URL}, models: {{m: {{pined: true}}}}}}}}",
         ("promptgate.yaml:1:55: unknown key 'pined' in providers.a.models.m\n"
         "  Did you mean 'pinned'? Known keys: pinned.")),
        (f"providers: {{a/b: {{{URL}}}}}",
         ("promptgate.yaml:1:13: 'a/b' is no name for a provider\n"
         "  Use letters, digits, '.', '_' and '-', but no '/'.")),
        ("prices: {opnai/m: {input: 1, output: 1}}",
         ("promptgate.yaml:1:10: the price of 'opnai/m' names no known provider\n"
         "  Write provider/model. Did you mean 'openai'? Providers: embedded, openai, target.")),
        ("prices: {m: {input: 1, output: 1}}",
         ("promptgate.yaml:1:10: the price of 'm' names no known provider\n"
         "  Write provider/model. Providers: embedded, openai, target.")),
        ("prices: {openai/m: {input: -1}}",
         ("promptgate.yaml:1:10: prices.openai/m lacks 'output'\n"
         "  Prices are USD per million tokens: {input: 2.5, output: 10}.\n"
         "promptgate.yaml:1:21: prices.openai/m.input must be USD per million tokens, a number >= 0, not -1")),
        ("providers: {target: {base_url: 'http://127.0.0.1:1/v1'}}",
         ("promptgate.yaml:1:13: 'target' is no name for a provider\n"
         "  It stands for the targets of suites.")),
        ("prices: {openai/m: 1}", "promptgate.yaml:1:10: prices.openai/m must be a mapping, not 1"),
        ("prices: {openai/m: {deprecation_date: 2026-02-30}}",
         "promptgate.yaml:1:21: prices.openai/m.deprecation_date must be a day, such as 2026-01-31, not text"),
        ("model_data: none.json", "none.json: no such file\n  Files there: promptgate.yaml."),
        ("model_data: promptgate.yaml",
         ("promptgate.yaml: it is no JSON\n"
         "  It is LiteLLM's model_prices_and_context_window.json: {model: {deprecation_date: …}}.")),
        ("providers:\n  a: {x: 1",
         "promptgate.yaml:3:1: not valid YAML: did not find expected ',' or '}'\n"
         "  Look here and on the lines before: a bracket or a quote that is not closed, or an indent that is off."),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_this_text(tmp_path: Path, text: str, told: str) -> None:
    assert refusal(tmp_path, text) == told


@pytest.mark.parametrize(
    ("text", "needed"),
    [("judges: {uncalibrated: error}", True), ("judges: {uncalibrated: warn}", False), ("judges: {}", False)],
)
def test_a_project_may_need_calibrated_judges(tmp_path: Path, text: str, needed: bool) -> None:
    (tmp_path / "promptgate.yaml").write_text(text, encoding="utf-8")

    assert load_config(tmp_path / "promptgate.yaml", kinds=["openai"]).needs_calibration is needed
