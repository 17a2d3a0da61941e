"""``.promptgate/batches.json``: which batches are under way, so that nothing is asked twice and nothing forgotten.

Beside it ``batches/<id>.jsonl`` names the requests of each open batch: digests and case ids, no prompt's text.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.batches import BatchRecord, Item, Stage
from pytest_promptgate.errors import StoreError
from pytest_promptgate.files.atomic import replace_file
from pytest_promptgate.files.own_directory import make_own_directory
from pytest_promptgate.files.shapes import WrongShapeError, count, entries, field, items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.types import Json

VERSION = 1
_HINT = "Move it away: batches that it knows of are then forgotten, and their answers paid for in vain."


class BatchJournal:
    """The batches of one project.

    Args:
        own: The directory that ``promptgate_dir`` names.
        shown: What messages call that directory.
    """

    def __init__(self, own: Path, *, shown: str) -> None:
        self._own = own
        self._path = own / "batches.json"
        self._shown = f"{shown}/batches.json"
        self._records: dict[str, BatchRecord] | None = None

    def records(self) -> tuple[BatchRecord, ...]:
        """All of them, oldest first.

        Raises:
            StoreError: The file is damaged, or a newer version wrote it.
        """
        return tuple(self._loaded().values())

    def begin(self, record: BatchRecord, requests: Sequence[Item]) -> None:
        """Write down what is about to be sent."""
        make_own_directory(self._own)
        path = self._requests(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [_encoded({"id": each.custom_id, "parts": dict(each.parts)}) for each in requests]
        replace_file(path, lambda: lines, file=f"{self._shown[:-5]}/{path.name}")
        self.save(record)

    def save(self, record: BatchRecord) -> BatchRecord:
        """Remember how far a batch has come; the same record."""
        self._loaded()[record.id] = record
        self._write()
        return record

    def forget(self, record: BatchRecord) -> None:
        """Drop a batch that never began."""
        self._loaded().pop(record.id, None)
        self._write()
        self._requests(record).unlink(missing_ok=True)

    def close(self, record: BatchRecord) -> BatchRecord:
        """Remember that a batch is collected, and drop its requests; the same record."""
        self.save(record)
        self._requests(record).unlink(missing_ok=True)
        return record

    def requests(self, record: BatchRecord) -> dict[str, Mapping[str, str]]:
        """Name -> parts of each request of an open batch.

        Raises:
            StoreError: The list is gone or damaged.
        """
        path = self._requests(record)
        try:
            lines = path.read_bytes().splitlines()
            values = [mapping(json.loads(line)) for line in lines]
            return {
                field(each, "id", text): field(each, "parts", lambda parts: entries(parts, text)) for each in values
            }
        except (OSError, ValueError, RecursionError) as fault:
            what = f"the requests of batch {record.batch or record.id} cannot be read: {_reason(fault)}"
            raise StoreError(f"{self._shown[:-5]}/{path.name}", what) from fault

    def _requests(self, record: BatchRecord) -> Path:
        return self._own / "batches" / f"{record.id}.jsonl"

    def _loaded(self) -> dict[str, BatchRecord]:
        if self._records is None:
            self._records = {each.id: each for each in self._read()}
        return self._records

    def _read(self) -> tuple[BatchRecord, ...]:
        try:
            value = mapping(json.loads(self._path.read_bytes()))
            version = field(value, "batches_version", count)
            if version > VERSION:
                raise WrongShapeError(f"format {version} is newer than this pytest-promptgate, which knows {VERSION}")
            return field(value, "batches", lambda inner: items(inner, _record))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as fault:
            what = f"it cannot be read: {_reason(fault)}"
            raise StoreError(self._shown, what, hint=_HINT) from fault

    def _write(self) -> None:
        make_own_directory(self._own)
        value = {"batches_version": VERSION, "batches": [asdict(each) for each in self._loaded().values()]}
        data = (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode()
        replace_file(self._path, lambda: (data,), file=self._shown)


def _encoded(value: Mapping[str, Json]) -> bytes:
    return (json.dumps(value, separators=(",", ":")) + "\n").encode()


def _record(value: Json) -> BatchRecord:
    entry = mapping(value)
    read: dict[str, Any] = {
        each.name: field(entry, each.name, _READERS.get(each.name, text)) for each in fields(BatchRecord)
    }
    return BatchRecord(**read)


def _stage(value: Json) -> Stage:
    try:
        return Stage(text(value))
    except ValueError:
        raise WrongShapeError(f"no stage is called {value!r}") from None


def _own_id(value: Json) -> str:
    # It becomes the name of a file.
    if not re.fullmatch("[0-9a-f]{1,64}", text(value)):
        raise WrongShapeError("no id of ours")
    return text(value)


_READERS: Mapping[str, Callable[[Json], object]] = {
    "id": _own_id,
    "stage": _stage,
    "requests": count,
    "answered": count,
}


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return fault.strerror or str(fault)
    return str(fault) if isinstance(fault, WrongShapeError) else "it is no such JSON"
