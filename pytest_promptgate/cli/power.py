"""``promptgate power``: how small a drop the gates of a suite can see, and what it takes to see a smaller one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plural
from pytest_promptgate.core.default_rule import STEADY_KINDS
from pytest_promptgate.core.noise import ASSUMED_LEVEL, Noise, Source
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.sight import STRICT, Known, Sight, sharing, sights
from pytest_promptgate.pytest_aa import known_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.pytest_run import Run

_SAMPLES = (1, 3, 5)
_POINTS = (2.0, 5.0)


@click.command()
@click.argument("paths", nargs=-1, metavar="[SUITE]...")
@click.option(
    "--drop",
    type=click.FloatRange(0, 100, min_open=True),
    default=5.0,
    show_default=True,
    metavar="POINTS",
    help="The drop that is to be caught: hundredths of the metric.",
)
@click.option(
    "--flip-rate",
    type=click.FloatRange(0, 1),
    metavar="RATE",
    help="Share of cases that score differently when asked twice, 0 to 1; default: as --prompt-aa measured it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def power(paths: tuple[str, ...], drop: float, flip_rate: float | None, as_json: bool) -> None:
    """Show how small a drop each gate can see, and how many cases or samples a wanted size needs. Asks nothing.

    SUITE is a suite file, a directory, or the name of a suite; by default everything that pytest would collect here.
    """
    with open_project(paths) as project:
        found = [(run, sights(run.suite, _known(project, run, flip_rate))) for run in project.runs]
        family = sum(each.rule != STRICT for _, of_run in found for each in of_run)
        shared = [(run, [sharing(each, family) for each in of_run]) for run, of_run in found]
        if as_json:
            click.echo(json.dumps([_as_json(run, each, drop) for run, each in shared], indent=2))
            return
        for at, (run, of_run) in enumerate(shared):
            for line in (*([""] if at else []), *_lines(run, of_run, drop, family)):
                click.echo(printable(line))


def _known(project: Project, run: Run, flip_rate: float | None) -> Known:
    kind = project.evals.project.kind(run.plan.pin.provider)
    return Known(
        flip_rate=flip_rate,
        measured=known_noise(project.own, run.plan),
        steady=kind in STEADY_KINDS,
        baseline=run.baseline,
    )


def _lines(run: Run, of_run: Sequence[Sight], drop: float, family: int) -> Iterator[str]:
    suite = run.suite
    title = suite.name if tuple(suite.slots) == ("default",) else f"{suite.name} ({run.slot})"
    level = f"; {plural(family, 'metric')} share{'s' * (family == 1)} the level {suite.policy.test_alpha:g}"
    size = f"{plural(len(suite.cases), 'case')} x {plural(suite.samples, 'sample')}"
    yield f"{title}: {size}, rule {suite.rule}{level if any(each.rule != STRICT for each in of_run) else ''}"
    if not of_run:
        yield "no metric of it is gated"
    for each in of_run:
        of_slice = "" if each.spec.part is None else f" ({plural(each.n, 'case')})"
        yield f"{each.spec.name}{of_slice}: {_flips(each.noise)}"
        yield from (f"  {line}" for line in _seen(each, drop))
    sources = {each.noise and each.noise.source for each in of_run}
    if Source.STEADY not in sources and sources & {None, Source.GUESSED, Source.ASSUMED}:
        yield f"measure how much answers vary: pytest --prompt-evals --prompt-aa {suite.path}"


def _flips(noise: Noise | None) -> str:
    if noise is None:
        return "how much it varies is not known"
    return f"flip rate {100 * noise.flip_rate:.1f} %, {_source(noise)}"


def _source(noise: Noise) -> str:
    level = noise.level or 0.0
    return {
        Source.GUESSED: f"a guess from the baseline's level: 2 x {level:.3f} x {1 - level:.3f}",
        Source.GIVEN: "as given",
        Source.MEASURED: f"measured by --prompt-aa on {noise.about}",
        Source.STORED: f"from the repeated answers in the baseline, {noise.about}",
        Source.ASSUMED: f"assumed, as at a level of {ASSUMED_LEVEL}: there is no baseline, and no --flip-rate",
        Source.STEADY: "since this model answers alike every time",
    }[noise.source]


def _seen(sight: Sight, drop: float) -> Iterator[str]:
    if sight.sees_all:
        allowed = f" beyond the tolerance {sight.gate.tolerance}" if sight.gate.tolerance.amount else ""
        steady = sight.rule != STRICT and sight.noise is not None and sight.noise.source is not Source.STEADY
        yield f"any drop{allowed} is seen{', as long as no answer varies' * steady}"
        if sight.rule == STRICT and sight.noise is not None and sight.noise.flip_rate > 0:
            yield "so is bad luck: a run in which nothing has changed fails too if it comes out lower"
        return
    if sight.noise is None:
        return
    unit, least = " %" if sight.relative else " points", "at least " if sight.at_least else ""
    if sight.margin is not None:
        yield from _proof(sight, sight.margin, unit)
        return
    smallest = sight.drop()
    told = f"a drop of {smallest or 0:.1f}{unit} is caught in {least}4 of 5 runs"
    if smallest is None:
        told = f"no drop is {'sure to be ' * sight.at_least}caught in 4 of 5 runs"
    chances = ", ".join(f"one of {each:g}{unit} in {least}{_percent(sight.chance(each))}" for each in _points(drop))
    yield f"{told}; {chances}"
    yield f"to catch {drop:g}{unit} in {least}4 of 5 runs: {_needs(sight, drop)}"


def _proof(sight: Sight, margin: float, unit: str) -> Iterator[str]:
    """Under `non_inferior` a prompt that is as good passes only if that can be proven."""
    if margin <= 0:
        yield "without a tolerance nothing can be proven to be within it: no run passes"
        return
    passes = _percent(sight.chance(margin))
    yield f"an unchanged prompt is proven to be within {margin:g}{unit} in {passes} of the runs; the others fail"
    yield f"to prove it in 4 of 5 runs: {_needs(sight, margin)}"


def _needs(sight: Sight, points: float) -> str:
    cases = [f"{_number(sight.cases(points, each))} with {each}" for each in _SAMPLES]
    first, *others = cases
    samples = sight.repeats(points)
    told = "more than 1000 samples" if samples is None else plural(samples, "sample")
    listed = ", ".join([first.replace(" with 1", " cases with 1 sample"), *others])
    return f"{listed}; or {told} of these {plural(sight.n, 'case')}"


def _number(cases: int | None) -> str:
    return "more than 1000000" if cases is None else str(cases)


def _points(drop: float) -> list[float]:
    return sorted({*_POINTS, drop})


def _percent(chance: float | None) -> str:
    return f"{100 * (chance or 0.0):.0f} %"


def _as_json(run: Run, of_run: Sequence[Sight], drop: float) -> dict[str, Any]:
    return {
        "suite": run.suite.name,
        "slot": run.slot,
        "model": str(run.plan.pin),
        "rule": run.suite.rule,
        "metrics": [_metric_as_json(each, drop) for each in of_run],
    }


def _metric_as_json(sight: Sight, drop: float) -> dict[str, Any]:
    """Drops in points, or in percent of the level if ``unit`` says so; null: not known, or out of reach."""
    noise, blank = sight.noise, sight.sees_all or sight.noise is None
    wanted = drop if sight.margin is None else sight.margin
    reachable = not blank and wanted > 0
    return {
        "metric": sight.spec.name,
        "expression": sight.spec.expression,
        "rule": sight.rule,
        "cases": sight.n,
        "samples": sight.samples,
        "alpha": sight.alpha,
        "unit": "percent of the level" if sight.relative else "points",
        "flip_rate": noise and noise.flip_rate,
        "flip_rate_from": noise and str(noise.source),
        "sees_any_drop": sight.sees_all,
        "at_least": sight.at_least,
        "drop_in_4_of_5": None if blank else sight.drop(),
        "chance": {} if blank else {f"{each:g}": sight.chance(each) for each in _points(drop)},
        "wanted": wanted,
        "cases_needed": {str(each): sight.cases(wanted, each) for each in _SAMPLES} if reachable else {},
        "samples_needed": sight.repeats(wanted) if reachable else None,
    }
