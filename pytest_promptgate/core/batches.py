"""Requests that travel in files through a provider's Batch endpoint: how they are packed, named and kept account of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import StoreKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_REQUESTS = 50_000  # in one file; OpenAI's limit, and Azure's
MOST_BYTES = 200_000_000
PRICE_SHARE = 0.5  # of the usual price

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_CUSTOM_ID = re.compile(r"([a-z]+)-([0-9a-f]{32})-(\d{1,9})")


class Stage(StrEnum):
    """How far a batch has come."""

    PREPARED = "prepared"  # nothing of it is at the provider that we could name
    UPLOADED = "uploaded"  # its file is; whether the batch was begun is to be asked
    SUBMITTED = "submitted"
    COLLECTED = "collected"  # its answers are in the store


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One batch, as ``.promptgate/batches.json`` remembers it."""

    id: str  # ours; the provider keeps it as metadata, so that a batch is found again
    suite: str
    slot: str
    provider: str
    model: str  # as the provider calls it
    endpoint: str  # part of the store's key
    round: str  # of the store
    requests: int
    stage: Stage
    file: str = ""  # the provider's ids
    batch: str = ""
    status: str = ""  # the provider's word, when it was last asked
    answered: int = 0  # put into the store


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """What the provider says of a batch."""

    batch: str
    status: str
    done: int = 0
    failed: int = 0
    output: str = ""  # ids of the files of results; "" if there is none
    errors: str = ""
    faults: tuple[str, ...] = ()  # why the whole batch failed; untrusted

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One request of a batch: its name there, and what the store wants to know of it."""

    custom_id: str
    parts: Mapping[str, str]  # as `ResponseStore.put` takes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What goes into one file."""

    items: tuple[Item, ...]
    content: bytes


def custom_id(*, request: str, ordinal: int, role: str = "subject") -> str:
    """A request's name in its batch: all of the store's key that is the request's own. At most 64 characters."""
    return f"{role}-{request}-{ordinal}"


def key_of(name: str, *, endpoint: str, round: str) -> StoreKey | None:  # noqa: A002 the key's own word
    """The store's key of a request by its name; None if we never gave that name."""
    match = _CUSTOM_ID.fullmatch(name)
    if match is None:
        return None
    return StoreKey(request=match[2], endpoint=endpoint, role=match[1], ordinal=int(match[3]), round=round)


def packed(
    lines: Iterable[tuple[Item, bytes]], *, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
) -> Iterator[Package]:
    """Fill as few files as the limits allow, in the order given; one request above the limit gets a file alone."""
    items: list[Item] = []
    pieces: list[bytes] = []
    size = 0
    for item, line in lines:
        if items and (len(items) == most_requests or size + len(line) > most_bytes):
            yield Package(items=tuple(items), content=b"".join(pieces))
            items, pieces, size = [], [], 0
        items.append(item)
        pieces.append(line)
        size += len(line)
    if items:
        yield Package(items=tuple(items), content=b"".join(pieces))
