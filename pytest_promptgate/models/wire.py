"""The `openai` client: the only place that knows it. One call, without retries, to bytes and headers."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import TransportFault
from pytest_promptgate.models.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai import AsyncOpenAI

    from pytest_promptgate.models.bodies import Posting
    from pytest_promptgate.models.endpoints import Endpoint

# The client then hands over the reply as it came, with its headers; `chat.completions.create` would check and copy
# every message, and build a model of the answer, for more CPU than all the rest of a call.
_RAW = {"X-Stainless-Raw-Response": "true"}


class Unreachable(TransportFault):
    """Nobody listens at the address, or it does not exist: told soon if it is so from the first call on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply with status 200."""

    content: bytes
    headers: Mapping[str, str]
    latency_s: float
    requests: int = 1  # 2: it was hedged, and both are paid


def transport_name() -> str:
    """What will carry the calls."""
    return "aiohttp" if importlib.util.find_spec("aiohttp") is not None else "httpx"


class Wire:
    """One client for one account.

    Args:
        most: Connections at most.
    """

    def __init__(self, endpoint: Endpoint, *, most: int) -> None:
        self.endpoint = endpoint
        self._client = _client(endpoint, most)
        self._headers = {**_RAW, **foreign_headers(endpoint)}

    async def post(self, where: str, posting: Posting, *, timeout_s: float) -> Reply | Refusal:
        """Post one request.

        Raises:
            TransportFault: No reply came.
        """
        import aiohttp
        import openai

        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                raw: Any = await self._client.post(
                    posting.path, body=posting.body, cast_to=object, options={"headers": self._headers}
                )
        except openai.APIStatusError as error:
            return Refusal(status=error.status_code, body=error.body, headers=error.response.headers)
        except TimeoutError as error:
            raise TransportFault(where, f"no answer within {timeout_s:g} s") from error
        except (openai.APIConnectionError, aiohttp.ClientError, OSError) as error:
            raise _connection_fault(where, self.endpoint, error) from error
        return Reply(content=raw.content, headers=raw.headers, latency_s=time.perf_counter() - began)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()


@contextmanager
def _not_collecting() -> Iterator[None]:
    """Pause the garbage collector: what an import makes stays, and walking it takes a fifth of the import's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _client(endpoint: Endpoint, most: int) -> AsyncOpenAI:
    with _not_collecting():
        import openai

    # httpx's own limits, without importing httpx: openai 2 and 3 have different ones.
    limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=most, max_keepalive_connections=most)
    aio = transport_name() == "aiohttp"
    http = (openai.DefaultAioHttpClient if aio else openai.DefaultAsyncHttpxClient)(limits=limits)
    # Our own time-out holds for a whole call; the client's is for each read.
    timeout = openai.Timeout(None, connect=10.0)
    settings: dict[str, Any] = {
        "api_key": endpoint.key or "none",
        "default_headers": endpoint.headers,
        "http_client": http,
        "max_retries": 0,
        "timeout": timeout,
    }
    if endpoint.azure:
        return openai.AsyncAzureOpenAI(azure_endpoint=endpoint.url, api_version=endpoint.api_version, **settings)
    client = openai.AsyncOpenAI(base_url=endpoint.url, **settings)
    if endpoint.name != "openai":
        # From OPENAI_ORG_ID and OPENAI_PROJECT_ID: nobody else's business.
        client.organization = client.project = None
    return client


def foreign_headers(endpoint: Endpoint) -> dict[str, Any]:
    """Headers that the client would add by itself and that do not belong here, each marked to be left out."""
    import openai

    given = {name.lower() for name in endpoint.headers}
    headers: dict[str, Any] = {}
    if not endpoint.key and "authorization" not in given:
        headers["Authorization"] = openai.Omit()
    if endpoint.name != "openai":
        ambient = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
        names = (line.partition(":")[0].strip() for line in ambient if ":" in line)
        headers |= {name: openai.Omit() for name in names if name.lower() not in given}
    return headers


def _connection_fault(where: str, endpoint: Endpoint, error: BaseException) -> TransportFault:
    """Tell apart what the client's transport throws together: on aiohttp a refused connection is a "time-out"."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and len(seen) < 10:
        seen.append(cause)
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    names = {type(each).__name__ for each in seen}
    address = endpoint.url
    if any(isinstance(each, ConnectionRefusedError) for each in seen) or ("ConnectError" in names and not names & _TLS):
        return Unreachable(
            where, f"nobody answers at {address}: the connection was refused", hint=_refused_hint(endpoint)
        )
    if "ClientConnectorDNSError" in names or "gaierror" in names:
        return Unreachable(where, f"the host of {address} is not known", hint=_refused_hint(endpoint))
    if names & _TLS:
        reason = str(seen[-1]).strip() or type(seen[-1]).__name__
        return Unreachable(where, f"no secure connection to {address}: {endpoint.without_secrets(reason)[:200]}")
    if any(isinstance(each, TimeoutError) for each in seen) or names & {"ConnectionTimeoutError", "ReadTimeout"}:
        return TransportFault(where, f"no connection to {address} within 10 s")
    return TransportFault(where, f"the connection to {address} was dropped before the answer was complete")


_TLS = {"ClientConnectorCertificateError", "ClientConnectorSSLError", "SSLCertVerificationError", "SSLError"}


def _refused_hint(endpoint: Endpoint) -> str:
    return f"Is the server running, and is base_url of {endpoint.name} right?"
