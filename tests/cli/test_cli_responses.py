"""``promptgate responses stats | gc | merge``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from cli_world import REMOTE, CliProject, Said
from front_project import ROWS

from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.types import Completion
from pytest_promptgate.models.store import FileStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loopback.server import LoopbackServer

NOVEMBER = 1_700_000_000.0  # 2023-11-14
PARTS = {"messages": "m", "parameters": "p", "model": "o", "tools": "t", "trial": "c-01"}


def key(request: str, ordinal: int = 0, *, of_round: str = "") -> StoreKey:
    return StoreKey(request=request * 32, endpoint="http://a/v1", ordinal=ordinal, round=of_round)


def store(path: Path, answers: Mapping[StoreKey, str], *, at: float = NOVEMBER) -> Path:
    """Write a store in which answer n was stored n seconds after `at`."""
    times = iter(range(10_000))
    file = FileStore(path, clock=lambda: at + next(times))
    for each, text in answers.items():
        file.put(each, Completion(text=text, served_model="gpt-4o-2024-11-20"), parts=PARTS)
    file.close()
    return path


def texts(path: Path) -> dict[str, str]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {each["request"][0] + str(each["ordinal"]): each["answer"]["text"] for each in lines if "answer" in each}


def test_stats_count_what_is_stored_and_what_is_used(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    remote()
    project.evals()
    project.dataset(ROWS[:7])
    store(project.root / ".promptgate" / "responses" / "gone.jsonl", {key("a"): "x"})

    header, gone, triage = project.cli("responses", "stats").out.splitlines()

    assert header.split() == ["suite", "models", "oldest", "newest", "answers", "used", "size"]
    assert gone.startswith("gone (no such suite)  gpt-4o-2024-11-20  2023-11-14  2023-11-14        1     0")
    assert triage.split()[:2] == ["triage", "gpt-4o-2024-11-20"]
    assert triage.split()[4:6] == ["10", "7"]


def test_an_empty_store_has_no_statistics_and_nothing_to_drop(project: CliProject) -> None:
    project.standard()

    for command in ("stats", "gc"):
        assert project.cli("responses", command) == Said(
            out="no answer is stored in .promptgate/responses\n", err="", code=0
        )


def test_gc_drops_what_no_plan_and_no_baseline_needs_and_a_run_then_asks_nothing(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    server = remote()
    project.evals()
    project.dataset(ROWS[:7])
    path = project.root / ".promptgate" / "responses" / "triage.jsonl"
    before = path.read_bytes()

    dry = project.cli("responses", "gc", "--dry-run")
    assert path.read_bytes() == before
    wet = project.cli("responses", "gc")

    assert dry.out.startswith(".promptgate/responses/triage.jsonl: would drop 3 answers (")
    assert dry.out.endswith(" kB), keep 7\n")
    assert wet.out == dry.out.replace("would drop", "dropped").replace("keep", "kept")
    assert path.read_text().count('"answer"') == 7
    project.evals()
    assert server.count == 10
    assert project.cli("responses", "gc").out == ".promptgate/responses/triage.jsonl: all 7 answers needed\n"


def test_gc_keeps_what_production_was_measured_with(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote()
    project.accept()
    project.dataset(ROWS[:7])

    assert project.cli("responses", "gc").out == ".promptgate/responses/triage.jsonl: all 10 answers needed\n"


def test_gc_leaves_suites_that_are_not_here_unless_told(project: CliProject) -> None:
    project.standard()
    path = store(project.root / ".promptgate" / "responses" / "other.jsonl", {key("a"): "x"})
    size = path.stat().st_size

    assert project.cli("responses", "gc").out == (
        ".promptgate/responses/other.jsonl: kept, though no suite and no baseline has this name (--gone drops it)\n"
    )
    assert path.exists()
    assert project.cli("responses", "gc", "--gone").out == (
        f".promptgate/responses/other.jsonl: dropped 1 answer ({size} B), kept 0\n"
    )
    assert not path.exists()


def test_gc_drops_nothing_while_a_suite_cannot_be_read(project: CliProject) -> None:
    project.standard().suite("prompt: nope\n", name="broken")
    path = store(project.root / ".promptgate" / "responses" / "triage.jsonl", {key("a"): "x"})
    before = path.read_bytes()

    said = project.cli("responses", "gc")

    assert (said.out, said.code) == ("", 2)
    assert said.err.splitlines()[-1] == "nothing was dropped: what a suite needs is known when it can be read"
    assert path.read_bytes() == before


def test_gc_waits_for_no_run_and_takes_nothing_from_it(project: CliProject) -> None:
    project.standard()
    path = store(project.root / ".promptgate" / "responses" / "triage.jsonl", {key("a"): "x"})
    run = FileStore(path)
    assert run.get(key("a")) == Completion(text="x", served_model="gpt-4o-2024-11-20")

    said = project.cli("responses", "gc")
    run.put(key("b"), Completion(text="y"), parts=PARTS)
    run.close()

    assert said.code == 1
    assert said.err == (
        f"{path}: a run is using this response store\n  Wait until it has ended, then run the command again.\n"
    )
    assert texts(path) == {"a0": "x", "b0": "y"}


def test_gc_keeps_what_the_newest_round_answers_once(project: CliProject) -> None:
    project.standard()
    project.accept()
    recorded = next(iter(json.loads(project.text("promptgate.lock.json"))["suites"]["triage"].values()))
    request = _first_request(recorded)
    path = project.root / ".promptgate" / "responses" / "triage.jsonl"
    path.unlink(missing_ok=True)
    file = FileStore(path)
    for name in ("", "1", "2", "f00"):
        named = StoreKey(request=request, endpoint="embedded", round=name)
        file.put(named, Completion(text=f"round {name}"), parts=PARTS)
    file.complete_round("1")
    file.close()

    project.cli("responses", "gc")

    kept = [json.loads(line)["round"] for line in path.read_text().splitlines() if '"answer"' in line]
    assert sorted(kept) == ["1", "2", "f00"]  # the current, the one that is being asked, and a round of re-asking


def test_merge_unites_stores_whatever_their_order_and_the_oldest_answer_wins(project: CliProject) -> None:
    one = store(project.root / "s1" / "triage.jsonl", {key("a"): "old", key("b"): "b"})
    two = store(project.root / "s2" / "triage.jsonl", {key("a"): "new", key("a", 1): "c"}, at=NOVEMBER + 50)
    three = store(project.root / "s2" / "other.jsonl", {key("f"): "f"})

    said = project.cli("responses", "merge", "s1", "s2", ".promptgate")
    other = project.cli("responses", "merge", "s2", "s1", "again/responses")

    assert said == Said(
        out=(
            ".promptgate/responses/other.jsonl: 1 answer from 1 store\n"
            ".promptgate/responses/triage.jsonl: 3 answers from 2 stores\n"
        ),
        err="",
        code=0,
    )
    assert other.code == 0
    merged = project.root / ".promptgate" / "responses"
    assert texts(merged / "triage.jsonl") == {"a0": "old", "b0": "b", "a1": "c"}
    assert texts(merged / "other.jsonl") == texts(three)
    for name in ("triage.jsonl", "other.jsonl"):
        assert (merged / name).read_bytes() == (project.root / "again" / "responses" / name).read_bytes()
    assert (project.root / ".promptgate" / ".gitignore").read_text() == "# Made by pytest-promptgate.\n*\n"
    assert (texts(one), texts(two)) == ({"a0": "old", "b0": "b"}, {"a0": "new", "a1": "c"})


def test_merge_keeps_what_the_target_holds_and_may_name_it_twice(project: CliProject) -> None:
    store(project.root / "a.jsonl", {key("a"): "a"})
    store(project.root / "b.jsonl", {key("b"): "b"})

    for _ in range(2):
        assert project.cli("responses", "merge", "a.jsonl", "b.jsonl", "a.jsonl").code == 0

    assert texts(project.root / "a.jsonl") == {"a0": "a", "b0": "b"}


def test_merge_reports_corrupt_lines_skips_them_and_mends_a_torn_end(project: CliProject) -> None:
    path = store(project.root / "a.jsonl", {key("a"): "a", key("b"): "b", key("c"): "c"})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        lines[0] + b"nonsense\n" + lines[1] + lines[2].replace(b'"text":"b"', b'"text":"x"') + lines[3][:-9]
    )

    said = project.cli("responses", "merge", "a.jsonl", "into.jsonl")

    assert said == Said(
        out="into.jsonl: 1 answer from 1 store\n",
        err=(
            "a.jsonl:2: not a line of a response store; skipped\n"
            "a.jsonl:4: the answer does not match its digest; skipped\n"
            "a.jsonl:5: the last line is torn; skipped\n"
        ),
        code=0,
    )
    assert texts(project.root / "into.jsonl") == {"a0": "a"}


def test_merge_unites_the_complete_rounds(project: CliProject) -> None:
    for name, number in (("a", "1"), ("b", "1"), ("c", "2")):
        file = FileStore(project.root / f"{name}.jsonl")
        file.put(key("a", of_round=number), Completion(text=name), parts=PARTS)
        file.complete_round(number)
        file.close()

    project.cli("responses", "merge", "a.jsonl", "b.jsonl", "c.jsonl", "into.jsonl")

    merged = FileStore(project.root / "into.jsonl")
    assert merged.complete_rounds == {"1", "2"}
    assert len(merged) == 2
    merged.close()


def test_merge_of_a_place_without_a_store_is_a_usage_error(project: CliProject) -> None:
    (project.root / "empty").mkdir()

    assert project.cli("responses", "merge", "empty", "into") == Said(
        out="",
        err="empty: no response store is there\n  Name a .jsonl file or a directory that holds some.\n",
        code=4,
    )


def test_a_store_of_a_newer_version_is_left_alone(project: CliProject) -> None:
    path = project.write("a.jsonl", '{"promptgate_store":2}\n')

    assert project.cli("responses", "merge", "a.jsonl", "into.jsonl") == Said(
        out="",
        err=(
            "a.jsonl:1: the response store has format 2, this pytest-promptgate reads 1\n  Upgrade pytest-promptgate.\n"
        ),
        code=1,
    )
    assert path.exists()


def _first_request(entry: object) -> str:
    """The first digest of a request in a lockfile's entry."""
    found = json.dumps(entry)
    start = found.index('"request": "') + len('"request": "')
    return found[start : start + 32]


def test_gc_keeps_what_only_an_older_round_answers(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    server = remote()
    project.evals()  # the first round: v1
    v2 = project.prompt("v2", {}, model=REMOTE)
    project.evals("--prompt-refresh")  # the second one: v2 alone
    v2.unlink()  # back to v1, which only the first round knows
    assert server.count == 20

    counted = project.cli("responses", "stats")
    said = project.cli("responses", "gc")
    project.evals()

    assert [line.split()[-4:-2] for line in counted.out.splitlines()[1:]] == [["20", "10"]]
    assert said.out.endswith(", kept 10\n")
    assert server.count == 20
