"""Comments on pull requests through GitHub's REST API, with the standard library alone.

https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_promptgate.core.comment import Comment
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.errors import CommentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from typing import Any

    from pytest_promptgate.core.types import Json

_PAGE = 100  # comments of one answer, GitHub's most
_PAGES = 100
_SECONDS = 30.0
_ACTIONS = "github-actions[bot]"  # who GITHUB_TOKEN writes as; such a token may not ask for its own name
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_WRITE = (
    "The token may not write here: give the job `permissions: {pull-requests: write}`.\n"
    "Pull requests from forks never get such a token; their report is in the job's summary. "
    "With --best-effort this is no failure."
)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another host must not be sent the token."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """The comments of one pull request."""

    api: str  # without a slash at its end
    repository: str  # owner/name
    number: int
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.api)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise CommentError(self.api, "the API's address must begin with https://: the token is sent there")

    def author(self) -> str:
        """The login that the token writes as."""
        try:
            found = self._asked("GET", "/user")
        except CommentError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return _ACTIONS
            raise
        login = found.get("login") if isinstance(found, Mapping) else None
        if not isinstance(login, str) or not login:
            raise CommentError("GitHub", "it does not say whose the token is", hint="Say it: --author LOGIN.")
        return login

    def comments(self) -> Iterator[Comment]:
        """All comments, oldest first."""
        for page in range(1, _PAGES + 1):
            found = self._asked("GET", f"{self._thread}?per_page={_PAGE}&page={page}")
            listed = found if isinstance(found, list) else []
            yield from (_comment(each) for each in listed if isinstance(each, Mapping))
            if len(listed) < _PAGE:
                return

    def create(self, body: str) -> Comment:
        """Write a new comment."""
        return _comment(self._asked("POST", self._thread, {"body": body}))

    def update(self, comment: Comment, body: str) -> Comment | None:
        """Replace a comment's text; None if it was deleted meanwhile."""
        try:
            return _comment(
                self._asked("PATCH", f"/repos/{self.repository}/issues/comments/{comment.id}", {"body": body})
            )
        except CommentError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    @property
    def _thread(self) -> str:
        return f"/repos/{self.repository}/issues/{self.number}/comments"

    def _asked(self, method: str, path: str, body: Json = None) -> Json:
        request = urllib.request.Request(  # noqa: S310 the scheme was looked at
            self.api + path,
            method=method,
            data=None if body is None else json.dumps(body).encode("utf-8"),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": "pytest-promptgate",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as reply:
                found: Json = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise CommentError(
                self.api, f"GitHub's API cannot be reached: {self._told(str(reason))}", hint="Run the command again."
            ) from None
        return found

    def _refused(self, error: urllib.error.HTTPError) -> CommentError:
        with error:
            said = self._told(_message(error.read()))
        what, hint = self._explained(error.code, error.headers)
        return CommentError(
            f"{self.repository}#{self.number}",
            f"{what} ({error.code}{f': {said}' if said else ''})",
            hint=hint,
            status=error.code,
        )

    def _explained(self, code: int, headers: Message) -> tuple[str, str]:
        limited = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
        if code == HTTPStatus.TOO_MANY_REQUESTS or (code == HTTPStatus.FORBIDDEN and limited):
            return "GitHub's rate limit is reached", "Run the command again later; nothing was written."
        if code == HTTPStatus.UNAUTHORIZED:
            return "GitHub does not accept the token", "Set GITHUB_TOKEN: ${{ github.token }} in the step's `env`."
        if code == HTTPStatus.FORBIDDEN:
            return "GitHub refuses the comment", _NO_WRITE
        if code == HTTPStatus.NOT_FOUND:
            return "there is no such pull request for this token", "Look at --pr and GITHUB_REPOSITORY."
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "GitHub failed", "Run the command again."
        return "GitHub does not take the comment", ""

    def _told(self, text: str) -> str:
        return one_line(text.replace(self.token, "***"), width=200)


def _message(body: bytes) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    return str(value.get("message", "")) if isinstance(value, Mapping) else ""


def _comment(value: Json) -> Comment:
    if not isinstance(value, Mapping) or not isinstance(number := value.get("id"), int):
        raise CommentError("GitHub", "its answer is not the comment that was asked for", hint="Look at GITHUB_API_URL.")
    user = value.get("user")
    return Comment(
        id=number,
        author=str(user.get("login", "")) if isinstance(user, Mapping) else "",
        body=str(value.get("body") or ""),
        url=str(value.get("html_url", "")),
    )
