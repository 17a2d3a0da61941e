"""The response store: every paid answer of one suite, in one append-only file.

Several processes may append to one file: each answer is one `write` in append mode. A killed process loses what was
under way and nothing that was stored; a power cut at most the last seconds.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
import time
from typing import TYPE_CHECKING, BinaryIO

from pytest_promptgate.errors import StoreError
from pytest_promptgate.models import store_lines, store_lock
from pytest_promptgate.models.store_index import StoreIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_promptgate.core.ports import StoreKey
    from pytest_promptgate.core.types import Completion

SYNC_S = 5.0  # seconds between two fsyncs: they guard against a power cut only
_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}(\.[a-z0-9_-]{1,20})?\Z")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)")  # Windows
_KEPT = "What was stored so far is kept, and will not be asked again."


def file_name(suite: str) -> str:
    """A file name for a suite's answers: its own name if that is safe everywhere, else with a digest behind."""
    if _SAFE_NAME.match(suite) and not _RESERVED.match(suite):
        return f"{suite}.jsonl"
    readable = re.sub(r"[^a-z0-9_-]+", "-", suite.lower()).strip("-")[:60]
    mark = hashlib.sha256(suite.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}-{mark}.jsonl" if readable else f"{mark}.jsonl"


def open_store(directory: Path, suite: str) -> FileStore:
    """The store of one suite; neither reads nor writes anything yet."""
    return FileStore(directory / file_name(suite))


class FileStore:
    """A `ResponseStore` in one file.

    The file is read at the first `get` and opened for writing at the first `put`. Safe to use from several threads.

    Args:
        path: The file; its directory is made when it is needed.
        clock: Seconds since 1970, for the order of equal keys.
        ticks: Seconds that never run backwards, for the fsyncs.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self._clock = clock
        self._ticks = ticks
        self._lock = threading.Lock()
        self._index: StoreIndex | None = None
        self._requests: dict[str, list[tuple[str, Mapping[str, str]]]] | None = None  # by case
        self._reader: BinaryIO | None = None
        self._writer: int | None = None
        self._synced = 0.0

    @property
    def complaints(self) -> tuple[str, ...]:
        """Lines that were skipped, as ``file:line: why``."""
        with self._lock:
            return tuple(self._loaded().complaints)

    @property
    def complete_rounds(self) -> frozenset[str]:
        """Rounds whose answers count."""
        with self._lock:
            return frozenset(self._loaded().rounds)

    def __len__(self) -> int:
        """Answers, those of other rounds included."""
        with self._lock:
            return len(self._loaded().places)

    def get(self, key: StoreKey) -> Completion | None:
        """The stored answer, or None.

        Raises:
            StoreError: The file is there and cannot be read, or a newer version wrote it.
        """
        with self._lock:
            index = self._loaded()
            while (place := index.places.get(key)) is not None:
                if (found := self._read(place)) is not None:
                    return found
                index.pass_over(key, "the answer does not match its digest")
            return None

    def latency_of(self, trial: str) -> float | None:
        """Seconds that the answer of a trial took that was read last; None if there is none."""
        with self._lock:
            return self._loaded().latencies.get(trial)

    def put(self, key: StoreKey, completion: Completion, *, parts: Mapping[str, str]) -> None:
        """Keep one answer; an answer that is there already stays, for it is older."""
        with self._lock:
            places = self._loaded().places
            if key not in places:
                line = store_lines.encode_answer(key, completion, parts=parts, time=self._clock())
                places[key] = (self._append(line), len(line), 0)

    def complete_round(self, name: str) -> None:
        """From now on, in every process that opens the store later, the answers of round `name` count."""
        with self._lock:
            if name not in self._loaded().rounds:
                self._append(store_lines.encode_round(name, time=self._clock()))
                self._loaded().rounds.add(name)

    def explain_miss(self, key: StoreKey, *, parts: Mapping[str, str]) -> str:
        """What differs from the nearest stored request of that case, in one line; "" if none is stored."""
        with self._lock:
            stored = self._requests_of(parts.get("trial", ""))
        differences = [_differences(key.endpoint, parts, endpoint, others) for endpoint, others in stored]
        if not differences:
            return ""
        nearest = min(differences, key=len)
        if not nearest:
            return "the same request is stored, but for another sample or round"
        return f"differs from the stored request in {_listed(nearest)}"

    def close(self) -> None:
        """Bring everything to the disk and close the file; idempotent."""
        with self._lock:
            if self._writer is not None:
                try:
                    os.fsync(self._writer)
                except OSError as fault:
                    raise self._broken("brought to the disk", fault) from fault
                finally:
                    os.close(self._writer)
                    self._writer = None
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _loaded(self) -> StoreIndex:
        if self._index is None:
            index = StoreIndex(self.path)
            try:
                # Kept open: a file that is replaced meanwhile stays as it was read, and none is while it is shared.
                self._reader = reader = store_lock.open_shared(self.path)
                index.load(reader)
            except FileNotFoundError:
                pass
            except OSError as fault:
                raise self._broken("read", fault) from fault
            except StoreError:
                reader.close()
                self._reader = None
                raise
            self._index = index  # only now: what could not be read must not pass for empty
        return self._index

    def _read(self, place: tuple[int, int, int]) -> Completion | None:
        offset, length, _ = place
        try:
            return store_lines.decode_completion(self._bytes(offset, length))
        except (ValueError, TypeError, KeyError):
            return None

    def _bytes(self, offset: int, length: int) -> bytes:
        try:
            if self._reader is None:
                self._reader = self.path.open("rb")
            self._reader.seek(offset)
            return self._reader.read(length)
        except OSError as fault:
            raise self._broken("read", fault) from fault

    def _requests_of(self, trial: str) -> list[tuple[str, Mapping[str, str]]]:
        if self._requests is None:  # read once: offline, every case of a changed prompt is a miss
            self._requests = {}
            for start, size, _ in self._loaded().places.values():
                endpoint, parts = store_lines.decode_parts(self._bytes(start, size))
                self._requests.setdefault(_case(parts.get("trial", "")), []).append((endpoint, parts))
        return self._requests.get(_case(trial), [])

    def _append(self, line: bytes) -> int:
        """Write one line at the end of the file; where it begins."""
        try:
            if self._writer is None:
                self._writer = self._open()
            if os.write(self._writer, line) != len(line):
                # A disk that is nearly full took a part; a line feed keeps the rest of the file readable.
                os.write(self._writer, b"\n" + store_lines.REPAIRED)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._ticks() - self._synced > SYNC_S:
                os.fsync(self._writer)
                self._synced = self._ticks()
            return os.lseek(self._writer, 0, os.SEEK_CUR) - len(line)
        except OSError as fault:
            raise self._broken("written", fault) from fault

    def _open(self) -> int:
        own = self.path.parent.parent
        if not own.exists():
            own.mkdir(parents=True)
            (own / ".gitignore").write_text("# Made by pytest-promptgate.\n*\n", encoding="utf-8")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        while not store_lock.share(self.path, writer := os.open(self.path, flags, 0o666)):
            os.close(writer)
        size = os.fstat(writer).st_size
        if size == 0:
            os.write(writer, store_lines.HEADER)
        else:
            os.lseek(writer, size - 1, os.SEEK_SET)
            if os.read(writer, 1) != b"\n":
                os.write(writer, b"\n" + store_lines.REPAIRED)
        self._synced = self._ticks()
        return writer

    def _broken(self, done: str, fault: OSError) -> StoreError:
        hint = (
            f"{_KEPT} Make room or mend the permissions, then run again."
            if done != "read"
            else "Mend it or move it away."
        )
        return StoreError(str(self.path), f"the response store cannot be {done}: {fault.strerror or fault}", hint=hint)


def _case(trial: str) -> str:
    case, mark, sample = trial.rpartition("#")
    return case if mark and sample.isdigit() else trial


def _differences(
    endpoint: str, parts: Mapping[str, str], stored_endpoint: str, stored: Mapping[str, str]
) -> tuple[str, ...]:
    names = ("messages", "parameters", "model", "tools")
    changed = tuple(name for name in names if parts.get(name) != stored.get(name))
    return changed if endpoint == stored_endpoint else (*changed, f"endpoint ({stored_endpoint})")


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
