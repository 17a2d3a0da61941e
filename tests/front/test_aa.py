"""``--prompt-aa`` through pytest, against a server whose answers vary as a script says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from front_project import SERVED, Project, lines_of, section

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

SUITE = """\
prompt: echo
dataset: ../datasets/mails.jsonl
scorers: {same: exact_match}
metrics: {accuracy: mean(same)}
gate: {rule: confirm}
"""
ROWS = [(f"c-{number:02}", f"m{number}", f"m{number}") for number in range(20)]

# Whether an answer is right: by case number, and how often that was asked before.
Script = Callable[[int, int], bool]


@dataclass
class Coins:
    """What the model answers; how calls of different cases are ordered makes no difference."""

    script: Script = lambda _case, _asked: True
    seen: Counter[int] = field(default_factory=Counter)

    def __call__(self, body: dict[str, Any]) -> str:
        text = body["messages"][-1]["content"]
        number = int(text[1:])
        before = self.seen[number]
        self.seen[number] += 1
        return text if self.script(number, before) else "something else"


def every_other(case: int, before: int) -> bool:
    """Four of twenty cases are right every other time."""
    return case >= 4 or before % 2 == 0


@dataclass
class World:
    """A project, its model, and how often that was asked."""

    project: Project
    coins: Coins
    server: LoopbackServer

    def aa(self, *args: str) -> pytest.RunResult:
        return self.project.evals("-q", "--prompt-aa", *args)

    def calls(self, run: Callable[[], pytest.RunResult]) -> tuple[int, pytest.RunResult]:
        before = self.server.count
        result = run()
        return self.server.count - before, result


@pytest.fixture
def world(project: Project, loopback: Callable[..., LoopbackServer]) -> World:
    """A prompt whose four first cases flip; nothing was asked, and there is no baseline."""
    coins = Coins(every_other)
    server = loopback(answers=coins)
    project.server(server.base_url)
    project.write(
        "prompts/echo/v1.prompty",
        f"---\nname: echo\nmodel: {SERVED}\ninputs:\n  - {{name: message, kind: string, required: true}}\n---\n"
        "system:\nv1\n\nuser:\n{{ message }}\n",
    )
    project.dataset(ROWS)
    project.suite(SUITE)
    return World(project, coins, server)


NOT_JUDGED = "--prompt-aa: the prompt is held against itself, not against its baseline"
HOW = [
    "  flip rate: the chance that a case scores differently when the same is asked again",
    "  false alarms: how often a run fails in which nothing has changed,",
    "    from 1000 random deals of these answers into two runs",
    "    confirm: at most; of the runs that come out lower, asking again fails 5.0 % or fewer",
]


def row_of(result: pytest.RunResult) -> list[str]:
    (row,) = lines_of(result, "  accuracy  ")
    return [cell.strip() for cell in row.split("  ") if cell.strip()]


def test_every_case_is_asked_twice_and_held_against_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")

    result = world.aa("-rs")

    assert result.ret == 0
    result.assert_outcomes(passed=20, skipped=1)
    assert NOT_JUDGED in result.stdout.str()
    assert world.coins.seen == Counter(dict.fromkeys(range(20), 2))
    title, asked, _, _, *how = section(result, "prompt evals").splitlines()
    assert title == "triage: echo@v1 on local/small-1 against itself"
    assert asked.startswith("  20 cases: 0 unchanged, 40 asked, ")
    assert how[:4] == HOW
    name, first, second, rate, interval, _, alarms, plain = row_of(result)
    assert (name, rate, interval) == ("accuracy", "20.0 %", "8.1 to 41.6 %")
    assert float(first) + float(second) == pytest.approx(1.8)
    assert (alarms, plain) == ("at most 1.5 %", "30.5 %")
    assert lines_of(result, "prompt evals: 40 calls")
    assert not (world.project.root / "promptgate.lock.json").exists()


def test_reports_tell_what_it_found_and_count_both_halves(world: World) -> None:
    world.aa("--prompt-report", "report.md")
    page = world.project.text("report.md")

    assert "20 cases · 0 answers unchanged · 40 asked" in page
    assert "- note: accuracy held against itself: " in page
    assert "flip rate 20.0 %, at 95 % from 8.1 to 41.6 %; false alarms: at most 1.5 % of runs" in page


def test_a_second_run_asks_nothing_and_says_the_same_offline_too(world: World) -> None:
    first = section(world.aa(), "prompt evals").splitlines()

    calls, again = world.calls(world.aa)
    offline = world.aa("--prompt-offline")

    assert calls == 0
    assert section(again, "prompt evals").splitlines()[2:8] == first[2:8]
    assert section(offline, "prompt evals").splitlines()[2:8] == first[2:8]


def test_its_answers_are_not_those_of_a_run_nor_a_runs_its_own(world: World) -> None:
    world.project.accept()
    before = world.server.count

    world.aa()
    calls, _ = world.calls(lambda: world.project.evals("-q"))

    assert world.server.count == before + 40
    assert calls == 0


def test_a_part_says_so_and_the_rest_is_asked_for_later(world: World) -> None:
    result = world.aa("-k", "c-00 or c-01 or c-05")

    assert result.ret == 0
    assert world.server.count == 6
    assert "  partial selection: 3 of 20 cases: the flip rates are not remembered" in result.stdout.lines
    assert not (world.project.root / ".promptgate" / "noise.json").exists()
    assert world.calls(world.aa)[0] == 34


def test_later_runs_see_by_the_measured_flip_rate(world: World) -> None:
    world.project.accept()
    world.aa()

    result = world.project.evals("-q")

    (line,) = lines_of(result, "  accuracy: ")
    assert line.endswith("(measured flip rate: 20.0 %)")
    remembered = json.loads(world.project.text(".promptgate/noise.json"))["triage"]["default"]["accuracy"]
    assert (remembered["flip_rate"], remembered["about"]) == (pytest.approx(0.2), "echo@v1, 20 cases")


def test_another_models_flip_rate_is_none_of_ours(world: World) -> None:
    world.aa()
    prompt = world.project.root / "prompts" / "echo" / "v1.prompty"
    prompt.write_text(prompt.read_text().replace("small-1", "small-2"))

    world.project.accept()
    result = world.project.evals("-q")

    (line,) = lines_of(result, "  accuracy: ")
    assert "measured" not in line


def test_repeated_samples_are_held_against_as_many(world: World) -> None:
    world.project.suite(f"{SUITE}samples: 2\n")

    result = world.aa()

    assert world.server.count == 80
    # Two of four answers are right: four of six pairs differ.
    assert row_of(result)[3] == f"{100 * 4 / 20 * 4 / 6:.1f} %"


def test_must_pass_and_floors_hold_nobody_here(world: World) -> None:
    suite = SUITE.replace("{rule: confirm}", "{rule: confirm, accuracy: {floor: 1.0}}")
    world.project.suite(f"{suite}must_pass: [c-00]\n")

    result = world.aa()

    assert result.ret == 0
    result.assert_outcomes(passed=20, skipped=1)


def test_an_answer_that_failed_makes_the_run_red(world: World) -> None:
    world.aa("-k", "not c-07")

    result = world.aa("--prompt-offline")

    assert result.ret == 1
    result.assert_outcomes(passed=19, failed=1, skipped=1)
    assert "Ask for it with: pytest --prompt-evals --prompt-aa evals/triage.eval.yaml" in result.stdout.str()
    (line,) = lines_of(result, "  accuracy: not measured: ")
    assert "errored" in line


def test_a_budget_that_does_not_reach_refuses_to_start(world: World) -> None:
    with (world.project.root / "promptgate.yaml").open("a") as file:
        file.write("prices: {local/small-1: {input: 1000000, output: 1000000}}\n")

    result = world.aa("--prompt-max-cost", "0.01")

    assert result.ret == 1
    assert world.server.count == 0


def test_a_model_that_answers_alike_has_a_flip_rate_of_0(project: Project) -> None:
    project.standard()

    result = project.evals("-q", "--prompt-aa")

    assert result.ret == 0
    assert row_of(result)[3:] == ["0.0 %", "0.0 to 27.8 %", "unchanged", "0.0 %", "0.0 %"]
    assert "  flip rate 0: no score of 10 cases varied; as long as none does, any drop is real" in result.stdout.lines


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--update-baseline",), "--update-baseline writes baselines"),
        (("--baseline-ref", "HEAD"), "--baseline-ref names a baseline"),
        (("--prompt-control",), "--prompt-control asks production"),
        (("--prompt-fail-fast",), "--prompt-fail-fast ends a suite whose gate is certain to fail"),
        (("--prompt-refresh",), "--prompt-refresh asks for the rounds that count"),
    ],
)
def test_what_makes_no_sense_with_it_is_refused(project: Project, options: tuple[str, ...], told: str) -> None:
    result = project.standard().evals("--prompt-aa", *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        f"ERROR: --prompt-aa holds every prompt against itself and judges no gate, and {told}: drop one of the two"
    )


def test_flip_rates_that_cannot_be_remembered_are_told(world: World) -> None:
    (world.project.root / ".promptgate" / "noise.json").mkdir(parents=True)

    result = world.aa()

    assert result.ret == 0
    assert (
        "the flip rates of triage are not remembered: noise.json: it cannot be written: Is a directory"
        in result.stdout.str()
    )
