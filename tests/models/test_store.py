"""The response store: what it keeps, what it survives, and what it says."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.types import Completion, ToolCall
from pytest_promptgate.errors import StoreError
from pytest_promptgate.models.store import FileStore, file_name, open_store

PARTS = {"messages": "m1", "parameters": "p1", "model": "o1", "tools": "t1", "trial": "case-1"}
FULL = Completion(
    text="Grüße \ud800 \n\x00 ok",
    tool_calls=(ToolCall(name="find", arguments='{"a": 1'),),
    served_model="gpt-4o-2024-11-20",
    fingerprint="fp_1",
    tokens_in=3,
    tokens_out=0,
    tokens_cached=1,
    latency_s=0.25,
    finish_reason="stop",
    logprobs={"content": [{"token": "a", "logprob": -0.5}]},
    requests=2,
    embedding="AACAPw==",
)


def key(request: str = "r1", **parts: str | int) -> StoreKey:
    return replace(StoreKey(request=request, endpoint="https://api.openai.com/v1"), **parts)  # type: ignore[arg-type]


def filled(path: Path, *texts: str) -> None:
    store = FileStore(path)
    for text in texts:
        store.put(key(text), Completion(text=text), parts=PARTS)
    store.close()


def test_an_answer_comes_back_whole_in_this_and_in_a_later_process(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store" / "responses", "triage")
    store.put(key(), FULL, parts=PARTS)
    assert store.get(key()) == FULL
    store.close()

    later = open_store(tmp_path / "store" / "responses", "triage")
    assert later.get(key()) == FULL
    later.close()


@pytest.mark.parametrize(
    "other",
    [
        {"request": "r2"},
        {"endpoint": "https://elsewhere/v1"},
        {"role": "judge"},
        {"ordinal": 1},
        {"round": "2"},
    ],
)
def test_each_part_of_the_key_tells_answers_apart(other: dict[str, str | int], tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s.jsonl")
    store.put(key(), FULL, parts=PARTS)
    assert store.get(replace(key(), **other)) is None  # type: ignore[arg-type]
    store.close()


def test_a_run_that_stores_nothing_writes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / ".promptgate" / "responses", "triage")
    assert store.get(key()) is None
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_new_directory_is_ignored_by_git(tmp_path: Path) -> None:
    filled(tmp_path / ".promptgate" / "responses" / "triage.jsonl", "a")
    assert (tmp_path / ".promptgate" / ".gitignore").read_text() == "# Made by pytest-promptgate.\n*\n"


def test_a_read_only_store_that_holds_everything_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "a", "b")
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        store = FileStore(path)
        assert [store.get(key("a")), store.get(key("b"))] == [Completion(text="a"), Completion(text="b")]
        store.put(key("a"), Completion(text="a"), parts=PARTS)
        store.close()
    finally:
        tmp_path.chmod(0o755)


def test_a_line_holds_no_prompt_and_begins_with_the_key(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s.jsonl", clock=lambda: 1_700_000_000.1234)
    store.put(key(), Completion(text="hi", latency_s=0.5), parts=PARTS)
    store.close()

    header, line = (tmp_path / "s.jsonl").read_text().splitlines()
    assert header == '{"promptgate_store":1}'
    assert json.loads(line) == {
        "request": "r1",
        "endpoint": "https://api.openai.com/v1",
        "role": "subject",
        "ordinal": 0,
        "round": "",
        "time": 1_700_000_000.123,
        "digest": json.loads(line)["digest"],
        "parts": PARTS,
        "answer": {"text": "hi", "latency_s": 0.5},
    }


def test_an_answer_that_nobody_timed_has_no_latency_after_the_store_too(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s.jsonl")
    store.put(key(), Completion(text="hi"), parts={"trial": "a"})
    store.close()

    assert json.loads((tmp_path / "s.jsonl").read_text().splitlines()[1])["answer"] == {"text": "hi"}
    later = FileStore(tmp_path / "s.jsonl")
    assert (later.get(key()), later.latency_of("a")) == (Completion(text="hi"), None)
    later.close()


def test_stores_are_merged_by_cat_and_the_oldest_answer_wins(tmp_path: Path) -> None:
    for name, now in (("a", 20.0), ("b", 10.0), ("c", 30.0)):
        store = FileStore(tmp_path / name, clock=lambda now=now: now)  # type: ignore[misc]
        store.put(key(), Completion(text=name), parts=PARTS)
        store.put(key(name), Completion(text=f"own {name}"), parts=PARTS)
        store.close()
    parts = [(tmp_path / name).read_bytes() for name in ("a", "b", "c")]
    for order in (parts, parts[::-1]):
        (tmp_path / "all").write_bytes(b"".join(order))
        merged = FileStore(tmp_path / "all")
        assert [merged.get(key(name)) for name in ("r1", "a", "c")] == [
            Completion(text=text) for text in ("b", "own a", "own c")
        ]
        assert merged.complaints == ()
        merged.close()


def test_of_answers_of_one_moment_the_smallest_digest_wins(tmp_path: Path) -> None:
    lines = []
    for text in ("x", "y"):
        store = FileStore(tmp_path / text, clock=lambda: 5.0)
        store.put(key(), Completion(text=text), parts=PARTS)
        store.close()
        lines.append((tmp_path / text).read_bytes())
    winner = min(lines, key=lambda line: str(json.loads(line.splitlines()[1])["digest"]))
    for order in (lines, lines[::-1]):
        (tmp_path / "all").write_bytes(b"".join(order))
        store = FileStore(tmp_path / "all")
        got = store.get(key())
        assert got is not None
        assert got.text == json.loads(winner.splitlines()[1])["answer"]["text"]
        store.close()


def test_a_torn_last_line_is_repaired_and_not_complained_of_again(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "a", "b")
    path.write_bytes(path.read_bytes()[:-40])

    store = FileStore(path)
    assert (store.get(key("a")), store.get(key("b"))) == (Completion(text="a"), None)
    store.put(key("b"), Completion(text="b2"), parts=PARTS)
    store.close()

    again = FileStore(path)
    assert again.get(key("b")) == Completion(text="b2")
    assert again.complaints == ()
    again.close()


def test_a_last_line_that_lacks_only_its_end_of_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "a")
    path.write_bytes(path.read_bytes()[:-1])
    filled(path, "b")

    store = FileStore(path)
    assert (store.get(key("a")), store.get(key("b"))) == (Completion(text="a"), Completion(text="b"))
    assert store.complaints == ()
    store.close()


@pytest.mark.parametrize("rubbish", [b"\x00\xff\xfe", b"{}", b"[1]", b'{"answer": 1}', b"[" * 10_000, b"null", b"7"])
def test_a_corrupt_line_is_skipped_and_told(rubbish: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "a")
    path.write_bytes(path.read_bytes() + rubbish + b"\n")
    filled(path, "b")

    store = FileStore(path)
    assert (store.get(key("a")), store.get(key("b"))) == (Completion(text="a"), Completion(text="b"))
    assert store.complaints == (f"{path}:3: not a line of a response store; skipped",)
    store.close()


def test_what_is_asked_in_the_place_of_a_broken_answer_stays(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "wrong")
    path.write_text(path.read_text().replace('"text":"wrong"', '"text":"right"'))
    store = FileStore(path)
    assert store.get(key("wrong")) is None
    store.put(key("wrong"), Completion(text="again"), parts=PARTS)
    store.close()

    later = FileStore(path)  # the broken line is the older one, and would win
    assert [later.get(key("wrong")) for _ in range(2)] == [Completion(text="again")] * 2
    assert later.complaints == (f"{path}:2: the answer does not match its digest; skipped",)
    later.close()


@pytest.mark.parametrize("first", [0, 1], ids=["the older one first", "the newer one first"])
def test_of_two_answers_the_whole_one_counts(tmp_path: Path, first: int) -> None:
    lines = []
    for at in ("1", "2"):
        one = FileStore(tmp_path / f"{at}.jsonl", clock=partial(float, at))
        one.put(key("a"), Completion(text=f"at {at}"), parts=PARTS)
        one.close()
        lines.append(one.path.read_text().splitlines(keepends=True)[1])
    both = "".join(lines[::-1] if first else lines)

    for text, counts in ((both, "at 1"), (both.replace("at 1", "at 7"), "at 2")):
        path = tmp_path / "s.jsonl"
        path.write_text(text)
        store = FileStore(path)
        assert store.get(key("a")) == Completion(text=counts)
        store.close()


def test_an_answer_that_was_edited_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    filled(path, "wrong")
    path.write_text(path.read_text().replace('"text":"wrong"', '"text":"right"'))

    store = FileStore(path)
    assert store.get(key("wrong")) is None
    assert store.complaints == (f"{path}:2: the answer does not match its digest; skipped",)
    store.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"promptgate_store":2}\n')
    with pytest.raises(StoreError) as told:
        FileStore(path).get(key())
    assert str(told.value) == (
        f"{path}:1: the response store has format 2, this pytest-promptgate reads 1\n"
        "  Upgrade pytest-promptgate, or set promptgate_dir to another directory."
    )


def test_a_directory_in_the_files_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as told:
        FileStore(tmp_path).get(key())
    assert str(told.value) == (
        f"{tmp_path}: the response store cannot be read: Is a directory\n  Mend it or move it away."
    )


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "responses" / "s.jsonl"
    with pytest.raises(StoreError) as told:
        FileStore(path).put(key(), FULL, parts=PARTS)
    assert re.sub(r"(read|written): .*", r"\1: …", str(told.value)).startswith(f"{path}: the response store cannot be")


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
sys.argv = ["-c", *sys.argv[1:]]
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_told_with_the_way_out_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    arguments = [sys.executable, "-c", LIMITED + WRITER, str(path), "a", "100", "200"]
    process = subprocess.run(arguments, capture_output=True, text=True, check=False)

    stored = process.stdout.splitlines()
    assert process.stderr.endswith(
        f"StoreError: {path}: the response store cannot be written: File too large\n"
        "  What was stored so far is kept, and will not be asked again. Make room or mend the permissions, "
        "then run again.\n"
    )
    filled(path, "after")
    store = FileStore(path)
    assert len(store) == len(stored) + 1
    assert store.complaints == ()
    store.close()


def test_a_round_counts_from_its_line_on(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store = FileStore(path)
    store.put(key(round="2"), Completion(text="new"), parts=PARTS)
    assert store.complete_rounds == frozenset()
    store.complete_round("2")
    store.complete_round("2")
    store.close()

    again = FileStore(path)
    assert again.complete_rounds == {"2"}
    again.close()
    assert path.read_text().count("round_complete") == 1
    again.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"messages": "m2"}, "differs from the stored request in messages"),
        ({"messages": "m2", "model": "o2"}, "differs from the stored request in messages and model"),
        ({}, "the same request is stored, but for another sample or round"),
        ({"trial": "case-9"}, ""),
    ],
)
def test_a_miss_names_what_differs_from_the_nearest_request(changed: dict[str, str], said: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s.jsonl")
    store.put(key("far"), FULL, parts=PARTS | {"messages": "m9", "parameters": "p9", "tools": "t9"})
    store.put(key("near"), FULL, parts=PARTS)
    assert store.explain_miss(key("now"), parts=PARTS | changed) == said
    store.close()


def test_a_miss_names_another_endpoint(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s.jsonl")
    store.put(key(), FULL, parts=PARTS)
    assert store.explain_miss(key(endpoint="http://127.0.0.1:1/v1"), parts=PARTS) == (
        "differs from the stored request in endpoint (https://api.openai.com/v1)"
    )
    store.close()


@pytest.mark.parametrize(
    "suite", ["../evil", "a/b", "CON", "nul", "Ünï", "", "." * 3, "x" * 300, "Triage", "a b", "a\x00b"]
)
def test_a_suites_name_cannot_leave_the_directory(suite: str) -> None:
    name = file_name(suite)
    assert re.fullmatch(r"[a-z0-9-]+\.jsonl", name)
    assert len(name) < 90


def test_different_suites_have_different_files() -> None:
    names = ["triage", "Triage", "TRIAGE", "tri age", "tri-age", "tri/age", "é", "è"]
    assert len({file_name(name) for name in names}) == len(names)
    assert file_name("triage") == "triage.jsonl"


WRITER = """
import sys
from pathlib import Path
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.types import Completion
from pytest_promptgate.models.store import FileStore

store = FileStore(Path(sys.argv[1]))
name, count, size = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(count):
    key = StoreKey(request=f"{name}-{number}", endpoint="e")
    store.put(key, Completion(text=name * size), parts={"trial": str(number)})
    print(number, flush=True)
store.close()
"""


def writer(path: Path, name: str, count: int, size: int) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(count), str(size)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    both = [writer(path, name, 300, 40_000) for name in ("a", "b")]
    for process in both:
        process.communicate(timeout=60)

    store = FileStore(path)
    assert store.complaints == ()
    assert len(store) == 600
    assert store.get(StoreKey(request="b-299", endpoint="e")) == Completion(text="b" * 40_000)
    store.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_process_loses_no_answer_that_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    draw = random.Random(1)
    stored: set[str] = set()
    for turn in range(5):
        process = writer(path, f"t{turn}", 1_000_000, 2_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        stored |= {f"t{turn}-{number}" for number in range(len(process.communicate()[0].splitlines()))}

    store = FileStore(path)
    assert store.complaints == ()
    assert all(store.get(StoreKey(request=name, endpoint="e")) is not None for name in stored)
    store.close()
