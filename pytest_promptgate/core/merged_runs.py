"""Run documents of shards as one: every case once, and no verdict that nobody has given."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.recalled import results_of
from pytest_promptgate.core.run_document import Spent, Status
from pytest_promptgate.core.types import Differences
from pytest_promptgate.errors import RunFileError

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from pytest_promptgate.core.run_document import CaseRun, MetricRun, RunDocument, SuiteRun

NOT_JUDGED = "merged: run pytest --prompt-evals on the merged response stores to have it judged"


def merged(runs: Sequence[tuple[str, RunDocument]]) -> RunDocument:
    """One document of several.

    A suite that stands in one of them is taken as it is. One that stands in several (in the documents of shards) has
    all their cases, measured together and not judged: a gate judges a whole run, and may ask again.

    Args:
        runs: The documents with what they are called; at least one.

    Raises:
        RunFileError: A case stands in two of them with different answers, or a suite with different settings.
    """
    names, documents = [name for name, _ in runs], [document for _, document in runs]
    suites: dict[tuple[str, str], tuple[str, SuiteRun]] = {}
    for name, document in runs:
        for suite in document.suites:
            key = suite.name, suite.slot
            suites[key] = (name, _joined(suites[key], (name, suite)) if key in suites else suite)
    lacking = _lacking({each.mode.shard for each in documents})
    unfinished = [each for each in documents if each.status is not Status.COMPLETE]
    return replace(
        documents[0],
        status=unfinished[0].status if unfinished else Status.COMPLETE,
        reasons=tuple(dict.fromkeys(reason for each in unfinished for reason in each.reasons)),
        exit_code=max(each.exit_code for each in documents),
        started=min(each.started for each in documents),
        ended=max(each.ended for each in documents),
        seconds=sum(each.seconds for each in documents),
        mode=replace(documents[0].mode, shard="" if len(names) > 1 else documents[0].mode.shard),
        suites=tuple(
            replace(suite, notes=tuple(dict.fromkeys((*suite.notes, *lacking)))) for _, suite in suites.values()
        ),
        failures=sum(each.failures for each in documents),
        notes=tuple(dict.fromkeys(note for each in documents for note in each.notes)),
        updated=tuple(line for each in documents for line in each.updated),
        merged=tuple(names) if len(names) > 1 else documents[0].merged,
    )


def _noted(suite: SuiteRun, notes: Sequence[str]) -> SuiteRun:
    return replace(suite, notes=tuple(dict.fromkeys((*suite.notes, *notes))))


def _lacking(shards: Set[str]) -> tuple[str, ...]:
    """A note on shards that are not there: what was merged is then not the whole."""
    found = [re.fullmatch(r"\d+/(\d{1,4})", each) for each in shards]
    counts = {int(each[1]) if each else 0 for each in found}
    if len(counts) != 1:
        return ()
    (count,) = counts
    missing = [name for at in range(1, count + 1) if (name := f"{at}/{count}") not in shards]
    return (f"these are not all cases: without shard {', '.join(missing)}",) if missing else ()


def _joined(one: tuple[str, SuiteRun], other: tuple[str, SuiteRun]) -> SuiteRun:
    (name, suite), (other_name, more) = one, other
    if _settings(suite) != _settings(more):
        what = f"{suite.title}: prompt, model, metrics, scorers or rule differ from those in {name}"
        raise RunFileError(other_name, what, hint="Merge documents of one run: its shards, of one commit.")
    cases = {case.id: case for case in suite.cases}
    for case in more.cases:
        if case.id in cases and not _alike(cases[case.id], case):
            what = f"case {case.id} of {suite.title} stands here and in {name}, with different answers"
            raise RunFileError(other_name, what, hint="Merge shards that share no case: --prompt-shard 1/2 and 2/2.")
        cases[case.id] = case
    spent = suite.spent if cases.keys() == {case.id for case in suite.cases} else _sum(suite.spent, more.spent)
    whole = replace(suite, cases=tuple(cases.values()))
    return replace(
        whole,
        judged=False,
        not_judged=NOT_JUDGED,
        partial="",
        served_models=tuple(sorted({*suite.served_models, *more.served_models})),
        metrics=_measured(whole),
        promises=(),
        sliced=(),
        differences=replace(more.differences, accepted=()) if more.differences else Differences(),
        spent=replace(spent, cases=len(cases)),
        notes=tuple(dict.fromkeys((*suite.notes, *more.notes))),
        failed=tuple(dict.fromkeys((*suite.failed, *more.failed))),
    )


def _settings(suite: SuiteRun) -> tuple[object, ...]:
    prints = tuple(sorted((each.name, each.fingerprint) for each in suite.scorers))
    metrics = tuple((each.spec, each.gate) for each in suite.metrics)
    return suite.prompt.digest, suite.model, suite.rule, suite.samples, prints, metrics


def _alike(one: CaseRun, other: CaseRun) -> bool:
    """Whether two documents tell the same of a case; who was asked and how long it took may differ."""
    seen = [(each.sample, each.output, dict(each.grades)) for each in one.now]
    return one.row == other.row and seen == [(each.sample, each.output, dict(each.grades)) for each in other.now]


def _measured(suite: SuiteRun) -> tuple[MetricRun, ...]:
    observations = [result.observation for result in results_of(suite)]
    return tuple(replace(each, measured=measure(each.spec, observations), verdict=None) for each in suite.metrics)


def _sum(one: Spent, other: Spent) -> Spent:
    costs = (one.cost_usd, other.cost_usd)
    return Spent(
        unchanged=one.unchanged + other.unchanged,
        stored=one.stored + other.stored,
        asked=one.asked + other.asked,
        unanswered=one.unanswered + other.unanswered,
        tokens_in=one.tokens_in + other.tokens_in,
        tokens_out=one.tokens_out + other.tokens_out,
        cost_usd=None if None in costs else sum(each or 0.0 for each in costs),
        latency_s=one.latency_s + other.latency_s,
    )
