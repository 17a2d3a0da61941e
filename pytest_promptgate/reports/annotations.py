"""Red gates as annotations of GitHub Actions: on the metric's line of the suite, and on the prompt's file.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_promptgate.core.types import Report, Verdict

MOST = 10  # errors that GitHub shows of one step; it drops the others without a word
_WIDTH = 300  # characters of a reason


def annotation_lines(reports: Sequence[Report], name_of: Callable[[str], str]) -> tuple[str, ...]:
    """The lines to print, at most `MOST`; the last one then says how many gates are not shown.

    Args:
        reports: Of the run.
        name_of: The path of a file, as the repository has it, from its path relative to the root directory.
    """
    red = [(report, verdict) for report in reports for verdict in report.verdicts if verdict.red]
    places = [*_on_suites(red), *_on_prompts(red)]
    lines = [command(name_of(file), line, title, text) for file, line, title, text in places]
    if len(lines) <= MOST:
        return tuple(lines)
    more = f"{len(red)} gates are red; the log and the report show all of them"
    return (*lines[: MOST - 1], command(name_of(red[0][0].suite.path), 1, "promptgate", more))


def _on_suites(red: Sequence[tuple[Report, Verdict]]) -> Iterator[tuple[str, int, str, str]]:
    for report, verdict in red:
        places = {spec.name: spec.place for spec in report.suite.judged}
        line = places[verdict.metric].line if verdict.metric in places else None
        yield report.suite.path, line or 1, f"{report.suite.name}: {verdict.metric}", verdict.reason


def _on_prompts(red: Sequence[tuple[Report, Verdict]]) -> Iterator[tuple[str, int, str, str]]:
    by_file: dict[str, list[str]] = {}
    for report, verdict in red:
        if report.suite.prompt.path:
            by_file.setdefault(report.suite.prompt.path, []).append(f"{report.suite.name}: {verdict.reason}")
    for file, reasons in by_file.items():
        yield file, 1, f"{len(reasons)} gate{'s' if len(reasons) != 1 else ''} red", "\n".join(reasons)


def command(file: str, line: int, title: str, text: str) -> str:
    """One ``::error`` command, in which nothing of `text` or of the names can end it or begin another."""
    message = "\n".join(one_line(each, width=_WIDTH) for each in text.splitlines())
    return f"::error file={_property(file)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
