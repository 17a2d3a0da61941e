"""One keep-alive connection of the server: HTTP/1.1 as far as clients of JSON need it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from .answers import answer_for, reply
from .embeddings import embedding_reply
from .faults import Fault, Wire

if TYPE_CHECKING:
    from .server import LoopbackServer

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many"}


class Connection(asyncio.Protocol):
    """One keep-alive connection; its requests come one after the other."""

    def __init__(self, server: LoopbackServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connected(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.disconnected(self)

    def abort(self) -> None:
        """Drop the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _content_length(head)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._handle(head, rest[:length])

    def _handle(self, head: bytes, raw: bytes) -> None:
        method, path = head.decode("latin-1").split(" ", 2)[:2]
        other = self._server.batches and self._server.batches.handle(method, path, head, raw)
        if other:
            self._send(other)
            return
        if not path.partition("?")[0].endswith(("/chat/completions", "/embeddings")):
            self._send(Fault(status=404, body=b'{"error": {"message": "no such path"}}'))
            return
        body = json.loads(raw)
        server = self._server
        number = server.note(path, head, body)
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        fault = server.fault_for(number, body)
        wait = server.wait_for() if fault is None or fault.status == 200 else 0.0
        if wait > 0:
            self._loop.call_later(wait, self._respond, fault, body, number)
        else:
            self._respond(fault, body, number)

    def _respond(self, fault: Fault | None, body: dict[str, Any], number: int) -> None:
        server = self._server
        server.at_once -= 1
        if fault is not None and not (fault.cut or fault.wire is Wire.DROPPED):
            self._send(fault)
            return
        asked = str(body.get("model", ""))
        model = server.model or asked
        if "input" in body:
            answer = embedding_reply(server.vectors(body["input"]), body, model=model)
        else:
            answer = reply(answer_for(server.answers, body), body, number=number, model=model)
        if fault is None:
            self._send(Fault(body=answer, headers=() if server.bucket is None else server.bucket.headers()))
        elif fault.cut:
            self._send(Fault(body=answer[: len(answer) // 2]))
        else:
            self._drop(answer)

    def _send(self, fault: Fault) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or fault.wire is Wire.HUNG:
            return
        if fault.wire is Wire.CLOSED:
            transport.close()
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in fault.headers)
        head = (
            f"HTTP/1.1 {fault.status} {REASONS.get(fault.status, 'Error')}\r\ncontent-type: {fault.content_type}\r\n"
            f"content-length: {len(fault.body)}\r\n{extra}\r\n"
        )
        transport.write(head.encode("latin-1") + fault.body)

    def _drop(self, answer: bytes) -> None:
        if self._transport is not None:
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
            self._transport.write(head.encode() + answer[: len(answer) // 2])
            self._transport.close()


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start < 0:
        return 0
    end = lowered.find(b"\r\n", start)
    return int(lowered[start + 15 : end if end >= 0 else None])
