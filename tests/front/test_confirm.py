"""The rule ``confirm`` through pytest, against a server whose answers vary as a script says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from front_project import QUIET_PLUGINS, Project, asked, lines_of, section
from varying_world import PLAIN, SUITE, World, begun, broken, luck

if TYPE_CHECKING:
    from loopback.server import LoopbackServer


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    """Version v1 of a prompt that is always right, its baseline, and version v2."""
    return begun(project, loopback)


FELL = "accuracy fell from 1.000 to 0.900 (n=20, change -0.100, tolerance 0)"
LUCK = f"{FELL}; re-asked 2 cases x 8 x 2 (32 calls): production 16/16, yours 16/16, p=1.00: the drop did not reproduce"
BROKE = (
    "accuracy fell from 1.000 to 0.950 (n=20, change -0.050, tolerance 0); re-asked 1 case x 8 x 2 (16 calls): "
    "production 8/8, yours 0/8, p=.00016: the drop is real"
)


def test_a_drop_that_does_not_reproduce_passes_as_within_noise(world: World) -> None:
    world.noise.script = luck

    result = world.evals()

    assert result.ret == 0
    (row,) = lines_of(result, "  accuracy  ")
    assert row.split() == ["accuracy", "1.000", "0.900", "-0.100", "within-noise", "20/0/0"]
    assert f"  {LUCK}" in result.stdout.lines


def test_a_case_that_broke_is_found_by_asking_again(world: World) -> None:
    world.noise.script = broken

    result = world.evals()

    assert result.ret == 1
    assert BROKE in section(result, "FAILURES").splitlines()
    (row,) = lines_of(result, "  accuracy  ")
    assert "regressed" in row


def test_both_prompts_are_asked_the_same_and_no_other_case(world: World) -> None:
    world.noise.script = luck
    first = Counter(world.noise.seen)

    assert world.calls(world.evals) == 20 + 2 * 8 * 2

    again = world.noise.seen - first
    assert again == Counter(
        {**{("v2", case): 1 for case in range(2, 20)}, ("v2", 0): 9, ("v2", 1): 9, ("v1", 0): 8, ("v1", 1): 8}
    )


def test_what_will_be_asked_again_is_said_before_on_a_line_of_its_own(world: World) -> None:
    world.noise.script = luck

    result = world.evals()

    (line,) = lines_of(result, "prompt evals: triage came out lower")
    assert line == (
        "prompt evals: triage came out lower; asking production and yours again: 2 cases x 8 x 2: "
        "32 calls, about 96 tokens, cost unknown"
    )


def test_a_second_run_asks_nothing_and_comes_to_the_same(world: World) -> None:
    world.noise.script = luck
    first = world.evals()
    calls = world.server.count

    second = world.evals()

    assert world.server.count == calls
    assert lines_of(second, "prompt evals:") == []
    told = [line.replace("32 stored answers", "32 calls") for line in second.stdout.lines]
    assert f"  {LUCK}" in told
    assert first.ret == second.ret == 0


def test_a_repaired_case_is_asked_again_too(world: World) -> None:
    world.noise.script = lambda version, case, _before: not (version == "v1" and case == 7)
    shutil.rmtree(world.project.root / ".promptgate")
    (world.project.root / "promptgate.lock.json").unlink()
    (world.project.root / "prompts/echo/v2.prompty").unlink()
    world.project.accept()
    world.version("v2")
    world.noise.script = lambda version, case, before: not (version == "v2" and case in (1, 2) and before == 0)
    world.noise.seen.clear()

    world.evals()

    assert sorted({case for (version, case) in world.noise.seen if version == "v1"}) == [1, 2, 7]


def test_offline_the_stored_round_is_replayed(world: World) -> None:
    world.noise.script = luck
    world.evals()

    result = world.evals("--prompt-offline")

    assert result.ret == 0
    assert f"  {LUCK.replace('32 calls', '32 stored answers')}" in result.stdout.lines


def test_offline_without_the_round_the_drop_is_inconclusive_and_the_command_is_named(world: World) -> None:
    world.noise.script = luck
    world.evals()
    store = next((world.project.root / ".promptgate").rglob("*.jsonl"))
    kept = [line for line in store.read_text().splitlines() if '"confirm-' not in line]
    store.write_text("\n".join(kept) + "\n")

    result = world.evals("--prompt-offline")

    assert result.ret == 1
    told = f"{FELL}, and --prompt-offline cannot ask again; run: pytest --prompt-evals evals/triage.eval.yaml"
    assert told in section(result, "FAILURES").splitlines()
    (row,) = lines_of(result, "  accuracy  ")
    assert "inconclusive" in row


def test_production_that_cannot_be_rebuilt_leaves_a_single_stored_sample_to_strict(world: World) -> None:
    world.noise.script = luck
    shutil.rmtree(world.project.root / "promptgate.baselines")

    result = world.evals()

    assert result.ret == 1
    told = f"{FELL}, and production cannot be re-asked: its prompt is not recorded beside the lockfile"
    assert told in section(result, "FAILURES").splitlines()


def test_production_whose_provider_is_gone_cannot_be_asked_again(world: World) -> None:
    project, prompt = world.project, "prompts/echo/v2.prompty"
    project.write("promptgate.yaml", project.text("promptgate.yaml").replace("local:", "other:"))
    project.write(prompt, project.text(prompt).replace("provider: local", "provider: other"))
    world.noise.script = luck

    result = world.evals()

    assert result.ret == 1
    told = f"{FELL}, and production cannot be re-asked: its provider 'local' is not declared any more"
    assert told in section(result, "FAILURES").splitlines()


def test_every_arm_of_a_retrial_is_priced_by_its_own_model(world: World) -> None:
    """A word of production costs ten cents, a word of the candidate a dollar."""
    project, prompt = world.project, "prompts/echo/v2.prompty"
    prices = "prices: {local/small-1: {input: 0, output: 100000}, local/small-2: {input: 0, output: 1000000}}\n"
    project.write("promptgate.yaml", project.text("promptgate.yaml") + prices)
    project.write(prompt, project.text(prompt).replace("small-1", "small-2"))
    world.noise.script = luck

    result = world.evals()

    (line,) = lines_of(result, "prompt evals: triage came out lower")
    assert line.endswith("2 cases x 8 x 2: 32 calls, about 96 tokens, about $17.60")


def test_a_suite_that_asks_for_strict_is_not_asked_again(world: World) -> None:
    world.noise.script = luck
    world.project.suite(PLAIN + "gate: {rule: strict}\n")

    result = world.evals()

    assert result.ret == 1
    assert FELL in section(result, "FAILURES").splitlines()
    assert "re-asked" not in result.stdout.str()


def test_the_suite_says_how_many_samples_and_calls(world: World) -> None:
    world.noise.script = luck
    world.project.suite(PLAIN + "gate: {rule: {confirm: {samples: 5}}}\n")

    result = world.evals()

    assert "re-asked 2 cases x 5 x 2 (20 calls)" in result.stdout.str()


def test_updating_the_baseline_judges_like_any_run_and_writes_what_is_within_noise(world: World) -> None:
    world.noise.script = luck

    result = world.project.accept("-q")

    assert f"  {LUCK}" in result.stdout.lines
    lock = json.loads(world.project.text("promptgate.lock.json"))
    assert '"prompt": "echo@v2"' in json.dumps(lock)
    assert '"echo@v1"' in json.dumps(lock)  # the anchor stays


def test_updating_the_baseline_refuses_a_drop_that_is_real(world: World) -> None:
    world.noise.script = broken

    result = world.project.run("--update-baseline", "-q")

    assert result.ret == 1
    (line,) = lines_of(result, "triage: baseline NOT written")
    assert "the drop is real" in line


def test_two_suites_share_one_level(world: World) -> None:
    """One case at 4 of 8 is p=.038 (twice that by Holm over mean and case), at 3 of 8 it is .013: red alone only."""
    world.project.suite(SUITE, name="other")
    shutil.rmtree(world.project.root / "promptgate.baselines")
    (world.project.root / "prompts/echo/v2.prompty").unlink()
    world.project.accept("--accept-regression", "begin anew")
    world.version("v2")
    world.noise.script = lambda version, case, before: not (version == "v2" and case == 3 and before % 9 < 6)

    alone, together = world.evals("evals/triage.eval.yaml"), world.evals()

    assert (alone.ret, together.ret) == (1, 0)
    assert "production 8/8, yours 3/8, p=.026: the drop is real" in alone.stdout.str()
    assert together.stdout.str().count("production 8/8, yours 3/8, p=.026: the drop did not reproduce") == 2


def test_a_part_of_the_cases_is_judged_by_the_same_rule(world: World) -> None:
    world.noise.script = luck

    result = world.evals("-k", "c-00 or c-05 or gate")

    assert result.ret == 0
    assert "re-asked 1 case x" in result.stdout.str()
    assert asked(result) == ["2 cases: 0 unchanged, 2 asked, 7 tokens, cost unknown"]


def test_a_retrial_that_was_cut_off_goes_on_where_it_was(world: World) -> None:
    world.noise.script = luck
    world.evals()
    store = next((world.project.root / ".promptgate").rglob("*.jsonl"))
    lines = store.read_text().splitlines()
    again = [line for line in lines if '"confirm-' in line]
    store.write_text("".join(f"{line}\n" for line in lines if line not in again[-10:]))
    calls = world.server.count

    result = world.evals()

    assert (len(again), world.server.count - calls) == (32, 10)
    assert f"  {LUCK.replace('32 calls', '10 calls, 22 stored answers')}" in result.stdout.lines


def test_what_costs_more_than_was_granted_is_not_asked_again_and_stays_unconfirmed(world: World) -> None:
    prices = "prices: {local/small-1: {input: 0, output: 100000}}\n"  # ten cents a word
    world.project.write("promptgate.yaml", world.project.text("promptgate.yaml") + prices)
    world.noise.script = luck

    calls = world.calls(lambda: world.evals("--prompt-max-cost", "3"))
    result = world.evals("--prompt-max-cost", "3")

    assert calls == 20
    told = f"{FELL}, and it was not asked again: asking again would cost more than --prompt-max-cost 3 (unconfirmed)"
    assert told in section(result, "FAILURES").splitlines()
    (row,) = lines_of(result, "  accuracy  ")
    assert "regressed" in row
    assert world.calls(world.evals) == 32


# --- stored samples decide -------------------------------------------------------------------------------------------


def repeated(world: World, samples: int, gate: str) -> None:
    """Begin anew with so many samples a case."""
    world.project.suite(f"{PLAIN}samples: {samples}\n{gate}")
    (world.project.root / "promptgate.lock.json").unlink()
    (world.project.root / "prompts/echo/v2.prompty").unlink()
    world.project.accept()
    world.version("v2")


def test_three_stored_samples_decide_where_production_cannot_be_rebuilt(world: World) -> None:
    repeated(world, 3, "gate: {rule: confirm}\n")
    shutil.rmtree(world.project.root / "promptgate.baselines")
    world.noise.script = lambda version, case, before: not (version == "v2" and case in (0, 1) and before == 0)

    result = world.evals()

    assert result.ret == 1
    told = (
        "accuracy fell from 1.000 to 0.967 (n=20, change -0.033, tolerance 0); no outcome of this size could be "
        "significant: ask for more samples or cases (production cannot be re-asked: its prompt is not recorded beside "
        "the lockfile: 3 stored samples decide)"
    )
    assert told in section(result, "FAILURES").splitlines()


def test_significant_finds_a_loss_over_many_cases_in_the_stored_samples(world: World) -> None:
    repeated(world, 5, "gate: {rule: significant}\n")
    world.noise.script = lambda version, case, before: not (version == "v2" and case < 8 and before == 0)

    result = world.evals()

    assert result.ret == 1
    told = "accuracy fell from 1.000 to 0.920 (n=20, change -0.080, tolerance 0); p=.0039"
    assert told in section(result, "FAILURES").splitlines()


def test_significant_lets_pass_what_may_be_luck(world: World) -> None:
    world.noise.script = lambda version, case, before: (
        not ((version == "v1" and 8 <= case < 12 and before == 1) or (version == "v2" and case < 6 and before == 0))
    )
    repeated(world, 5, "gate: {rule: significant}\n")

    result = world.evals()

    assert result.ret == 0
    told = "  accuracy fell from 0.960 to 0.940 (n=20, change -0.020, tolerance 0); p=.38: this may be luck"
    assert told in result.stdout.lines


def test_non_inferior_asks_for_a_proof_of_no_harm(world: World) -> None:
    repeated(world, 1, "gate: {rule: non_inferior, accuracy: {tolerance: 0.02}}\n")

    result = world.evals()

    assert result.ret == 1
    (row,) = lines_of(result, "  accuracy  ")
    assert "inconclusive" in row
    assert "a drop beyond the tolerance is not excluded" in section(result, "FAILURES")


# --- the anchor ------------------------------------------------------------------------------------------------------


def decline(version: str, case: int, before: int) -> bool:
    """Each version a little worse than the one before, too little to be found beside it."""
    wrong = {
        "v2": {0, 1, 9} if case < 2 else set[int](),
        "v3": {0, 1, 2} if case < 2 else {0, 1} if case < 6 else set[int](),
    }
    return before not in wrong.get(version, set[int]())


@pytest.fixture
def declined(world: World) -> World:
    """The second version is the baseline, the first one is the anchor; the third one is about to be judged."""
    world.project.suite(f"{PLAIN}gate: {{rule: {{confirm: {{max_calls: 1000}}}}}}\n")
    world.noise.script = decline
    world.project.accept("--accept-regression", "another rule")
    return world


def test_losses_that_pass_one_by_one_do_not_pass_together(declined: World) -> None:
    declined.version("v3")

    result = declined.evals()

    assert result.ret == 1
    assert (
        "accuracy: this change -0.200 (within noise), but since the anchor echo@v1: -0.300; re-asked 6 cases x 8 x 3 "
        "(144 calls): anchor 48/48, yours 40/48, p=.0068: the loss is real"
    ) in section(result, "FAILURES").splitlines()
    (line,) = lines_of(result, "prompt evals: triage came out lower")
    assert "; asking production, the anchor and yours again: 6 cases x 8 x 3: 144 calls, " in line


def test_an_anchor_that_cannot_be_asked_again_blocks_nobody_by_a_single_sample(declined: World) -> None:
    path = next((declined.project.root / "promptgate.baselines").glob("*.jsonl"))
    kept = [line for line in path.read_text().splitlines() if '"anchor"' not in line]
    assert len(kept) < len(path.read_text().splitlines())
    path.write_text("\n".join(kept) + "\n")
    declined.version("v3")

    result = declined.evals()

    assert result.ret == 0
    assert "the drop did not reproduce" in result.stdout.str()


def test_the_smoke_tier_is_judged_by_the_same_rule(world: World) -> None:
    world.noise.script = luck

    result = world.evals("--prompt-smoke")

    assert result.ret == 0
    assert asked(result)[0].startswith("8 cases: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
def test_a_retrial_that_is_ended_by_a_signal_loses_nothing(world: World, number: str) -> None:
    def script(version: str, case: int, before: int) -> bool:
        if version == "v1" and before == 4:
            process.send_signal(getattr(signal, number))
        return luck(version, case, before)

    world.noise.script = script
    world.server.latency = 0.1
    command = [sys.executable, "-m", "pytest", *QUIET_PLUGINS, "--prompt-evals", "-o", "promptgate_max_connections=2"]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    with subprocess.Popen(command, cwd=world.project.root, stdout=subprocess.PIPE, env=environment) as process:
        process.communicate(timeout=60)
    begun = world.server.count - 20 - 20
    world.noise.script, world.server.latency = luck, 0.0

    result = world.evals()

    assert 0 < begun < 32
    again = world.server.count - 40 - begun
    assert again <= 32 - begun + 2  # those on their way were cut off, one on each connection
    assert result.ret == 0
    (told,) = lines_of(result, "  accuracy fell")
    assert told.endswith(": the drop did not reproduce")
    assert f"({again} calls, {32 - again} stored answers)" in told


def test_a_ci_retry_with_an_empty_store_is_marked_and_one_that_kept_it_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")

    redrawn, kept = world.evals(), world.evals()

    (note,) = lines_of(redrawn, "  note: redrawn: ")
    assert "attempt 2 of this CI job asked 20 answers anew and found none in the store" in note
    assert not lines_of(kept, "  note: redrawn: ")


def test_cases_that_are_run_alone_without_a_gate_ask_nothing_again(world: World) -> None:
    world.noise.script = broken
    seen: list[pytest.RunResult] = []

    calls = world.calls(lambda: seen.append(world.evals("-k", "c-03 or c-04")))

    assert (calls, seen[0].ret) == (2, 0)
    (row,) = lines_of(seen[0], "  accuracy  ")
    assert row.split()[:5] == ["accuracy", "1.000", "0.500", "-0.500", "inconclusive"]
