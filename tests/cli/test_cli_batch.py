"""``promptgate batch submit | status | collect``, against a Batch endpoint on the loopback interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cli_world import PRICES, CliProject, Said
from front_project import ROWS, SUITE
from loopback.answers import last_user_text
from loopback.batches import BatchEndpoint

from pytest_promptgate.core import batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

QUEUES = {message: queue for _, message, queue in ROWS}
MANY = "some requests have no answer: submit again, or let pytest --prompt-evals ask for them\n"


def test_a_batch_fills_the_store_and_a_run_then_asks_nothing(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint(answers=QUEUES)
    server = remote(batches=endpoint)
    project.write("promptgate.yaml", PRICES)

    submitted = project.cli("batch", "submit", "triage")
    shown = project.cli("batch", "status")
    collected = project.cli("batch", "collect")

    assert submitted == Said(
        out=(
            "triage: 10 requests, about 3.2k tokens (guessed from the length of the prompts), "
            "cost $5.42 at half the price\n"
            "triage: submitted 10 requests as batch_0\n"
        ),
        err="",
        code=0,
    )
    assert shown.out == (
        "suite   slot     batch    status     requests  done  failed\n"
        "triage  default  batch_0  completed        10    10       0\n"
    )
    assert collected == Said(out="triage: batch_0: completed, 10 answers stored\n", err="", code=0)
    result = project.evals()
    assert server.count == 0
    result.stdout.fnmatch_lines(["*10 cases: 0 unchanged, 10 from the store, 0 asked*"])
    assert project.cli("batch", "collect") == Said(out="no batch is under way\n", err="", code=0)


def test_what_is_sent_is_what_a_run_would_send(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    endpoint = BatchEndpoint()
    server = remote(batches=endpoint)
    project.cli("batch", "submit", "evals")
    project.evals()

    lines = [json.loads(line) for line in endpoint.files["file-0"].splitlines()]

    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
    sent = sorted((line["body"] for line in lines), key=last_user_text)
    assert sent == sorted((each.body for each in server.requests), key=last_user_text)
    assert all(len(line["custom_id"]) <= 64 for line in lines)
    assert endpoint.batches["batch_0"]["completion_window"] == "24h"


def test_a_dry_run_submits_nothing_and_writes_nothing(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint()
    remote(batches=endpoint)

    said = project.cli("batch", "submit", "--dry-run", "triage")

    assert said.out == (
        "triage: 10 requests, about 3.2k tokens (guessed from the length of the prompts), "
        "cost unknown at half the price\n"
    )
    assert (endpoint.files, (project.root / ".promptgate").exists()) == ({}, False)


def test_what_is_under_way_stored_or_unchanged_is_not_submitted(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint(answers=QUEUES)
    remote(batches=endpoint, answers=QUEUES)
    project.dataset(ROWS[:4])
    project.accept()
    project.dataset(ROWS[:7])
    project.cli("batch", "submit", "triage")
    project.dataset(ROWS)

    second = project.cli("batch", "submit", "triage")
    third = project.cli("batch", "submit", "triage")

    assert second.out.splitlines()[-1] == "triage: submitted 3 requests as batch_1"
    assert third.out == "triage: nothing to submit: 4 unchanged, 6 stored or under way\n"
    assert len(set(endpoint.asked)) == len(endpoint.asked) == 6


def test_a_batch_that_is_not_done_is_left_alone(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(batches=BatchEndpoint(answers=QUEUES, polls=1))
    project.cli("batch", "submit", "triage")

    early = project.cli("batch", "collect")
    late = project.cli("batch", "collect")

    assert early == Said(
        out="triage: batch_0: in_progress, 0 of 10 done\n",
        err="1 batch is under way: collect again later, or with --wait\n",
        code=1,
    )
    assert late.out == "triage: batch_0: completed, 10 answers stored\n"


def test_a_partly_failed_batch_gives_its_answers_and_says_what_failed(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint(answers=QUEUES, outcome=lambda body: _outcome(last_user_text(body)))
    remote(batches=endpoint)
    project.cli("batch", "submit", "triage")

    said = project.cli("batch", "collect")

    assert said == Said(
        out="triage: batch_0: completed, 6 answers stored\n",
        err=(
            "  2 requests not answered: status 400: invalid_value: Invalid 'temperature'.\n"
            "  1 request not answered: batch_expired: This request could not be executed in time.\n"
            "  1 request not answered: the provider says nothing of them\n"
            f"{MANY}"
        ),
        code=1,
    )
    endpoint.outcome = lambda _: "answer"
    assert project.cli("batch", "submit", "triage").out.splitlines()[-1] == "triage: submitted 4 requests as batch_1"
    assert project.cli("batch", "collect").code == 0


def test_an_expired_batch_gives_what_it_has(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(
        batches=BatchEndpoint(
            answers=QUEUES, end="expired", outcome=lambda body: "expire" if "card" in last_user_text(body) else "answer"
        )
    )
    project.cli("batch", "submit", "triage")

    said = project.cli("batch", "collect")

    assert said.out == "triage: batch_0: expired, 8 answers stored\n"
    assert said.code == 1


def test_a_batch_that_fails_as_a_whole_says_why(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(batches=BatchEndpoint(faults=("Line 1: \x1b[31mno such model",)))
    project.cli("batch", "submit", "triage")

    assert project.cli("batch", "collect") == Said(
        out="triage: batch_0: failed, 0 answers stored\n",
        err=(
            "  10 requests not answered: the provider says nothing of them\n"
            "  the batch failed: Line 1: \\x1b[31mno such model\n"
            f"{MANY}"
        ),
        code=1,
    )


def test_another_model_that_answers_is_refused(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(batches=BatchEndpoint(answers=QUEUES, model="gpt-4o-2024-08-06"))
    project.cli("batch", "submit", "triage")

    assert project.cli("batch", "collect").err == (
        f"  10 requests not answered: asked for gpt-4o-2024-11-20, answered by gpt-4o-2024-08-06\n{MANY}"
    )


def test_a_submit_that_was_killed_while_a_batch_began_finds_it_again(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint(answers=QUEUES, cut_replies=1)
    server = remote(batches=endpoint)
    project.dataset(ROWS[:3])

    killed = project.cli("batch", "submit", "triage")
    for number in range(3):  # others begin batches with the same key; ours is on a later page of the list
        endpoint.batches[f"other_{number}"] = {"id": f"other_{number}", "input_file_id": "x", "status": "completed"}
    again = project.cli("batch", "submit", "triage")

    assert killed.code == 1
    assert killed.err == (
        f"openai: the connection to {server.base_url} failed\n  Run the command again: it goes on where it stopped.\n"
    )
    assert again.out == (
        "triage: submitted 3 requests as batch_0\ntriage: nothing to submit: 0 unchanged, 3 stored or under way\n"
    )
    assert len(endpoint.asked) == 3
    assert project.cli("batch", "collect").out == "triage: batch_0: completed, 3 answers stored\n"


def test_a_submit_that_was_killed_before_a_batch_began_asks_again(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    endpoint = BatchEndpoint(answers=QUEUES)
    remote(batches=endpoint)
    project.cli("batch", "submit", "triage")
    journal = project.root / ".promptgate" / "batches.json"
    value = json.loads(journal.read_text())
    value["batches"][0] |= {"stage": "prepared", "file": "", "batch": ""}
    journal.write_text(json.dumps(value))
    endpoint.batches.clear()

    said = project.cli("batch", "submit", "triage")

    assert said.out.splitlines()[-1] == "triage: submitted 10 requests as batch_0"
    assert len(json.loads(journal.read_text())["batches"]) == 1


def test_a_collect_that_was_killed_repeats_nothing(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    server = remote(batches=BatchEndpoint(answers=QUEUES))
    project.cli("batch", "submit", "triage")
    own = project.root / ".promptgate"
    requests = next((own / "batches").glob("*.jsonl"))
    saved = {path: path.read_bytes() for path in (own / "batches.json", requests)}
    project.cli("batch", "collect")
    store = own / "responses" / "triage.jsonl"
    half = store.read_bytes().splitlines(keepends=True)[:5]
    store.write_bytes(b"".join(half) + b'{"request":"torn')
    for path, content in saved.items():
        path.write_bytes(content)

    assert project.cli("batch", "collect").code == 0

    assert store.read_text().count('"answer"') == 10
    project.evals()
    assert server.count == 0


def test_nothing_that_is_written_down_holds_a_prompt_or_a_key(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    remote(batches=BatchEndpoint())
    project.cli("batch", "submit", "triage")

    written = b"".join(path.read_bytes() for path in (project.root / ".promptgate").rglob("*") if path.is_file())

    assert b"courier" not in written
    assert b"sk-secret" not in written


def test_the_embedded_model_has_no_batch_endpoint(project: CliProject) -> None:
    project.standard()

    assert project.cli("batch", "submit", "triage") == Said(
        out="",
        err=(
            "embedded: providers of the kind 'embedded' have no Batch endpoint\n"
            "  Run pytest --prompt-evals: it asks one request at a time.\n"
        ),
        code=1,
    )


def test_a_server_without_the_endpoint_is_told(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    server = remote()

    said = project.cli("batch", "submit", "triage")

    assert said.code == 1
    assert said.err == (
        f"openai: there is no such batch, file or Batch endpoint at {server.base_url} (status 404)\n"
        "  Few providers but OpenAI and Azure have one; pytest --prompt-evals asks without it.\n"
    )


def test_a_missing_key_is_told(
    project: CliProject, remote: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    remote(batches=BatchEndpoint())
    monkeypatch.delenv("OPENAI_API_KEY")

    assert project.cli("batch", "submit", "triage").err == (
        "openai: OPENAI_API_KEY is not set\n"
        "  Put the provider's key there: export OPENAI_API_KEY=… (or run with --prompt-offline).\n"
    )


@pytest.mark.parametrize(
    ("suite", "what"),
    [
        (SUITE.replace("prompt: triage", "target: textwrap:dedent") + "inputs: {text: message}\n", "a target"),
        (f"{SUITE}turns: message\n", "conversations"),
    ],
)
def test_what_takes_turns_cannot_come_from_a_batch(project: CliProject, suite: str, what: str) -> None:
    project.standard()
    project.suite(suite)

    assert project.cli("batch", "submit", "triage").err == (
        f"evals/triage.eval.yaml: {what} cannot be asked in a batch\n  Run pytest --prompt-evals.\n"
    )


def test_a_gated_latency_cannot_come_from_a_batch(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(batches=BatchEndpoint())
    project.suite(
        f"{SUITE}gate: {{speed: {{tolerance: 0.1}}}}\n".replace("mean(queue)", "mean(queue), speed: p95(latency_s)")
    )

    assert project.cli("batch", "submit", "triage") == Said(
        out="",
        err=(
            "evals/triage.eval.yaml: speed gates the latency, and a batch has none\n"
            "  Write `speed: report` under gate:, or run pytest --prompt-evals.\n"
        ),
        code=4,
    )


def test_a_damaged_journal_is_told(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    remote(batches=BatchEndpoint())
    project.write(".promptgate/batches.json", '{"batches_version": 1, "batches": [{"id": 7}]}')

    assert project.cli("batch", "status") == Said(
        out="",
        err=(
            ".promptgate/batches.json: it cannot be read: batches[0].id: expected text, found 7\n"
            "  Move it away: batches that it knows of are then forgotten, and their answers paid for in vain.\n"
        ),
        code=1,
    )


def test_a_large_suite_is_split_by_requests_and_by_bytes() -> None:
    lines = [(batches.Item(custom_id=str(number), parts={}), b"x" * 10) for number in range(7)]

    by_number = [len(each.items) for each in batches.packed(lines, most_requests=3)]
    by_size = [len(each.content) for each in batches.packed(lines, most_bytes=25)]
    tiny = [len(each.items) for each in batches.packed(lines, most_bytes=5)]

    assert (by_number, by_size, tiny) == ([3, 3, 1], [20, 20, 20, 10], [1] * 7)
    assert (batches.MOST_REQUESTS, batches.MOST_BYTES) == (50_000, 200_000_000)
    assert list(batches.packed([])) == []


def test_the_name_of_a_request_holds_all_of_the_stores_key_that_is_its_own() -> None:
    name = batches.custom_id(request="ab" * 16, ordinal=3, role="judge")

    key = batches.key_of(name, endpoint="http://a/v1", round="2")

    assert key is not None
    assert (key.request, key.ordinal, key.role, key.endpoint, key.round) == ("ab" * 16, 3, "judge", "http://a/v1", "2")
    assert [batches.key_of(each, endpoint="", round="") for each in ("", "subject-x-1", f"{name}\n")] == [None] * 3


def _outcome(text: str) -> str:
    if "courier" in text:
        return "refuse"
    return {"password forgotten, cannot log in": "expire", "the invoice amount": "lose"}.get(text, "answer")


def test_waiting_looks_until_all_batches_have_ended(project: CliProject, remote: Callable[..., LoopbackServer]) -> None:
    endpoint = BatchEndpoint(answers=QUEUES, polls=2)
    server = remote(batches=endpoint)
    project.cli("batch", "submit", "triage")

    said = project.cli("batch", "collect", "--wait", "--every", "0.01")

    assert said == Said(
        out=(
            "triage: batch_0: in_progress, 0 of 10 done\n"
            "triage: batch_0: in_progress, 0 of 10 done\n"
            "triage: batch_0: completed, 10 answers stored\n"
        ),
        err="",
        code=0,
    )
    project.evals()
    assert server.count == 0


def test_waiting_for_a_batch_that_fails_ends_with_what_failed(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    remote(batches=BatchEndpoint(answers=QUEUES, polls=1, outcome=lambda body: _outcome(last_user_text(body))))
    project.cli("batch", "submit", "triage")

    said = project.cli("batch", "collect", "--wait", "--every", "0.01")

    assert said.out.splitlines()[-1] == "triage: batch_0: completed, 6 answers stored"
    assert (said.err.splitlines()[-1] + "\n", said.code) == (MANY, 1)
