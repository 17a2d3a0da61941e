"""Asking through a Batch endpoint: submitted in files, collected into the store. Killed anywhere, it goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from pytest_promptgate.core.batches import BatchRecord, BatchStatus, Item, Stage, custom_id, key_of, packed
from pytest_promptgate.core.fingerprint import request_parts
from pytest_promptgate.core.types import Completion, ModelPin
from pytest_promptgate.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_promptgate.core.ports import ResponseStore
    from pytest_promptgate.core.types import Request, Trial


class BatchService(Protocol):
    """A provider's Batch endpoint."""

    def line(self, name: str, request: Request) -> bytes:
        """One request as a line of an input file."""

    def upload(self, name: str, content: bytes) -> str:
        """Hand over an input file; its id."""

    def create(self, file: str, tag: str) -> BatchStatus:
        """Begin a batch that carries `tag`. Never tried twice: each time would be paid."""

    def find(self, file: str, tag: str) -> BatchStatus | None:
        """The batch that was begun from `file` with `tag`, if there is one."""

    def status(self, batch: str) -> BatchStatus:
        """Where a batch stands."""

    def results(self, status: BatchStatus, pin: ModelPin) -> Iterator[tuple[str, Completion | CallError]]:
        """Name and outcome of every request that has one; names are the provider's word."""


class Journal(Protocol):
    """What is remembered of batches between two commands; every call is on the disk when it returns."""

    def records(self) -> tuple[BatchRecord, ...]:
        """All batches, oldest first."""

    def begin(self, record: BatchRecord, requests: Sequence[Item]) -> None:
        """Write down what is about to be sent."""

    def save(self, record: BatchRecord) -> BatchRecord:
        """Remember how far a batch has come."""

    def forget(self, record: BatchRecord) -> None:
        """Drop a batch that never began."""

    def close(self, record: BatchRecord) -> BatchRecord:
        """A batch is collected."""

    def requests(self, record: BatchRecord) -> Mapping[str, Mapping[str, str]]:
        """Name -> parts of each request of an open batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One request that is to be submitted: of a trial, or of a judge."""

    name: str  # in its batch, see `core.batches.custom_id`
    request: Request
    parts: Mapping[str, str]  # as `ResponseStore.put` takes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Requests to one model, for one suite and slot, that are to be submitted."""

    suite: str
    slot: str
    pin: ModelPin
    endpoint: str
    round: str
    requests: tuple[Wanted, ...]  # their names differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What came of one batch."""

    record: BatchRecord
    status: BatchStatus
    problems: Counter[str] = field(default_factory=Counter)  # why requests have no answer -> how many
    missing: int = 0  # requests of which the provider says nothing


def resume(journal: Journal, service_of: Callable[[str], BatchService]) -> tuple[BatchRecord, ...]:
    """Finish what a killed `submit` left behind; the batches that are submitted now.

    Args:
        journal: Of the project.
        service_of: Provider name -> its Batch endpoint.
    """
    finished = []
    for record in journal.records():
        if record.stage is Stage.PREPARED:
            journal.forget(record)
        elif record.stage is Stage.UPLOADED:
            service = service_of(record.provider)
            status = service.find(record.file, record.id) or service.create(record.file, record.id)
            finished.append(journal.save(_submitted(record, status)))
    return tuple(finished)


def open_requests(journal: Journal, suite: str, *, endpoint: str, round: str) -> frozenset[str]:  # noqa: A002
    """Names of the requests of `suite` that are under way: they are not to be submitted again."""
    return frozenset(
        name
        for record in journal.records()
        if record.suite == suite and record.endpoint == endpoint and record.round == round
        if record.stage in (Stage.UPLOADED, Stage.SUBMITTED)
        for name in journal.requests(record)
    )


def name_of(trial: Trial) -> str:
    """A trial's name in its batch."""
    return custom_id(request=trial.digest, ordinal=trial.ordinal)


def wanted(trial: Trial) -> Wanted:
    """A trial's own request."""
    parts = {**request_parts(trial.request), "trial": trial.id}
    return Wanted(name=name_of(trial), request=trial.request, parts=parts)


def submit(
    order: Order, *, service: BatchService, journal: Journal, new_id: Callable[[], str]
) -> Iterator[BatchRecord]:
    """Submit an order, file by file; each batch as soon as it is begun.

    Args:
        order: Without requests that are stored or under way.
        service: Of the order's provider.
        journal: Of the project.
        new_id: Gives an id that was never used.
    """
    for package in packed(_lines(order.requests, service)):
        record = BatchRecord(
            id=new_id(),
            suite=order.suite,
            slot=order.slot,
            provider=order.pin.provider,
            model=order.pin.name,
            endpoint=order.endpoint,
            round=order.round,
            requests=len(package.items),
            stage=Stage.PREPARED,
        )
        journal.begin(record, package.items)
        file = service.upload(f"promptgate-{record.id}.jsonl", package.content)
        record = journal.save(replace(record, stage=Stage.UPLOADED, file=file))
        yield journal.save(_submitted(record, service.create(file, record.id)))


def collect(record: BatchRecord, *, service: BatchService, journal: Journal, store: ResponseStore) -> Collected:
    """Ask where a batch stands; if it has ended, put its answers into `store`.

    Args:
        record: Of a batch that is submitted.
        service: Of its provider.
        journal: Of the project.
        store: Of its suite; answers that it has stay as they are. Closed here, before the batch counts as collected.
    """
    status = service.status(record.batch)
    if not status.ended:
        return Collected(record=journal.save(replace(record, status=status.status)), status=status)
    requests = journal.requests(record)
    problems: Counter[str] = Counter()
    seen: set[str] = set()
    answered = 0
    pin = ModelPin(provider=record.provider, name=record.model)
    for name, outcome in service.results(status, pin):
        key = key_of(name, endpoint=record.endpoint, round=record.round)
        if key is None or name not in requests or name in seen:
            continue
        seen.add(name)
        if isinstance(outcome, CallError):
            problems[outcome.what] += 1
        else:
            store.put(key, outcome, parts=requests[name])
            answered += 1
    store.close()
    done = replace(record, stage=Stage.COLLECTED, status=status.status, answered=answered)
    return Collected(record=journal.close(done), status=status, problems=problems, missing=len(requests.keys() - seen))


def _lines(requests: Iterable[Wanted], service: BatchService) -> Iterator[tuple[Item, bytes]]:
    for each in requests:
        yield Item(custom_id=each.name, parts=each.parts), service.line(each.name, each.request)


def _submitted(record: BatchRecord, status: BatchStatus) -> BatchRecord:
    return replace(record, stage=Stage.SUBMITTED, batch=status.batch, status=status.status)
