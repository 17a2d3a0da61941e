"""The Batch endpoint of the loopback server: files up, batches, files down, as OpenAI has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from .answers import Answers, answer_for, reply
from .faults import Fault, Wire

Body: TypeAlias = dict[str, Any]

ERROR = {"message": "Invalid 'temperature'.", "type": "invalid_request_error", "param": None, "code": "invalid_value"}
EXPIRED = {"code": "batch_expired", "message": "This request could not be executed in time."}


@dataclass(slots=True, kw_only=True)
class BatchEndpoint:
    """What ``/v1/files`` and ``/v1/batches`` do.

    Args:
        answers: As for the server.
        outcome: Body of a request -> "answer", "refuse", "expire" or "lose".
        polls: How often a batch is still in progress when it is asked for.
        end: The status that a batch ends with.
        faults: Fail a whole batch with these messages, as wrong files do.
        model: That answers; None echoes the one that was asked.
        cut_replies: Begin a batch, but break the connection before the reply, for so many batches.
        refuses: The reply to everything.
    """

    answers: Answers = None
    outcome: Callable[[Body], str] = lambda _: "answer"
    polls: int = 0
    end: str = "completed"
    faults: tuple[str, ...] = ()
    model: str | None = None
    cut_replies: int = 0
    refuses: Fault | None = None
    heads: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Body] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # custom ids, of all batches
    _left: dict[str, int] = field(default_factory=dict)

    def handle(self, method: str, path: str, head: bytes, raw: bytes) -> Fault | None:
        """The reply, or None if the path is somebody else's."""
        self.heads.append(head)
        if self.refuses is not None:
            return self.refuses
        parts = urlsplit(path)
        words = parts.path.strip("/").split("/")[1:]
        match (method, *words):
            case ("POST", "files"):
                return _json(self._upload(head, raw))
            case ("GET", "files", name, "content") if name in self.files:
                return Fault(body=self.files[name], content_type="application/octet-stream")
            case ("POST", "batches"):
                return self._create(json.loads(raw))
            case ("GET", "batches"):
                return _json(self._list(parse_qs(parts.query)))
            case ("GET", "batches", name) if name in self.batches:
                return _json(self._status(name))
        return None

    def _upload(self, head: bytes, raw: bytes) -> Body:
        boundary = re.search(rb"boundary=([^\r\n;]+)", head)
        assert boundary is not None
        pieces = raw.split(b"--" + boundary[1])
        content = next(each for each in pieces if b"filename=" in each).partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "created_at": 0, "filename": name} | {
            "purpose": "batch",
            "status": "processed",
        }

    def _create(self, body: Body) -> Fault:
        name = f"batch_{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        self.asked += [line["custom_id"] for line in lines]
        self._left[name] = self.polls
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "metadata": body.get("metadata"),
            "created_at": len(self.batches),
            "status": "validating",
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "lines": lines,
        }
        if self.cut_replies > 0:
            self.cut_replies -= 1
            return Fault(wire=Wire.CLOSED)
        return _json(_shown(self.batches[name]))

    def _list(self, query: dict[str, list[str]]) -> Body:
        names = [*reversed(self.batches)]
        start = names.index(query["after"][0]) + 1 if "after" in query else 0
        size = 2  # far fewer than asked for, so that clients have to turn the page
        page = names[start : start + size]
        return {
            "object": "list",
            "data": [_shown(self.batches[name]) for name in page],
            "has_more": start + size < len(names),
        }

    def _status(self, name: str) -> Body:
        batch = self.batches[name]
        if self._left[name] > 0:
            self._left[name] -= 1
            batch["status"] = "in_progress"
        elif "lines" in batch:
            self._end(batch, batch.pop("lines"))
        return _shown(batch)

    def _end(self, batch: Body, lines: list[Body]) -> None:
        batch["status"] = "failed" if self.faults else self.end
        if self.faults:
            batch["errors"] = {"object": "list", "data": [{"code": "bad", "message": each} for each in self.faults]}
            return
        answered: list[Body] = []
        failed: list[Body] = []
        for number, line in enumerate(reversed(lines)):  # in no order that a client could rely on
            self._one(number, line, answered, failed)
        batch["request_counts"] |= {"completed": len(answered), "failed": len(failed)}
        for key, results in (("output_file_id", answered), ("error_file_id", failed)):
            if results:
                batch[key] = f"file-{batch['id']}-{key}"
                self.files[batch[key]] = "".join(f"{json.dumps(each)}\n" for each in results).encode()

    def _one(self, number: int, line: Body, answered: list[Body], failed: list[Body]) -> None:
        outcome, name, body = self.outcome(line["body"]), line["custom_id"], line["body"]
        common = {"id": f"batch_req_{number}", "custom_id": name}
        if outcome == "answer":
            answer = answer_for(self.answers, body)
            content = json.loads(reply(answer, body, number=number, model=self.model or body["model"]))
            answered.append({**common, "response": {"status_code": 200, "body": content}, "error": None})
        elif outcome == "refuse":
            failed.append({**common, "response": {"status_code": 400, "body": {"error": ERROR}}, "error": None})
        elif outcome == "expire":
            failed.append({**common, "response": None, "error": EXPIRED})


def _json(value: Body) -> Fault:
    return Fault(body=json.dumps(value).encode())


def _shown(batch: Body) -> Body:
    return {key: value for key, value in batch.items() if key != "lines"}
