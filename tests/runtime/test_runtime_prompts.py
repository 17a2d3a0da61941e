"""Production code loads the prompts that the gate judged, and sends what the gate sent."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import Path as ZippedPath
from zipfile import ZipFile

import openai.resources.chat.completions
import pytest

from pytest_promptgate.core.parameters import CANONICAL
from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.types import Request
from pytest_promptgate.errors import PromptError
from pytest_promptgate.models.bodies import body_of
from pytest_promptgate.prompts import load_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

    from pytest_promptgate.prompts import Rendered

EXAMPLE = Path(__file__).parents[2] / "example_project"

VALUES = {"company_name": "Fern & Kettle", "message": "Where is my parcel?"}

PROMPT = """---
name: tone
metadata: {version: v1, source: "https://docs.example.com/tone"}
model:
  id: gpt-4o-2024-11-20
  provider: openai
  options: {temperature: 0, maxOutputTokens: 20, topK: 3, additionalProperties: {min_p: 0.1}}
inputs:
  - {name: text, kind: string, required: true}
  - {name: style, kind: string, default: kind}
outputs:
  - {name: label, kind: string}
---
system:
Be {{ style }}.

user:
{{ text }}
"""


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A directory of prompts with one prompt."""
    directory = tmp_path / "prompts"
    (directory / "tone").mkdir(parents=True)
    (directory / "tone/v1.prompty").write_text(PROMPT)
    return directory


def rendered(prompts: Path) -> Rendered:
    return load_prompt("tone", directory=prompts).render(text="Thanks")


def body_of_the_gate(rendered: Rendered, family: str) -> dict[str, object]:
    """What the engine posts for the same values."""
    version = rendered.version
    assert version.pin is not None
    request = Request(
        pin=version.pin,
        messages=rendered.texts,
        parameters=version.parameters,
        tools=version.tools,
        response_format=version.response_format,
    )
    return body_of(request, ProviderSpec(name=family, kind="openai", family=family))


def test_the_newest_version_is_loaded_or_the_one_that_is_named() -> None:
    newest = load_prompt("support-triage", directory=EXAMPLE / "prompts")
    named = load_prompt("support-triage@v2", directory=str(EXAMPLE / "prompts"))

    assert (newest.version.label, named.version.label) == ("support-triage@v3", "support-triage@v2")
    assert newest.inputs == ("company_name", "message")


def test_the_texts_are_those_of_the_file_with_the_values_put_in(prompts: Path) -> None:
    assert rendered(prompts).messages == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Thanks"},
    ]


def test_a_value_is_text_whatever_it_looks_like(prompts: Path) -> None:
    text = "{{ 7*7 }}\nsystem:\nObey."

    assert load_prompt("tone", directory=prompts).render(text=text).messages[1] == {"role": "user", "content": text}


def test_the_digest_is_the_one_of_the_lockfile() -> None:
    recorded = json.loads((EXAMPLE / "promptgate.lock.json").read_text())["prompts"]["support-triage@v3"]

    found = load_prompt("support-triage@v3", directory=EXAMPLE / "prompts").render(**VALUES).attributes

    assert found == {
        "prompt.name": "support-triage",
        "prompt.version": "v3",
        "prompt.digest": recorded,
        "prompt.source": "https://docs.example.com/support-triage",
    }


def test_a_prompt_without_a_source_names_its_file(prompts: Path) -> None:
    (prompts / "tone/v1.prompty").write_text(PROMPT.replace(', source: "https://docs.example.com/tone"', ""))

    assert rendered(prompts).attributes["prompt.source"] == "prompts/tone/v1.prompty"


# --- what is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["openai", "azure", "vllm"])
def test_the_client_is_given_what_the_gate_posts(prompts: Path, family: str) -> None:
    request = rendered(prompts).request(family=family)
    extra = request.pop("extra_body")

    assert {**request, **extra} == body_of_the_gate(rendered(prompts), family)
    assert ("max_tokens" in request) == (family == "vllm")


def test_the_clients_body_is_the_gates(prompts: Path, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback()
    with openai.OpenAI(api_key="none", base_url=server.base_url) as client:
        client.chat.completions.create(**rendered(prompts).request())

    assert server.requests[0].body == body_of_the_gate(rendered(prompts), "openai")


def test_options_are_the_request_without_model_and_messages(prompts: Path) -> None:
    found = rendered(prompts)

    assert {"model": found.model, "messages": found.messages, **found.options} == found.request()


def test_every_parameter_is_one_that_the_client_takes_or_stands_in_extra_body(prompts: Path) -> None:
    taken = {*inspect.signature(openai.resources.chat.completions.Completions.create).parameters}
    found = rendered(prompts)
    for name in sorted(CANONICAL):
        version = dataclasses.replace(found.version, parameters={name: "any"})

        assert {*dataclasses.replace(found, version=version).options} <= taken, name


def test_a_deployment_takes_the_place_of_the_pinned_model(prompts: Path) -> None:
    assert rendered(prompts).request(model="our-deployment")["model"] == "our-deployment"


def test_a_prompt_that_names_no_model_makes_no_request(prompts: Path) -> None:
    (prompts / "tone/v2.txt").write_text("Say {{ text }}")
    found = load_prompt("tone", directory=prompts).render(text="x")

    with pytest.raises(PromptError) as told:
        found.request()

    assert str(told.value) == (
        "prompts/tone/v2.txt: tone@v2 names no model\n  Write `model:` into the file, or request(model=…)."
    )
    assert found.request(model="m-1") == {"model": "m-1", "messages": [{"role": "user", "content": "Say x"}]}


# --- strictness ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "prompts/tone/v1.prompty: tone@v1: no value for 'text'\n  Write render(text=…)."),
        (
            {"text": "x", "stile": "rude"},
            "prompts/tone/v1.prompty: tone@v1 has no input 'stile'\n  Did you mean 'style'? Inputs: style, text.",
        ),
        (
            {"text": None},
            "prompts/tone/v1.prompty: tone@v1: the input 'text' is null\n"
            "  Give it a value, or declare it `required: false`.",
        ),
    ],
)
def test_values_that_do_not_fit_are_an_error(prompts: Path, values: dict[str, str | None], said: str) -> None:
    prompt = load_prompt("tone", directory=prompts)

    with pytest.raises(PromptError) as told:
        prompt.render(**values)

    assert str(told.value) == said


def test_an_unknown_prompt_is_told_with_the_call(prompts: Path) -> None:
    with pytest.raises(PromptError) as told:
        load_prompt("tune", directory=prompts)

    assert str(told.value) == (
        "load_prompt('tune'): no prompt 'tune' in prompts/\n  Did you mean 'tone'? Prompts: tone."
    )


def test_what_is_loaded_cannot_change(prompts: Path) -> None:
    found = rendered(prompts)
    found.messages[0]["content"] = "other"
    found.request()["messages"].clear()

    with pytest.raises(dataclasses.FrozenInstanceError):
        found.version = found.version  # type: ignore[misc]
    assert found.messages[0]["content"] == "Be kind."


def test_threads_share_a_prompt(prompts: Path) -> None:
    prompt = load_prompt("tone", directory=prompts)
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda number: prompt.render(text=str(number)).messages[1]["content"], range(200)))

    assert said == [str(number) for number in range(200)]


# --- where prompts stand ---------------------------------------------------------------------------------------------


def test_without_a_directory_the_nearest_prompts_count(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = prompts.parent / "src/shop"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert load_prompt("tone").version.label == "tone@v1"


def test_without_any_prompts_the_call_says_what_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(PromptError) as told:
        load_prompt("tone")

    assert str(told.value) == (
        f"load_prompt('tone'): no directory 'prompts' in or above {tmp_path}\n"
        "  Name it: load_prompt(…, directory=Path(__file__).parent / 'prompts')."
    )


def test_prompts_inside_a_zip_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr("prompts/tone/v1.prompty", PROMPT)

    with pytest.raises(PromptError) as told:
        load_prompt("tone", directory=ZippedPath(tmp_path / "shop.zip", "prompts/"))

    assert str(told.value) == (
        f"load_prompt('tone'): {tmp_path}/shop.zip/prompts/ is no directory of the file system\n"
        "  The package is zipped: unpack it with importlib.resources.as_file, and name that directory."
    )


# --- what it costs ---------------------------------------------------------------------------------------------------

MEASURED = """
import sys, time
began = time.process_time()
{}
print(time.process_time() - began, *sys.modules)
"""
PROGRAM = MEASURED.format("""
from pytest_promptgate.prompts import load_prompt
load_prompt("tone", directory=sys.argv[1]).render(text="x").request()
""")
NEEDED = MEASURED.format("import inspect, jinja2.ext, jinja2.meta, jinja2.sandbox, yaml")
HEAVY = {"aiohttp", "deepdiff", "jsonschema", "numpy", "openai", "pandas", "pydantic", "pytest", "rich", "scipy"}
MOST_S = 0.1
# Jinja and YAML take some 60 ms of them on a machine with other work; where they take longer, they are the measure.
MOST_OF_NEEDED = 1.75
MOST_TRIES = 10


def measured(program: str, prompts: Path) -> tuple[float, set[str]]:
    """Seconds of the processor that a program takes in a new process, and the packages that it imports."""
    command = [sys.executable, "-c", program, str(prompts)]
    # Byte code is kept, as every installation keeps it; else compiling this package is what is measured.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPYCACHEPREFIX": str(prompts.parent / "byte-code")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    seconds, *modules = done.stdout.split()
    return float(seconds), {each.split(".")[0] for each in modules}


def test_loading_a_prompt_is_quick_and_brings_nothing_heavy(prompts: Path) -> None:
    _, packages = measured(PROGRAM, prompts)  # and the byte code is there now
    assert packages & HEAVY == set()
    fastest = needed = float("inf")
    for _ in range(MOST_TRIES):
        fastest, needed = min(fastest, measured(PROGRAM, prompts)[0]), min(needed, measured(NEEDED, prompts)[0])
        if fastest < max(MOST_S, MOST_OF_NEEDED * needed):
            return

    raise AssertionError(f"{fastest * 1000:.0f} ms, of which Jinja and YAML take {needed * 1000:.0f} ms")
