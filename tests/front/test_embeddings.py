"""embedding_similarity in real runs: the loopback server answers as ``small-1`` and embeds as ``small-2``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from front_project import RIGHT, lines_of
from loopback.answers import last_user_text
from loopback.faults import Fault

if TYPE_CHECKING:
    from front_project import Project
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

SUITE = """\
prompt: triage
dataset: ../datasets/mails.jsonl
scorers: {close: {embedding_similarity: {model: local/small-2}}}
metrics: {close: mean(close)}
"""
NEAR = {"billing": [3.0, 4.0], "bill": [4.0, 3.0], "shipping": [0.0, 1.0], "account": [1.0, 0.0]}
PRICES = "prices: {local/small-1: {input: 1, output: 1}, local/small-2: {input: 10000, output: 0}}\n"


def embedded_texts(server: LoopbackServer) -> list[str]:
    return sorted(each.body["input"] for each in server.requests if each.path == "/v1/embeddings")


def started(project: Project, loopback: Loopback, answer: Callable[[str], str]) -> LoopbackServer:
    server = loopback(
        answers=lambda body: answer(last_user_text(body)), vectors=lambda text: NEAR.get(text, [0.0, 0.0])
    )
    project.served(server.base_url)
    project.suite(SUITE)
    return server


def almost(question: str) -> str:
    return RIGHT[question].replace("billing", "bill")


def test_every_text_is_embedded_once_and_found_again(project: Project, loopback: Loopback) -> None:
    server = started(project, loopback, almost)
    project.write("promptgate.yaml", project.text("promptgate.yaml") + PRICES)

    first = project.evals()
    again = project.evals("--prompt-offline")

    assert embedded_texts(server) == ["bill", "billing"]
    assert lines_of(first, "  close by ") == [
        "  close by local/small-2: 2 embeddings asked, 6 from the store, 2 tokens, $0.02"
    ]
    assert lines_of(again, "  close by ") == ["  close by local/small-2: 0 embeddings asked, 8 from the store"]
    for result in (first, again):
        # four of ten are bill for billing: cosine 24 / 25
        assert "  close   -         0.984    -       new      10/0/0" in result.stdout.lines
    stored = [json.loads(line) for line in project.text(".promptgate/responses/triage.jsonl").splitlines()[1:]]
    assert [each["ordinal"] for each in stored if each["role"] == "judge"] == [0, 0]


def test_what_cannot_be_embedded_is_unscored_and_never_zero(project: Project, loopback: Loopback) -> None:
    def answer(question: str) -> str:
        return "nothing known" if "parcel" in question else almost(question)

    server = started(project, loopback, answer)
    body = b'{"error": {"message": "too long"}}'
    server.faults = lambda _number, body_: Fault(status=400, body=body) if body_.get("input") == "bill" else None

    result = project.evals()

    assert "  close   -         1.000    -       inconclusive  4/6/0" in result.stdout.lines
    assert lines_of(result, "  unscored: ") == [
        "  unscored: c-01, c-02, c-07, c-10: the embedding model's provider refused the request: the provider refused "
        "this request (status 400): too long",
        "  unscored: c-03, c-08: the embeddings cannot be compared: a vector is all zeros, so it has no direction",
    ]


def test_an_embedding_that_is_not_stored_is_told_offline(project: Project, loopback: Loopback) -> None:
    started(project, loopback, almost)
    project.evals()
    lines = project.text(".promptgate/responses/triage.jsonl").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line).get("role") != "judge"]
    project.write(".promptgate/responses/triage.jsonl", "".join(kept))

    result = project.evals("--prompt-offline")

    assert "triage::c-01 (close): no embedding is stored, and --prompt-offline asks nothing" in result.stdout.str()


def test_another_model_embeds_the_baselines_answers_anew(project: Project, loopback: Loopback) -> None:
    server = started(project, loopback, almost)
    project.accept()
    server.requests.clear()
    project.suite(SUITE.replace("local/small-2", "embedded/hashed-words-1"))

    result = project.evals()

    assert server.requests == []
    assert "  close   0.600     0.600    +0.000  unchanged  10/0/0" in result.stdout.lines
