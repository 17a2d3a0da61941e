"""What a reply that is no answer means for its request and for its account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.errors import AccountStopped, CallError, RequestRefused, TransportFault
from pytest_promptgate.models.pacing import Hints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.models.endpoints import Endpoint

_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_user_quota")
_NO_MODEL = ("model_not_found", "invalid_model", "DeploymentNotFound", "model_not_available")
_OVERLOADED = (429, 503, 529)
_TRANSIENT = (408, 409, 425, 429)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A reply with an error status."""

    status: int
    body: object  # parsed JSON, or the text
    headers: Mapping[str, str]  # any case of names, as the client gives them

    @property
    def error(self) -> Mapping[str, Any]:
        """OpenAI's ``error`` object; empty if there is none."""
        error = self.body.get("error", self.body) if isinstance(self.body, dict) else None
        return error if isinstance(error, dict) else {}

    @property
    def codes(self) -> tuple[str, str]:
        """The machine's words for it."""
        return str(self.error.get("code") or ""), str(self.error.get("type") or "")


def error_of(
    where: str,
    model: str,
    refusal: Refusal,
    endpoint: Endpoint,
    *,
    wanted: str = "chat completions",
    now: datetime | None = None,
) -> CallError:
    """What the engine is told."""
    status, codes = refusal.status, refusal.codes
    said = _said(refusal, endpoint)
    if status in (401, 403) or status == 402 or any(code in _NO_CREDIT for code in codes):
        return _account_error(endpoint, refusal, said)
    names_a_model = re.search("model|deployment", said, re.IGNORECASE) is not None
    if any(code in _NO_MODEL for code in codes) or (status == 404 and names_a_model):
        return AccountStopped(
            where, f"the provider does not know the model {model!r}{said}", hint=_model_hint(endpoint, model)
        )
    if status == 404:
        return AccountStopped(
            where,
            f"there are no {wanted} at {endpoint.url} (status 404)",
            hint="Look at base_url: most end in /v1.",
        )
    retry = refusal.headers.get("x-should-retry")
    if retry != "true" and (retry == "false" or (status not in _TRANSIENT and status < 500)):
        return RequestRefused(where, f"the provider refused this request (status {status}){said}")
    return TransportFault(
        where,
        f"{'the rate limit was reached' if status == 429 else 'the provider failed'} (status {status}){said}",
        retry_after=retry_after(refusal.headers, now=now),
        overloaded=status in _OVERLOADED,
    )


def _account_error(endpoint: Endpoint, refusal: Refusal, said: str) -> AccountStopped:
    name, variable, status = endpoint.name, endpoint.key_env, refusal.status
    if status == 401:
        # What the provider says here may quote the key.
        if not variable:
            return AccountStopped(
                name,
                "the provider wants a key",
                hint="Add `api_key_env`, the name of its variable, in promptgate.yaml.",
            )
        return AccountStopped(
            name,
            f"the provider refused the key in {variable}",
            hint=f"Put a valid key for {endpoint.url} into {variable}.",
        )
    if status == 403:
        with_key = f" to the key in {variable}" if variable else ""
        return AccountStopped(
            name,
            f"the provider denies access{with_key} (status 403){said}",
            hint=f"Look at what {endpoint.url} allows it.",
        )
    return AccountStopped(
        name,
        f"the quota is exhausted (status {status}){said}",
        hint="Top it up or raise the limit at the provider, then run again: stored answers are not asked again.",
    )


def _model_hint(endpoint: Endpoint, model: str) -> str:
    if endpoint.azure:
        return f"Write its deployment in promptgate.yaml: providers: {endpoint.name}: deployments: {{{model}: …}}."
    return "Look at its spelling, and whether the key has access to it."


def _said(refusal: Refusal, endpoint: Endpoint) -> str:
    """``: `` and the provider's own words, shortened and without secrets; "" if it said nothing."""
    message = refusal.error.get("message") or refusal.error.get("detail")
    if not isinstance(message, str) or not message.strip():
        return ""
    return f": {endpoint.without_secrets(one_line(message, width=300)).rstrip('.')}"


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that the provider asks us to wait: ``retry-after-ms``, or ``retry-after`` in seconds or as a date."""
    if (text := headers.get("retry-after-ms")) is not None and (milliseconds := _number(text)) is not None:
        return milliseconds / 1000
    if (text := headers.get("retry-after")) is None:
        return None
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())


def hints_of(headers: Mapping[str, str], *, unit: str = "requests") -> Hints | None:
    """The provider's limit of requests or "tokens", if it told what remains and when it is full again."""
    remaining = _number(headers.get(f"x-ratelimit-remaining-{unit}", ""))
    reset = _seconds(headers.get(f"x-ratelimit-reset-{unit}", ""))
    if remaining is None or reset is None:
        return None
    return Hints(remaining=remaining, reset_s=reset, limit=_number(headers.get(f"x-ratelimit-limit-{unit}", "")))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _seconds(text: str) -> float | None:
    """``1s``, ``6m0s``, ``120ms``, or plain seconds."""
    pieces = _DURATION.findall(text)
    if pieces and "".join(number + unit for number, unit in pieces) == text:
        return sum(float(number) * _UNIT_S[unit] for number, unit in pieces)
    return _number(text)
