"""A run as Markdown, for a pull request: below 60 kB whatever the run, the most important first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars, rounded
from pytest_promptgate.core.run_document import Status
from pytest_promptgate.reports.escaping import block, code, prose
from pytest_promptgate.reports.markdown_cases import fault_lines, flip_block, flips
from pytest_promptgate.reports.top import cost_of, headline, rows, rule_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.run_document import MetricRun, RunDocument, SuiteRun

MOST = 58_000  # bytes; GitHub takes 65,536 characters in a comment
OPEN = 10  # flipped cases that are shown unfolded
_SHARES = {"tables": 20_000, "reasons": 6_000, "changes": 9_000, "cases": 36_000, "faults": 6_000, "close": 7_000}
_DIFF = 3_000  # bytes of one prompt's diff
_REASONS = 2  # of a run that is not complete, shown in full
_SIGNS = {"FAILED": "❌", "INCONCLUSIVE": "❔", "INTERRUPTED": "⏹", "BROKE": "⚠️", "NEW": "🆕", "PASSED": "✅"}
_LEFT_OUT = "the whole is in the run's JSON and HTML reports"


@dataclass(slots=True)
class _Page:
    """Blocks of Markdown as long as there is room for them."""

    blocks: list[str] = field(default_factory=list)
    left: int = MOST

    def add(self, text: str) -> bool:
        """Take one block, or nothing of it; whether it was taken."""
        size = len(text.encode()) + 2
        if size > self.left:
            return False
        self.blocks.append(text)
        self.left -= size
        return True


def markdown(document: RunDocument) -> str:
    """The report, ready to be posted."""
    found = headline(document)
    page = _Page()
    page.add(f"## {_SIGNS.get(found.word, '▫️')} {found.word}: {prose(found.text, width=600)}")
    closing = _Page(left=_SHARES["close"])
    _fill(closing, list(_closing(document)), noun="line")
    room = page.left - (_SHARES["close"] - closing.left)
    for name, blocks, noun in (
        ("tables", _tables(document), "suite"),
        ("reasons", _reasons(document), "verdict"),
        ("changes", _changes(document), "suite"),
    ):
        part = _Page(left=min(room, _SHARES[name]))
        _fill(part, blocks, noun=noun)
        room -= sum(len(each.encode()) + 2 for each in part.blocks)
        page.blocks += part.blocks
    for blocks in (_cases(document, min(room, _SHARES["cases"])), _faults(document, _SHARES["faults"])):
        size = sum(len(each.encode()) + 2 for each in blocks)
        if size <= room:
            page.blocks += blocks
            room -= size
    return "\n\n".join([*page.blocks, *closing.blocks]) + "\n"


def _fill(page: _Page, blocks: Sequence[str], *, noun: str) -> None:
    """Take blocks until one does not fit, and say how many were left out."""
    page.left -= 120  # for that line
    for at, each in enumerate(blocks):
        if not page.add(each):
            left = len(blocks) - at
            page.blocks.append(f"_… {left} more {noun}{'' if left == 1 else 's'} left out: {_LEFT_OUT}_")
            return


# --- what it measured ------------------------------------------------------------------------------------------------


def _tables(document: RunDocument) -> list[str]:
    """A table per suite, red ones first."""
    suites = sorted(document.suites, key=lambda suite: not suite.red)
    return [_table(suite) for suite in suites]


def _table(suite: SuiteRun) -> str:
    lines = [f"**{code(suite.title, width=160)}**", ""]
    if suite.not_judged:
        lines += [prose(suite.not_judged), ""]
    if suite.partial:
        lines += [f"{prose(suite.partial)}: compared on these cases", ""]
    found = rows(suite)
    if found:
        lines += [
            "| metric | baseline | now | change | 95 % interval | verdict | scored/unscored/errored |",
            "|---|---:|---:|---:|---:|---|---:|",
            *(
                f"| {code(row.metric, width=60)} | {row.baseline} | {row.current} | {row.change} | {row.interval} "
                f"| {'**' * row.red}{row.verdict}{'**' * row.red} | {row.books} |"
                for row in sorted(found, key=lambda row: not row.red)[:40]
            ),
        ]
    if found and (note := rule_note(suite)):
        lines += ["", f"_{note}_"]
    if len(found) > 40:
        lines += ["", f"_… {len(found) - 40} more metrics and slices left out: {_LEFT_OUT}_"]
    return "\n".join(lines).rstrip()


def _reasons(document: RunDocument) -> list[str]:
    red = document.red if len(document.red) > 1 else ()  # one alone is the headline
    accepted = [verdict for suite in document.suites for verdict in suite.verdicts if verdict.accepted]
    return [
        *(f"- {prose(verdict.reason)}" for _, verdict in red),
        *(f"- {prose(verdict.metric)} was accepted: {prose(verdict.accepted)}" for verdict in accepted),
    ]


# --- what changed ----------------------------------------------------------------------------------------------------


def _changes(document: RunDocument) -> list[str]:
    found = [text for suite in document.suites if (text := _changed(suite))]
    return ["### What changed", *found] if found else []


def _changed(suite: SuiteRun) -> str:
    differ = suite.differences
    told = [
        *([f"prompt: {prose(differ.prompt)}"] if differ.prompt else []),
        *([f"model: {prose(differ.model)}"] if differ.model else []),
        *(f"parameter: {prose(each)}" for each in differ.parameters),
        *_named("scorers changed", differ.scorers),
        *_named("rows added", differ.added),
        *_named("rows removed", differ.removed),
        *_named("rows edited", differ.edited),
        *(prose(each) for each in differ.loosened),
        *(f"accepted {prose(each)}" for each in differ.accepted),
    ]
    if not told:
        return ""
    lines = [f"{code(suite.name)}", "", *(f"- {each}" for each in told[:30])]
    if differ.prompt_diff:
        lines += ["", block("\n".join(differ.prompt_diff), most=_DIFF)]
    return "\n".join(lines)


def _named(label: str, ids: Sequence[str]) -> Iterator[str]:
    if ids:
        more = f" and {len(ids) - 10} more" if len(ids) > 10 else ""
        yield f"{label} ({len(ids)}): {', '.join(map(code, ids[:10]))}{more}"


# --- the cases -------------------------------------------------------------------------------------------------------


def _cases(document: RunDocument, room: int) -> list[str]:
    """Flipped cases: ten open, the others folded, as many as there is room for."""
    found = flips(document)
    if not found:
        return []
    cases = {(suite.name, suite.slot, case.id): case for suite in document.suites for case in suite.cases}
    page, folded = _Page(left=room - 400), list[str]()
    page.add(f"### {len(found)} flipped case{'' if len(found) == 1 else 's'}, the worst first")
    shown = 0
    for at, flip in enumerate(found):
        case = cases.get((flip.suite.name, flip.suite.slot, flip.move.case))
        if case is None:
            continue
        text = flip_block(at + 1, flip, case)
        if at < OPEN:
            taken = page.add(text)
        elif taken := len(text.encode()) + 2 <= page.left:
            folded.append(text)
            page.left -= len(text.encode()) + 2
        if not taken:
            break
        shown += 1
    if folded:
        summary = f"<summary>{len(folded)} more flipped case{'' if len(folded) == 1 else 's'}</summary>"
        page.blocks += [f"<details>{summary}", *folded, "</details>"]
    if shown < len(found):
        page.blocks.append(f"_… {len(found) - shown} more flipped cases left out: {_LEFT_OUT}_")
    return page.blocks


def _faults(document: RunDocument, room: int) -> list[str]:
    lines = fault_lines(document)
    if not lines:
        return []
    page = _Page(left=room)
    shown = "" if flips(document) else " open"  # nothing else then says which cases
    page.add(f"<details{shown}><summary>cases that failed or have no score: {len(lines)}</summary>")
    inside = _Page(left=room - 200)
    _fill(inside, lines, noun="case")
    return [*page.blocks, "\n".join(inside.blocks), "</details>"]


# --- cost, sight, notes ----------------------------------------------------------------------------------------------


def _closing(document: RunDocument) -> Iterator[str]:
    if document.status is not Status.COMPLETE:
        yield f"**This run is not complete ({document.status})**"
        yield from (block(each, most=_DIFF) for each in document.reasons[:_REASONS])
    yield _took(document)
    sights = [line for suite in document.suites for metric in suite.metrics if (line := _sight(suite, metric))]
    if sights:
        shown = "\n".join(sights[:20])
        more = f"\n- … {len(sights) - 20} more" if len(sights) > 20 else ""
        yield f"<details><summary>What the gate could have seen</summary>\n\n{shown}{more}\n\n</details>"
    notes = [*(note for suite in document.suites for note in suite.notes), *document.notes]
    yield from (f"- note: {prose(each)}" for each in dict.fromkeys(notes))
    yield from (f"- {prose(each)}" for each in document.updated)


def _took(document: RunDocument) -> str:
    spent = [suite.spent for suite in document.suites]
    judges = [judge.asked for suite in document.suites for judge in suite.judges if judge.asked is not None]
    cost = cost_of(document)
    tokens = sum(each.tokens_in + each.tokens_out for each in spent) + sum(each.tokens for each in judges)
    asked, stored = sum(each.asked for each in spent), sum(each.stored for each in spent)
    told = [
        f"{sum(each.cases for each in spent)} cases",
        f"{sum(each.unchanged for each in spent)} answers unchanged",
        *([f"{stored} from the store"] if stored else []),
        f"{asked} asked",
        *([f"{sum(each.asked for each in judges)} verdicts of judges"] if judges else []),
        f"{rounded(tokens)} tokens",
        "cost unknown" if cost is None else dollars(cost),
        f"{document.seconds:.1f} s",
    ]
    commit = f" · commit {code(document.git.commit[:12])}" if document.git is not None else ""
    return f"{' · '.join(told)}{commit} · pytest-promptgate {prose(document.versions.promptgate)}"


def _sight(suite: SuiteRun, metric: MetricRun) -> str:
    name = f"- {code(suite.name)} {code(metric.spec.name, width=60)}: "
    if metric.verdict is not None and metric.verdict.sees:
        return f"{name}{prose(metric.verdict.sees)}"
    sight = metric.sight
    if sight is None:
        return ""
    if sight.sees_any_drop:
        return f"{name}any drop beyond the tolerance"
    if sight.flip_rate is None:
        return f"{name}not known: how much it varies was never measured"
    if sight.drop is None:
        return f"{name}no drop is sure to be caught in 4 of 5 runs"
    unit = " %" if sight.unit == "percent" else " points"
    return f"{name}a drop of {sight.drop:.1f}{unit} is caught in {'at least ' * sight.at_least}4 of 5 runs"
