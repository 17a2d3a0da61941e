"""Which suites a change may touch: a suite is left out only if nothing that it may read has changed.

In doubt a suite runs. A changed file is known not to matter to a suite only if it belongs to other suites, or if it is
code or a document and no code of the project takes part in the suite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

SUITE_SUFFIX = ".eval.yaml"
# What nothing of ours reads; users' code may.
_CODE = (".py", ".pyi", ".js", ".jsx", ".ts", ".tsx", ".go", ".rs", ".java", ".kt", ".c", ".h", ".cpp")
_DOCUMENTS = (".md", ".rst", ".png", ".svg", ".jpg", ".css")
_EVERYBODYS = "conftest.py"  # may offer what any suite uses
_VERSION = re.compile(r"v[1-9][0-9]*\.[a-z]+\Z")  # of a prompt; other files beside it may be parts of any prompt
_NAMED = 8  # suites in the one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What one suite reads. Names are relative to the root directory, with "/"; those of directories end with "/"."""

    suite: str
    path: str  # of the suite file
    prompts: str  # the directory of its prompt's versions; "" if it has a target
    data: frozenset[str] = frozenset()  # files and directories that the suite file names, its baseline's outputs
    code: str = ""  # what of the project's own code takes part in it, for people; "" if nothing does
    target: bool = False  # that code is what is evaluated: whatever it reads may matter
    doubt: str = ""  # why nobody can tell whether it is the same; "" if one can

    def owns(self, name: str) -> bool:
        """Whether the file `name` is one that it reads itself."""
        return self.defined_by(name) or any(_within(name, each) for each in self.data)

    def defined_by(self, name: str) -> bool:
        """Whether `name` is its suite file or a version of its prompt, which nobody else can include."""
        return name == self.path or (self.prompts != "" and _is_version(name, self.prompts))


def reasons(suites: Sequence[Reads], changed: Collection[str], *, prompts: str) -> Mapping[str, str]:
    """Why each suite has to run, by its name; "" for those that nothing has touched.

    Args:
        suites: All of them, since what belongs to one is known not to belong to another.
        changed: Files that differ from what they were, appeared or disappeared.
        prompts: The directory of all prompts, with "/" at its end: what belongs to no suite there may be part of any.
    """
    names = sorted(changed)
    return {each.suite: _why(each, suites, names, prompts) for each in suites}


def _why(suite: Reads, suites: Sequence[Reads], changed: Iterable[str], prompts: str) -> str:
    if suite.doubt:
        return suite.doubt
    found = (why for name in changed if (why := _matters(name, suite, suites, prompts)))
    return next(found, "")


def _matters(name: str, suite: Reads, suites: Sequence[Reads], prompts: str) -> str:
    if suite.owns(name):
        return f"{name} changed"
    perhaps = f"{name} changed, and {suite.code} may read it"
    if suite.target:
        return perhaps
    if any(each.defined_by(name) for each in suites) or name.endswith(SUITE_SUFFIX):
        return ""
    if any(each.owns(name) for each in suites) or _is_code(name, prompts):
        return perhaps if suite.code else ""
    return f"{name} changed, and any suite may read it"


def _is_code(name: str, prompts: str) -> bool:
    file = name.rpartition("/")[2]
    return file.endswith((*_CODE, *_DOCUMENTS)) and file != _EVERYBODYS and not _within(name, prompts)


def _is_version(name: str, prompts: str) -> bool:
    return name.startswith(prompts) and _VERSION.match(name[len(prompts) :]) is not None


def _within(name: str, owner: str) -> bool:
    return name == owner or (owner.endswith("/") and name.startswith(owner))


def selection_lines(why: Mapping[str, str], ref: str, *, verbose: bool) -> tuple[str, ...]:
    """What is told of the choice: one line, and with `verbose` one more for each suite."""
    run = [suite for suite, reason in why.items() if reason]
    skipped = len(why) - len(run)
    head = f"{len(run)} of {len(why)} suite{'s' if len(why) != 1 else ''} run"
    if run:
        more = f" and {len(run) - _NAMED} more" if len(run) > _NAMED else ""
        head = f"{head}: {', '.join(run[:_NAMED])}{more} changed since {ref}"
        tail = f"; {skipped} skipped (unchanged)" if skipped else ""
    else:
        tail = f": nothing that they may read has changed since {ref}"
    each = (f"  {suite}: {reason or 'skipped: unchanged'}" for suite, reason in why.items())
    return (f"prompt evals: {head}{tail}", *(each if verbose else ()))
