"""A Batch endpoint of OpenAI, of a compatible server, or of Azure: files up, batches, files down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_promptgate.core.batches import BatchStatus
from pytest_promptgate.core.pins import ServedModel, compare_served
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.errors import AccountStopped, CallError, RequestRefused, TransportFault, WrongModel
from pytest_promptgate.models.bodies import body_of
from pytest_promptgate.models.endpoints import endpoint_of
from pytest_promptgate.models.refusals import Refusal, error_of
from pytest_promptgate.models.replies import read_reply
from pytest_promptgate.models.wire import foreign_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from openai import OpenAI

    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Completion, ModelPin, Request
    from pytest_promptgate.models.endpoints import Endpoint

TRIES = 4  # beside the first; for everything but the beginning of a batch
_LISTED = 500  # batches looked through for one that a killed command began
_TAG = "promptgate"  # key of our id among a batch's metadata


class OpenAIBatches:
    """A `BatchService`.

    Args:
        spec: The provider's entry in promptgate.yaml.

    Raises:
        AccountStopped: It has no Batch endpoint, or its key is not set.
    """

    def __init__(self, spec: ProviderSpec) -> None:
        if spec.kind not in ("openai", "azure"):
            raise AccountStopped(
                spec.name,
                f"providers of the kind {spec.kind!r} have no Batch endpoint",
                hint="Run pytest --prompt-evals: it asks one request at a time.",
            )
        self._spec = spec
        self._endpoint = endpoint_of(spec)
        self._path = "/chat/completions" if self._endpoint.azure else "/v1/chat/completions"
        self._client = _client(self._endpoint)
        self._headers = foreign_headers(self._endpoint)

    def line(self, name: str, request: Request) -> bytes:
        """One request as a line of an input file."""
        body = body_of(request, self._spec)
        line = {"custom_id": name, "method": "POST", "url": self._path, "body": body}
        return (json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n").encode()

    def upload(self, name: str, content: bytes) -> str:
        """Hand over an input file; its id."""
        found = self._call(
            lambda client: client.files.create(file=(name, content), purpose="batch", extra_headers=self._headers)
        )
        return str(found.id)

    def create(self, file: str, tag: str) -> BatchStatus:
        """Begin a batch."""
        return _status(
            self._call(
                lambda client: client.post(
                    "/batches",
                    body={
                        "input_file_id": file,
                        "endpoint": self._path,
                        "completion_window": "24h",
                        "metadata": {_TAG: tag},
                    },
                    cast_to=object,
                    options={"headers": self._headers, "max_retries": 0},
                )
            )
        )

    def find(self, file: str, tag: str) -> BatchStatus | None:
        """The batch that was begun from `file`, if it is among the latest ones."""
        after, seen = "", 0
        while seen < _LISTED:
            page = self._get("/batches", {"limit": 100, **({"after": after} if after else {})})
            listed = page.get("data") or []
            for each in listed:
                if each.get("input_file_id") == file or (each.get("metadata") or {}).get(_TAG) == tag:
                    return _status(each)
            if not listed or not page.get("has_more"):
                return None
            seen += len(listed)
            after = str(listed[-1].get("id"))
        return None

    def status(self, batch: str) -> BatchStatus:
        """Where a batch stands."""
        return _status(self._get(f"/batches/{quote(batch, safe='')}", {}))

    def results(self, status: BatchStatus, pin: ModelPin) -> Iterator[tuple[str, Completion | CallError]]:
        """Name and outcome of every request that has one, first those that were answered."""
        for file in (status.output, status.errors):
            if not file:
                continue
            for line in self._content(file).splitlines():
                if line.strip():
                    yield self._outcome(line, pin)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def _outcome(self, line: bytes, pin: ModelPin) -> tuple[str, Completion | CallError]:
        where = str(pin)
        try:
            value = json.loads(line)
            name = str(value.get("custom_id"))
        except (ValueError, RecursionError, AttributeError):
            return "", TransportFault(where, "a line of the results is no JSON object")
        try:
            return name, self._answer(where, value, pin)
        except CallError as error:
            return name, error

    def _answer(self, where: str, value: Mapping[str, Any], pin: ModelPin) -> Completion:
        response, error = value.get("response"), value.get("error")
        if not isinstance(response, dict):
            raise TransportFault(where, self._said(error if isinstance(error, dict) else {}))
        status, body = response.get("status_code"), response.get("body")
        if status != 200:
            said = body.get("error") if isinstance(body, dict) else None
            what = f"status {status}: {self._said(said if isinstance(said, dict) else {})}"
            raise RequestRefused(where, what)
        completion = read_reply(where, json.dumps(body).encode(), latency_s=None)
        if compare_served(pin, self._spec.family, completion.served_model) is ServedModel.OTHER:
            served = one_line(completion.served_model, width=100)
            raise WrongModel(where, f"asked for {pin.name}, answered by {served}")
        return completion

    def _said(self, error: Mapping[str, Any]) -> str:
        code, message = error.get("code"), error.get("message")
        words = [str(each) for each in (code, message) if each]
        return self._endpoint.without_secrets(one_line(": ".join(words), width=200)) or "no reason was given"

    def _content(self, file: str) -> bytes:
        content: bytes = self._call(lambda client: client.files.content(file, extra_headers=self._headers).content)
        return content

    def _get(self, path: str, query: Mapping[str, object]) -> Mapping[str, Any]:
        found = self._call(
            lambda client: client.get(path, cast_to=object, options={"params": query, "headers": self._headers})
        )
        return found if isinstance(found, dict) else {}

    def _call(self, ask: Callable[[OpenAI], Any]) -> Any:
        import openai

        endpoint = self._endpoint
        try:
            return ask(self._client)
        except openai.APIStatusError as error:
            if error.status_code == 404:
                raise AccountStopped(
                    endpoint.name,
                    f"there is no such batch, file or Batch endpoint at {endpoint.url} (status 404)",
                    hint="Few providers but OpenAI and Azure have one; pytest --prompt-evals asks without it.",
                ) from None
            refusal = Refusal(status=error.status_code, body=error.body, headers=error.response.headers)
            raise error_of(endpoint.name, "", refusal, endpoint) from None
        except openai.APIConnectionError:
            raise TransportFault(
                endpoint.name,
                f"the connection to {endpoint.url} failed",
                hint="Run the command again: it goes on where it stopped.",
            ) from None


def _client(endpoint: Endpoint) -> OpenAI:
    import openai

    settings: dict[str, Any] = {
        "api_key": endpoint.key or "none",
        "default_headers": endpoint.headers,
        "max_retries": TRIES,
    }
    if endpoint.azure:
        return openai.AzureOpenAI(azure_endpoint=endpoint.url, api_version=endpoint.api_version, **settings)
    client = openai.OpenAI(base_url=endpoint.url, **settings)
    if endpoint.name != "openai":
        # From OPENAI_ORG_ID and OPENAI_PROJECT_ID: nobody else's business.
        client.organization = client.project = None
    return client


def _status(value: Any) -> BatchStatus:
    """What the provider says, read leniently: compatible servers leave much out."""
    found = value if isinstance(value, dict) else {}
    counts = found.get("request_counts") or {}
    faults = (found.get("errors") or {}).get("data") or []
    return BatchStatus(
        batch=str(found.get("id") or ""),
        status=str(found.get("status") or ""),
        done=int(counts.get("completed") or 0),
        failed=int(counts.get("failed") or 0),
        output=str(found.get("output_file_id") or ""),
        errors=str(found.get("error_file_id") or ""),
        faults=tuple(one_line(str(each.get("message")), width=200) for each in faults if isinstance(each, dict)),
    )
