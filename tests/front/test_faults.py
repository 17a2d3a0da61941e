"""What a disk, a clock or a server can do to a run: it says so, is red, and loses nothing."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from front_project import QUIET_PLUGINS, RIGHT, ROWS, Project, asked, lines_of, section
from loopback.answers import Answer
from loopback.faults import HUNG, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

STORE = ".promptgate/responses/triage.jsonl"
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


def run_limited(project: Project, limit: Callable[[], None], *args: str) -> subprocess.CompletedProcess[str]:
    """``pytest --prompt-evals`` in a process that `limit` has prepared."""
    command = [sys.executable, "-m", "pytest", *QUIET_PLUGINS, "-p", "no:cacheprovider", "--prompt-evals", *args]
    return subprocess.run(
        command,
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=limit,
        env={name: value for name, value in os.environ.items() if name != "CI"},
    )


# --- the disk --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_disk_is_told_once_and_what_was_stored_is_not_asked_again(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    import resource

    server = loopback(answers=RIGHT)
    project.served(server.base_url)

    full = run_limited(
        project,
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        "-o",
        "promptgate_max_connections=1",
    )

    assert full.returncode == 1, full.stdout
    told = f"""\
{project.root}/{STORE}: the response store cannot be written: File too large
  What was stored so far is kept, and will not be asked again. Make room or mend the permissions, then run again.
"""
    assert full.stdout.count(told) >= 1
    first = server.count
    assert 1 < first < 10  # what could not be stored is not paid for
    again = project.evals()
    assert asked(again)[0].startswith(f"10 cases: 0 unchanged, {first - 1} from the store, {11 - first} asked")
    assert again.ret == 0
    assert project.evals().ret == 0
    assert server.count == 11


@pytest.mark.skipif(sys.platform != "linux", reason="root can be kept out on Linux only")
def test_a_read_only_directory_is_told_before_much_is_paid(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    (project.root / ".promptgate/responses").mkdir(parents=True)
    (project.root / ".promptgate/responses").chmod(0o555)
    libc = ctypes.CDLL(None)

    result = run_limited(
        project,
        lambda: libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0),  # even root now heeds permissions
        "-o",
        "promptgate_max_connections=1",
    )
    (project.root / ".promptgate/responses").chmod(0o755)

    assert result.returncode == 1, result.stdout
    assert f"{project.root}/{STORE}: the response store cannot be written: Permission denied" in (
        result.stdout.splitlines()
    )
    assert server.count == 1
    assert project.evals().ret == 0


def test_a_read_only_store_that_holds_everything_serves(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).evals()
    (project.root / STORE).chmod(0o444)

    result = project.evals()

    assert result.ret == 0
    assert asked(result) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]


# --- the server ------------------------------------------------------------------------------------------------------


def test_a_server_that_hangs_for_ever_is_told_and_the_others_answers_are_kept(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    silent = "where is the courier with my parcel"

    def faults(_number: int, body: dict[str, Any]) -> Fault | None:
        return HUNG if body["messages"][-1]["content"] == silent else None

    server = loopback(answers=RIGHT, faults=faults)
    project.served(server.base_url)
    project.server(server.base_url, more=", timeout_s: 1")

    result = project.evals()

    assert result.ret == 1
    result.assert_outcomes(passed=9, failed=2)
    result.stdout.fnmatch_lines(
        [
            "c-08 could not be answered: local/small-1: no answer within 1 s; gave up after 6 tries",
            "accuracy cannot be judged: 1 of 10 trials have no score (1 errored), more than 2 %",
        ]
    )
    server.faults = None
    assert asked(project.evals())[0].startswith("10 cases: 0 unchanged, 9 from the store, 1 asked")


def test_a_model_that_is_moved_half_way_is_told_and_nothing_of_the_old_one_is_lost(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT, faults=None)
    project.served(server.base_url).accept()
    project.dataset([(case, f"please: {message}", queue) for case, message, queue in ROWS])
    seen = iter(range(99))

    def moved(_body: dict[str, Any]) -> Answer:
        return Answer(text="billing", model="small-1" if next(seen) < 4 else "small-2")

    server.answers = moved

    result = project.evals("-o", "promptgate_max_connections=1")

    assert result.ret == 1
    told = "local/small-1: asked for small-1, answered by small-2"
    hint = "  The provider moved this name, or a deployment serves another model. Pin the one that answers."
    result.stdout.fnmatch_lines([f"accuracy cannot be compared: {told}", told, hint])
    assert project.text(STORE).count('"answer":') == 10 + 4
    server.answers = RIGHT
    assert asked(project.evals())[0].startswith("10 cases: 0 unchanged, 4 from the store, 6 asked")


# --- offline ---------------------------------------------------------------------------------------------------------


def test_offline_a_miss_says_what_differs_from_the_nearest_stored_request(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).evals()
    project.dataset([("c-01", "another text", "billing"), *ROWS[1:], ("n-01", "new", "billing")])

    result = project.evals("--prompt-offline")

    assert server.count == 10
    assert result.ret == 1
    result.assert_outcomes(passed=9, failed=3)
    command = "  Ask for it with: pytest --prompt-evals evals/triage.eval.yaml"
    miss = "no answer is stored, and --prompt-offline asks nothing"
    lines = result.stdout.lines
    first = lines.index(f"c-01 could not be answered: triage::c-01: {miss}")
    assert lines[first + 1 : first + 3] == ["  Differs from the stored request in messages.", command]
    new = lines.index(f"n-01 could not be answered: triage::n-01: {miss}")
    assert lines[new + 1] == command


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("model", "Differs from the stored request in model."),
        ("parameters", "Differs from the stored request in parameters."),
        ("endpoint", "Differs from the stored request in endpoint ({before})."),
        ("both", "Differs from the stored request in messages and parameters."),
        ("samples", "The same request is stored, but for another sample or round."),
    ],
)
def test_offline_each_part_of_a_request_has_its_word(
    project: Project, loopback: Callable[..., LoopbackServer], change: str, told: str
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).evals()
    prompt = project.text("prompts/triage/v1.prompty")
    warm = prompt.replace("provider: local}", "provider: local, options: {temperature: 1}}")
    changed = {
        "model": prompt.replace("small-1", "small-2"),
        "parameters": warm,
        "both": warm.replace("Route the message", "Route this message"),
    }
    project.write("prompts/triage/v1.prompty", changed.get(change, prompt))
    if change == "endpoint":
        project.server(loopback().base_url)
    if change == "samples":
        project.suite(project.text("evals/triage.eval.yaml") + "samples: 2\n")

    result = project.evals("--prompt-offline", "-k", "c-03")

    assert f"  {told.format(before=server.base_url)}" in result.stdout.lines


# --- the transport ---------------------------------------------------------------------------------------------------


def test_the_transport_is_named_with_v_if_something_was_asked(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    project.served(loopback(answers=RIGHT).base_url)
    assert lines_of(project.evals("-v"), "  transport:") == ["  transport: aiohttp"]
    assert lines_of(project.evals("-v"), "  transport:") == []
    assert lines_of(project.evals("--prompt-refresh"), "  transport:") == []


# --- the store -------------------------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_are_told_and_asked_anew_once(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).evals()
    lines = project.text(STORE).splitlines(keepends=True)
    lines[3] = lines[3].replace('"text":"', '"text":"no ')
    lines[5] = "not JSON\n"
    project.write(STORE, "".join(lines))

    first, second = project.evals(), project.evals()

    told = [
        f"{STORE}:6: not a line of a response store; skipped",
        f"{STORE}:4: the answer does not match its digest; skipped",
    ]
    assert [lines_of(each, STORE) for each in (first, second)] == [told, told]
    assert asked(first)[0].startswith("10 cases: 0 unchanged, 8 from the store, 2 asked")
    assert asked(second) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]
    assert server.count == 12


# --- ourselves -------------------------------------------------------------------------------------------------------


def test_an_engine_that_dies_is_told_and_writes_no_baseline(project: Project) -> None:
    project.scripted()
    death = "asyncio.get_running_loop().call_soon(sys.exit, 'gone')\n        await asyncio.Event().wait()\n        "
    conftest = project.text("conftest.py").replace("return Completion", f"{death}return Completion")
    project.write("conftest.py", f"import asyncio, sys\n{conftest}")

    # In a process of its own: the thread's end would be this process's.
    result = project.run_apart("--update-baseline")

    told = """\
promptgate: the engine's thread died of SystemExit: gone
  Stored answers are safe; the next run goes on from them. Please report this with the traceback.
no baseline was written: the run ended early"""
    assert told in section(result, "prompt evals")
    assert result.ret == 1
    result.assert_outcomes(failed=11)
    assert not (project.root / "promptgate.lock.json").exists()
