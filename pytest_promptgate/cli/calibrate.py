"""``promptgate calibrate``: hold a judge against people's labels, and keep the result in the lockfile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.calibration_answers import answers_of
from pytest_promptgate.cli.calibration_text import as_json, report
from pytest_promptgate.cli.exits import FAILED, USAGE, Stop
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plural
from pytest_promptgate.core.calibration_study import GOOD, Rated, one_class, study, too_few
from pytest_promptgate.core.estimate import headline
from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.trust import rubric_of
from pytest_promptgate.core.types import Errored, Skipped
from pytest_promptgate.core.votes import Votes, estimate_of, votes_of
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.files.label_file import read_labels
from pytest_promptgate.files.lockfile import save_calibration
from pytest_promptgate.workflows.calibrating import judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.calibration_study import Study
    from pytest_promptgate.core.rubrics import Rubric
    from pytest_promptgate.core.types import BoundScorer, Request
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
@click.option("--dry-run", is_flag=True, help="Leave the lockfile as it is.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def calibrate(
    rubric: Path, labels: Path, name: str | None, repeats: int, good: float, dry_run: bool, as_data: bool
) -> None:
    """Hold the judge of RUBRIC against people's labels; the result goes into the lockfile, bound to the rubric.

    Asks the judge for what the response store does not hold, and says before what that costs.
    """
    with open_project([name] if name else [], whole=True) as project:
        try:
            run, bound, read = _judge(project, rubric)
            found = _study(project, run, bound, _read(project, run, read, labels), repeats=repeats, good=good)
            written = not dry_run and _write(project, read, found)
        finally:
            project.evals.end()
    if as_data:
        click.echo(json.dumps(as_json(read, found, good=good, written=written), indent=2))
        return
    for line in report(read, found, good=good):
        click.echo(line)
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


def _study(
    project: Project, run: Run, bound: BoundScorer, labels: Sequence[Labelled], *, repeats: int, good: float
) -> Study:
    answers = answers_of(project, run, bound, labels, times=repeats)
    click.echo(_forecast(project, run, answers.asked, len(labels) - answers.written), err=True)
    engine = project.evals.evaluation()
    grades = judged(engine, answers.asked, suite=run.suite, slot=run.slot)
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
        return study(rubric, rated, good=good)
    except ValueError as error:
        raise Stop(f"{rubric.path}: {error}", FAILED) from None


def _forecast(project: Project, run: Run, asked: Sequence[Asked], stored: int) -> str:
    """``60 answers (20 of them stored): 48 calls, about 12k tokens, about $0.17; 12 verdicts are stored``."""

    def is_stored(request: Request, vote: int) -> bool:
        endpoint = project.endpoint_of(request.pin.provider)
        key = StoreKey(request=request_digest(request), endpoint=endpoint, role="judge", ordinal=vote)
        return project.reply(run, key) is not None

    found: Votes | None = None
    for each in asked:
        votes = votes_of(each.scorer, each.case, each.completion, None, is_stored=is_stored)
        if votes is not None:
            found = votes if found is None else found + votes
    told = f"{plural(len(asked), 'answer')}{f' ({stored} of them stored)' if stored else ''}"
    if found is None:
        return f"{told}: 0 calls"
    estimate = estimate_of(found, suite=run.suite.name, slot=run.slot, price=project.evals.price(found.pin))
    known = f"; {plural(found.stored, 'verdict')} stored" if found.stored else ""
    return f"{told}: {headline([estimate])}{known}"


def _write(project: Project, rubric: Rubric, found: Study) -> bool:
    evals = project.evals
    return save_calibration(
        evals.settings.lockfile,
        rubric.path,
        found.calibration,
        root=evals.settings.root,
        aggregates=evals.toolbox().aggregates,
    )
