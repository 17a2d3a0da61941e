r"""Regular expressions that cannot hang a run.

`re` backtracks, holds the interpreter while it does, and cannot be interrupted from another thread: ``(a+)+$`` on
forty characters takes hours. So a match whose worst case is more than a few million steps is made in a helper
process (about 0.1 ms a match), which is killed when the time is up; all others are made here.
"""

from __future__ import annotations

import atexit
import collections
import functools
import json
import re
import subprocess
import sys
import threading

_STEPS = 10_000_000  # about 0.2 s
# A quantifier after a group, a reference to a group, a condition: counting does not bound the worst case.
# Comments and the verbose form can hide such a quantifier.
_UNBOUNDED = re.compile(r"\)[*+?{]|\\[1-9]|\(\?P=|\(\?\(|\(\?#|\(\?[a-zA-Z]*x")

_PROGRAM = """
import collections, json, re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin:
    pattern, flags, full, last, group, text = json.loads(line)
    found = (re.fullmatch if full else re.search)(pattern, text, flags)
    if found and last:
        found = collections.deque(re.finditer(pattern, text, flags), maxlen=1).pop()
    print(json.dumps(found and found[group]), flush=True)
"""

_lock = threading.Lock()
_helper: subprocess.Popen[str] | None = None


def captured(
    pattern: str, text: str, *, flags: int, full: bool, group: int | str, timeout_s: float, last: bool = False
) -> str | None:
    """What `group` holds in the first match; None if there is no match, or the group took no part in it.

    Args:
        full: The whole text has to match.
        last: The last match counts; not together with `full`.
        timeout_s: Wall-clock seconds for one match that had to leave this process.

    Raises:
        TimeoutError: The match took longer.
    """
    if not flags & re.VERBOSE and _steps(pattern, len(text)) <= _STEPS:
        found = (re.fullmatch if full else re.search)(pattern, text, flags)
        if found is not None and last:
            found = collections.deque(re.finditer(pattern, text, flags), maxlen=1).pop()
        return None if found is None else found[group]
    return _ask_helper((pattern, flags, full, last, group, text), timeout_s)


def _steps(pattern: str, length: int) -> float:
    """An upper bound of the steps of a backtracking search: every quantifier may try every length, everywhere."""
    quantifiers, forks = _shape(pattern)
    return float(len(pattern)) * 2.0**forks * float(length + 1) ** (1 + quantifiers)


@functools.lru_cache(maxsize=256)
def _shape(pattern: str) -> tuple[int, int]:
    """How many quantifiers and how many either-ors; those in character sets count too, which errs on the safe side."""
    plain = re.sub(r"\\[^1-9]", "x", pattern, flags=re.DOTALL)
    if _UNBOUNDED.search(plain):
        return 50, 0
    plain = plain.replace("(?", "(")
    # The cap keeps the bound a float; it is far above the limit already.
    return min(50, sum(map(plain.count, "*+{"))), min(500, plain.count("?") + plain.count("|"))


def _ask_helper(question: tuple[str, int, bool, bool, int | str, str], timeout_s: float) -> str | None:
    with _lock:
        helper = _running()
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            helper.kill()

        alarm = threading.Timer(timeout_s, stop)
        alarm.start()
        reply = _exchange(helper, json.dumps(question))
        alarm.cancel()
        alarm.join()
        if expired.is_set() or not reply:
            _dismiss()
    if not reply:
        raise TimeoutError(
            f"the pattern took more than {timeout_s:g} s on an answer of {len(question[-1]):,} characters; "
            "the usual cause is a quantifier inside a quantified group, such as (a+)+"
        )
    found: str | None = json.loads(reply)
    return found


def _exchange(helper: subprocess.Popen[str], line: str) -> str:
    assert helper.stdin is not None
    assert helper.stdout is not None
    try:
        helper.stdin.write(line + "\n")
        helper.stdin.flush()
        return helper.stdout.readline()
    except OSError:
        return ""


def _running() -> subprocess.Popen[str]:
    global _helper  # noqa: PLW0603 - one process, whichever scorer needs it first
    if _helper is None:
        _helper = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="ascii",
        )
        atexit.register(_dismiss)
    return _helper


def _dismiss() -> None:
    global _helper
    if _helper is None:
        return
    helper, _helper = _helper, None
    atexit.unregister(_dismiss)
    helper.kill()
    helper.wait()
    for stream in (helper.stdin, helper.stdout):
        assert stream is not None
        try:
            stream.close()
        except OSError:
            continue  # what the killed process did not read any more
