"""``promptgate calibrate``: hold a judge against people's labels, and keep the result in the lockfile."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.calibration_line import CalibrationLine
from pytest_promptgate.cli.calibration_text import as_json, report
from pytest_promptgate.cli.exits import FAILED, USAGE, Stop
from pytest_promptgate.cli.money import usd
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plural
from pytest_promptgate.core.calibration import Golden
from pytest_promptgate.core.calibration_study import GOOD, Rated, kept, one_class, study, too_few
from pytest_promptgate.core.estimate import headline
from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.limits import refusal
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.trust import rubric_of
from pytest_promptgate.core.types import Errored, Score, Skipped
from pytest_promptgate.core.votes import estimate_of, together, votes_of
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.files.label_file import read_labels
from pytest_promptgate.files.lockfile import save_calibration
from pytest_promptgate.pytest_labelled import answers_of
from pytest_promptgate.workflows.calibrating import golden_digest, judged, served_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.calibration_study import Study
    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.rubrics import Rubric
    from pytest_promptgate.core.types import BoundScorer, Request
    from pytest_promptgate.core.votes import Votes
    from pytest_promptgate.files.label_file import Labelled
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.workflows.calibrating import Asked

MOST_REPEATS = 20


@click.command()
@click.argument("rubric", type=click.Path(path_type=Path))
@click.option("--labels", required=True, type=click.Path(path_type=Path), help="People's labels: CSV, JSONL, ...")
@click.option("--suite", "name", metavar="NAME", help="The suite whose rows and answers the labels name.")
@click.option(
    "--repeats",
    type=click.IntRange(1, MOST_REPEATS),
    default=1,
    show_default=True,
    help="How often every answer is judged, to see whether the judge agrees with itself.",
)
@click.option(
    "--good",
    type=click.FloatRange(0, 1, min_open=True),
    default=GOOD,
    show_default=True,
    help="Score from which on an answer is good, for sensitivity and specificity.",
)
@click.option("--max-cost", callback=usd, metavar="USD", help="Ask nothing if the estimate is above.")
@click.option("--dry-run", is_flag=True, help="Leave the lockfile as it is.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def calibrate(
    rubric: Path,
    labels: Path,
    name: str | None,
    repeats: int,
    good: float,
    max_cost: float | None,
    dry_run: bool,
    as_data: bool,
) -> None:
    """Hold the judge of RUBRIC against people's labels; the result goes into the lockfile, bound to the rubric.

    Asks the judge for what the response store does not hold, and says before what that costs.
    """
    with open_project([name] if name else [], whole=True) as project:
        try:
            run, bound, read = _judge(project, rubric)
            rows = _read(project, run, read, labels)
            found = _study(project, run, bound, rows, Wish(repeats=repeats, good=good, max_cost=max_cost, file=labels))
            written = not dry_run and _write(project, read, found)
        finally:
            project.evals.end()
    if as_data:
        click.echo(json.dumps(as_json(read, found, good=good, written=written), indent=2))
        return
    for line in report(read, found, good=good):
        click.echo(line)
    if found.calibration.golden is None:
        click.echo(f"{labels}: outside the project, so --prompt-judge-drift will have nothing to compare with")
    lockfile = project.shown(project.evals.settings.lockfile)
    click.echo(f"{lockfile}: {'not written (--dry-run)' if dry_run else 'written' if written else 'unchanged'}")


def _judge(project: Project, path: Path) -> tuple[Run, BoundScorer, Rubric]:
    """The one suite that judges by the rubric at `path`."""
    root, wanted = project.evals.settings.root, path.resolve()
    all_judges = [
        (run, bound, rubric) for run in project.runs for bound in run.suite.scorers if (rubric := rubric_of(bound))
    ]
    found = [each for each in all_judges if (root / each[2].path).resolve() == wanted]
    if not found:
        known = {rubric.path for _, _, rubric in all_judges}
        hint = did_you_mean(path.as_posix(), known, label="Their rubrics")
        raise Stop(f"no suite judges by {path.as_posix()}\n  {hint}", USAGE)
    suites = sorted({run.suite.name for run, _, _ in found})
    if len(suites) > 1:
        raise Stop(
            f"{path.as_posix()} is the rubric of {len(suites)} suites: {', '.join(suites)}\n"
            "  Say whose rows and answers the labels name: --suite NAME",
            USAGE,
        )
    return found[0]


def _read(project: Project, run: Run, rubric: Rubric, path: Path) -> tuple[Labelled, ...]:
    """The labels, as far as they can tell something at all: nothing is asked for others."""
    evals = project.evals
    cases = [case.id for case in run.suite.cases]
    found = read_labels(path.resolve(), rubric, cases=cases, loaders=evals.toolbox().loaders, root=evals.settings.root)
    rated = [Rated(name=each.id, answer="", labels=each.labels) for each in found]
    problem = too_few(len(rated), what="labelled answers") or one_class(rubric, rated)
    if problem:
        raise Stop(f"{path.as_posix()}: {problem}\n  Nothing was asked.", FAILED)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for."""

    repeats: int
    good: float
    max_cost: float | None  # USD
    file: Path  # of the labels


def _study(project: Project, run: Run, bound: BoundScorer, labels: Sequence[Labelled], wish: Wish) -> Study:
    answers = answers_of(run, bound, labels, times=wish.repeats, stored=project.stored)
    votes = _votes(project, run, answers.asked)
    estimates = [] if votes is None else [_estimate(project, run, votes)]
    click.echo(_forecast(estimates, votes, len(labels), len(labels) - answers.written), err=True)
    if wish.max_cost is not None and (
        why := refusal(wish.max_cost, estimates, option="--max-cost", fewer="label fewer answers")
    ):
        raise Stop(why, FAILED)
    with CalibrationLine(verdicts=votes.asked if votes is not None else 0) as line:
        grades = judged(project.evals.evaluation(), answers.asked, suite=run.suite, slot=run.slot, tick=line.tick)
    failed = [each for each in grades if isinstance(each, Errored | Skipped)]
    if failed:
        why = failed[0].message if isinstance(failed[0], Errored) else failed[0].reason
        told = f"{len(failed)} of {plural(len(grades), 'answer')} could not be judged: {why}"
        raise Stop(f"{told}\n  Run again: what was judged is stored.", FAILED)
    rated = [
        Rated(
            name=each.id or str(each.place),
            answer=asked.completion.text,
            labels=each.labels,
            grades=said,
            arm=each.arm,
        )
        for each, asked, said in zip(labels, answers.asked, grades, strict=True)
        if isinstance(said, tuple)
    ]
    rubric = rubric_of(bound)
    assert rubric is not None
    try:
        found = study(rubric, rated, good=wish.good)
    except ValueError as error:
        raise Stop(f"{rubric.path}: {error}", FAILED) from None
    return replace(
        found, calibration=replace(found.calibration, golden=_golden(project, run, answers.asked, rated, wish))
    )


def _golden(project: Project, run: Run, asked: Sequence[Asked], rated: Sequence[Rated], wish: Wish) -> Golden | None:
    """What a later look for drift compares with; None if the labels lie outside the project."""
    file = wish.file.resolve()
    if not file.is_relative_to(project.evals.settings.root):
        return None
    first = [each.grades[0] for each in rated]
    return Golden(
        suite=run.suite.name,
        labels=project.shown(file),
        digest=golden_digest(asked, [each.labels for each in rated]),
        people=tuple(kept(each.people) for each in rated),
        verdicts=tuple(kept(each.value) if isinstance(each, Score) else None for each in first),
        served=served_models(asked),
    )


def _votes(project: Project, run: Run, asked: Sequence[Asked]) -> Votes | None:
    """What the judge is to be asked; None if nothing."""

    def is_stored(request: Request, vote: int) -> bool:
        endpoint = project.endpoint_of(request.pin.provider)
        key = StoreKey(request=request_digest(request), endpoint=endpoint, role="judge", ordinal=vote)
        return project.reply(run, key) is not None

    return together(votes_of(each.scorer, each.case, each.completion, None, is_stored=is_stored) for each in asked)


def _estimate(project: Project, run: Run, votes: Votes) -> Estimate:
    return estimate_of(votes, suite=run.suite.name, slot=run.slot, price=project.evals.price(votes.pin))


def _forecast(estimates: Sequence[Estimate], votes: Votes | None, answers: int, stored: int) -> str:
    """``60 answers (20 of them stored): 48 calls, about 12k tokens, about $0.17; 12 verdicts stored``."""
    told = f"{plural(answers, 'answer')}{f' ({stored} of them stored)' if stored else ''}"
    known = f"; {plural(votes.stored, 'verdict')} stored" if votes is not None and votes.stored else ""
    return f"{told}: {headline(estimates)}{known}"


def _write(project: Project, rubric: Rubric, found: Study) -> bool:
    evals = project.evals
    return save_calibration(
        evals.settings.lockfile,
        rubric.path,
        found.calibration,
        root=evals.settings.root,
        aggregates=evals.toolbox().aggregates,
    )
