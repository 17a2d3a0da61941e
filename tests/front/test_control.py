"""``--prompt-control`` through pytest, against a server that has good and bad days."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from front_project import Project, asked, lines_of, section
from varying_world import write_echo

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

PLAIN = """\
prompt: echo
dataset: ../datasets/mails.jsonl
scorers: {same: exact_match}
metrics: {accuracy: mean(same)}
"""
STRICT, CONFIRM = f"{PLAIN}gate: {{rule: strict}}\n", f"{PLAIN}gate: {{rule: confirm}}\n"
ROWS = [(f"c-{number:02}", f"m{number}", f"m{number}") for number in range(20)]

# Whether an answer is right: by prompt version, case number, and how often that was asked before.
Script = Callable[[str, int, int], bool]


@dataclass
class Weather:
    """What the model answers, and what it was asked, in order."""

    script: Script = lambda _version, _case, _before: True
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, body: dict[str, Any]) -> str:
        version, text = body["messages"][0]["content"], body["messages"][-1]["content"]
        case = int(text[1:])
        before = self.seen.count((version, case))
        self.seen.append((version, case))
        return text if self.script(version, case, before) else "something else"


def bad_day(_version: str, case: int, _before: int) -> bool:
    """Every prompt fails the same two cases."""
    return case >= 2


@dataclass
class World:
    """A project, its model, and how often that was asked."""

    project: Project
    weather: Weather
    server: LoopbackServer

    def version(self, version: str) -> None:
        write_echo(self.project, version)

    def evals(self, *args: str) -> pytest.RunResult:
        return self.project.evals("-q", *args)

    def control(self, *args: str) -> pytest.RunResult:
        return self.evals("--prompt-control", *args)

    def calls(self, run: Callable[[], object]) -> int:
        before = self.server.count
        run()
        return self.server.count - before


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    """Version v1 of a prompt that is always right, its baseline, and version v2."""
    weather = Weather()
    server = loopback(answers=weather)
    project.server(server.base_url)
    made = World(project, weather, server)
    made.version("v1")
    project.dataset(ROWS)
    project.suite(STRICT)
    project.accept()
    made.version("v2")
    weather.seen.clear()
    return made


COMPARED = "compared with production (echo@v1) asked in the same run (control)"
SHIFTED = "accuracy: stored baseline 1.000, control 0.900: the provider has moved by -0.100"


def test_a_bad_day_of_the_provider_is_not_blamed_on_the_prompt(world: World) -> None:
    world.weather.script = bad_day

    plain, control = world.evals(), world.control()

    assert (plain.ret, control.ret) == (1, 0)
    (row,) = lines_of(control, "  accuracy  ")
    assert row.split() == ["accuracy", "0.900", "0.900", "+0.000", "unchanged", "20/0/0"]
    (head,) = lines_of(control, "  metric ")
    assert head.split()[1] == "control"
    assert f"  {COMPARED}" in control.stdout.lines
    assert f"  {SHIFTED}" in control.stdout.lines


def test_a_loss_of_the_prompt_is_seen_on_a_bad_day_too(world: World) -> None:
    world.weather.script = lambda version, case, _before: case >= (4 if version == "v2" else 2)

    result = world.control()

    assert result.ret == 1
    told = section(result, "FAILURES").splitlines()
    fell = "accuracy fell from 0.900 to 0.800 (n=20, change -0.100, tolerance 0)"
    assert told[told.index(fell) + 1 :][:2] == [COMPARED, SHIFTED]


def test_both_prompts_are_asked_for_every_case_and_mixed(world: World) -> None:
    world.control("-o", "promptgate_max_connections=1")

    seen = world.weather.seen
    pairs = list(zip(seen[::2], seen[1::2], strict=True))
    assert Counter(seen) == Counter((version, case) for version in ("v1", "v2") for case in range(20))
    assert all(one[1] == other[1] for one, other in pairs)
    assert {one[0] for one, _ in pairs} == {"v1", "v2"}
    assert [one[1] for one, _ in pairs] != sorted(one[1] for one, _ in pairs)


def test_the_doubled_calls_and_their_cost_are_said_before_the_first_one(world: World) -> None:
    world.project.write(
        "promptgate.yaml", world.project.text("promptgate.yaml") + "prices: {local/small-1: {input: 0, output: 1000}}\n"
    )

    result = world.control()

    assert lines_of(result, "prompt evals:") == [
        "prompt evals: triage: production (echo@v1) is asked beside yours, mixed: 20 + 20 calls",
        "prompt evals: 40 calls, about 120 tokens, about $0.04",
    ]
    assert asked(result) == ["20 cases: 0 unchanged, 20 asked, 60 tokens, $0.02"]
    assert "  production beside it: 20 cases: 0 unchanged, 20 asked, 60 tokens, $0.02" in result.stdout.lines


def test_what_costs_more_than_was_granted_is_not_begun(world: World) -> None:
    world.project.write(
        "promptgate.yaml", world.project.text("promptgate.yaml") + "prices: {local/small-1: {input: 0, output: 1000}}\n"
    )

    results: list[pytest.RunResult] = []
    calls = world.calls(lambda: results.append(world.control("--prompt-max-cost", "0.03")))

    assert (calls, results[0].ret) == (0, 1)
    assert "--prompt-max-cost 0.03: the estimate is $0.04" in section(results[0], "FAILURES")


def test_a_second_run_asks_nothing_nor_does_one_offline(world: World) -> None:
    world.weather.script = bad_day
    first = world.control()

    results: list[pytest.RunResult] = []
    calls = world.calls(lambda: results.extend((world.control(), world.control("--prompt-offline"))))

    assert calls == 0
    for again in results:
        assert again.ret == first.ret == 0
        assert lines_of(again, "prompt evals:") == []
        assert lines_of(again, "  accuracy") == lines_of(first, "  accuracy")
        assert asked(again) == ["20 cases: 0 unchanged, 20 from the store, 0 asked"]


def test_answers_of_other_rounds_are_not_used_and_no_other_round_uses_these(world: World) -> None:
    assert world.calls(world.evals) == 20
    assert world.calls(world.control) == 40
    assert world.calls(world.evals) == 0

    world.version("v3")
    assert world.calls(world.control) == 40
    assert world.calls(world.evals) == 20


def test_a_run_that_was_cut_off_goes_on_where_it_was(world: World) -> None:
    world.weather.script = bad_day
    world.control()
    store = next((world.project.root / ".promptgate").rglob("*.jsonl"))
    lines = store.read_text().splitlines()
    mine = [line for line in lines if '"control-' in line]
    store.write_text("".join(f"{line}\n" for line in lines if line not in mine[-7:]))

    results: list[pytest.RunResult] = []
    calls = world.calls(lambda: results.append(world.control()))

    assert (len(mine), calls, results[0].ret) == (40, 7, 0)


def test_a_part_of_the_cases_is_completed_by_a_later_run(world: World) -> None:
    results: list[pytest.RunResult] = []

    part = world.calls(lambda: results.append(world.control("-k", "c-00 or c-05 or gate")))
    rest = world.calls(world.control)

    assert (part, rest, results[0].ret) == (4, 36, 0)
    (row,) = lines_of(results[0], "  accuracy  ")
    assert row.split()[-1] == "2/0/0"


def test_offline_what_is_not_stored_is_missing_and_the_command_is_named(world: World) -> None:
    world.evals()

    result = world.control("--prompt-offline")

    assert result.ret == 1
    assert "Ask for it with: pytest --prompt-evals --prompt-control evals/triage.eval.yaml" in result.stdout.str()


def test_production_that_cannot_be_rebuilt_ends_the_run_before_the_first_call(world: World) -> None:
    shutil.rmtree(world.project.root / "promptgate.baselines")

    results: list[pytest.RunResult] = []
    calls = world.calls(lambda: results.append(world.control()))

    assert (calls, results[0].ret) == (0, 1)
    assert section(results[0], "FAILURES").splitlines()[1:3] == [
        "evals/triage.eval.yaml: --prompt-control: production cannot be re-asked: its prompt is not recorded beside "
        "the lockfile: nothing was asked",
        "  Take promptgate.baselines/ from the commit that wrote the baseline, or run without --prompt-control.",
    ]


def test_without_a_baseline_a_control_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.project.root / "promptgate.lock.json").unlink()

    assert world.calls(lambda: world.control("-k", "c-00 or gate")) == 1
    monkeypatch.setenv("CI", "true")
    result = world.control()

    assert result.ret == 1
    assert "no baseline for 'triage'" in section(result, "FAILURES")


def test_the_same_prompt_is_asked_once_and_its_answers_stand_for_both(world: World) -> None:
    (world.project.root / "prompts/echo/v2.prompty").unlink()
    world.weather.script = bad_day

    results: list[pytest.RunResult] = []
    calls = world.calls(lambda: results.append(world.control()))

    assert (calls, results[0].ret) == (20, 0)
    assert f"  {COMPARED}: it sends the same requests, so one answer stands for both" in results[0].stdout.lines
    assert f"  {SHIFTED}" in results[0].stdout.lines


def test_confirm_still_asks_again_what_came_out_lower_than_the_control(world: World) -> None:
    world.project.suite(CONFIRM)
    world.project.accept("--accept-regression", "another rule")
    world.version("v3")
    world.weather.seen.clear()
    world.weather.script = lambda version, case, before: (
        case >= 2 and not (version == "v3" and case < 4 and before == 0)
    )

    result = world.control()

    assert result.ret == 0
    assert (
        "  accuracy fell from 0.900 to 0.800 (n=20, change -0.100, tolerance 0); re-asked 2 cases x 8 x 2 (32 calls): "
        "production 16/16, yours 16/16, p=1.00: the drop did not reproduce"
    ) in result.stdout.lines


def test_a_removed_case_stays_red_under_a_control(world: World) -> None:
    world.project.dataset(ROWS[1:])

    result = world.control()

    assert result.ret == 1
    assert "1 recorded case is gone: c-00 (used to pass: c-00)" in section(result, "FAILURES")


def test_edited_and_added_cases_are_asked_of_the_candidate_alone(world: World) -> None:
    world.project.dataset([("c-00", "m30", "m30"), *ROWS[1:], ("c-31", "m31", "m31")])

    result = world.control()

    assert result.ret == 0
    assert Counter(version for version, _ in world.weather.seen) == {"v1": 19, "v2": 21}
    (row,) = lines_of(result, "  accuracy  ")
    assert row.split()[:3] == ["accuracy", "1.000", "1.000"]


def test_a_changed_scorer_is_compared_without_the_stored_answers(world: World) -> None:
    world.project.suite(STRICT.replace("exact_match", "{exact_match: {normalize: [casefold]}}"))

    result = world.control()

    assert result.ret == 0
    assert "since the baseline: prompt: v1 -> v2; scorers changed: same" in result.stdout.str()


def test_production_that_did_not_answer_everything_leaves_the_metric_inconclusive(world: World) -> None:
    world.control()
    store, lock = (
        next((world.project.root / ".promptgate").rglob("*.jsonl")),
        world.project.text("promptgate.lock.json"),
    )
    lines = store.read_text().splitlines()
    theirs = [line for line in lines if '"control-' in line and json.loads(line)["request"] in lock]
    store.write_text("".join(f"{line}\n" for line in lines if line != theirs[0]))

    result = world.control("--prompt-offline")

    assert (len(theirs), result.ret) == (20, 1)
    (told,) = [line for line in section(result, "FAILURES").splitlines() if "cannot be judged" in line]
    assert told.startswith(
        "accuracy cannot be judged: production could not answer 1 of 20 trials, more than 2 %: triage::c-"
    )
    assert told.endswith(": no answer is stored, and --prompt-offline asks nothing")


def test_a_new_baseline_is_written_from_the_candidates_answers_of_this_run(world: World) -> None:
    world.weather.script = bad_day

    result = world.project.accept("--prompt-control", "-q")

    assert f"  {SHIFTED}" in result.stdout.lines
    lock = world.project.text("promptgate.lock.json")
    assert '"prompt": "echo@v2"' in lock
    assert '"echo@v1"' in lock  # the anchor stays
    calls = world.calls(lambda: world.evals("--prompt-offline"))
    assert calls == 0


def test_the_anchor_is_told_and_not_tested_since_nobody_asks_it_today(world: World) -> None:
    world.project.suite(STRICT.replace("strict", "strict, accuracy: {tolerance: 0.05}"))
    world.project.accept("--accept-regression", "another tolerance")
    world.weather.script = lambda version, case, _before: not (version == "v3" and case == 0)
    world.version("v3")
    world.project.accept()
    world.weather.script = lambda version, case, _before: (
        not ((version == "v3" and case < 1) or (version == "v4" and case < 2))
    )
    world.version("v4")

    plain, control = world.evals(), world.control()

    assert (plain.ret, control.ret) == (1, 0)
    note = "-0.100 since the anchor echo@v2, whose answers are of another day: told, not tested"
    assert f"  note: accuracy: {note}" in control.stdout.lines


def test_a_control_that_asks_anew_is_a_contradiction(world: World) -> None:
    result = world.control("--prompt-refresh")

    assert result.ret == 4
    assert (
        "ERROR: --prompt-control asks both prompts in a round of their own, and --prompt-refresh asks yours for the "
        "rounds that count: drop one of the two"
    ) in result.stderr.lines
