"""The part of GitHub's REST API that comments need, on a loopback address."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

THREAD = "/repos/acme/desk/issues/7/comments"


@dataclass
class FakeGitHub:
    """``with FakeGitHub() as github: … github.url, github.comments, github.asked``."""

    login: str | None = "github-actions[bot]"  # None: the token may not ask, as that of Actions
    writer: str = "github-actions[bot]"  # whose the new comments are
    comments: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[str, tuple[int, dict[str, str], str]] = field(
        default_factory=dict
    )  # "POST": (status, headers, body)
    asked: list[str] = field(default_factory=list)  # "GET /user", …
    tokens: set[str] = field(default_factory=set)

    def add(self, body: str, author: str = "github-actions[bot]") -> dict[str, Any]:
        """A comment that is there."""
        number = len(self.comments) + 1
        url = f"https://example.com/acme/desk/pull/7#issuecomment-{number}"
        self.comments.append({"id": number, "body": body, "user": {"login": author}, "html_url": url})
        return self.comments[-1]

    @property
    def bodies(self) -> list[str]:
        """Of all comments, in their order."""
        return [each["body"] for each in self.comments]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        parts = urlsplit(path)
        self.asked.append(f"{method} {parts.path}")
        if method in self.refusals:
            return self.refusals[method]
        if parts.path == "/user":
            allowed = self.login is not None
            told = {"login": self.login} if allowed else {"message": "Resource not accessible by integration"}
            return (200 if allowed else 403), {}, json.dumps(told)
        if method == "GET" and parts.path == THREAD:
            query = parse_qs(parts.query)
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, {}, json.dumps(self.comments[(page - 1) * size : page * size])
        if method == "POST" and parts.path == THREAD:
            return 201, {}, json.dumps(self.add(body["body"], self.writer))
        if method == "PATCH":
            found = [each for each in self.comments if parts.path.endswith(f"/comments/{each['id']}")]
            for each in found:
                each["body"] = body["body"]
            return (200, {}, json.dumps(found[0])) if found else (404, {}, '{"message": "Not Found"}')
        return 404, {}, '{"message": "Not Found"}'

    def __enter__(self) -> FakeGitHub:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                fake.tokens.add(self.headers["Authorization"])
                status, headers, text = fake.answer(self.command, self.path, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PATCH = _do  # noqa: N815 the names that http.server calls

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
