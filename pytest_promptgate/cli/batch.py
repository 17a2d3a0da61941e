"""``promptgate batch``: fill the store through the provider's Batch endpoint, at half the price."""

from __future__ import annotations

import secrets
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.estimate import cost, foresee
from pytest_promptgate.cli.exits import FAILED, USAGE, Stop
from pytest_promptgate.cli.project import Project, open_project
from pytest_promptgate.cli.tables import plural, show_table
from pytest_promptgate.cli.verdicts import order_estimate, verdict_orders
from pytest_promptgate.core.batches import PRICE_SHARE, BatchRecord, Stage
from pytest_promptgate.core.estimate import Source, rounded
from pytest_promptgate.core.printable import printable
from pytest_promptgate.files.batch_journal import BatchJournal
from pytest_promptgate.files.own_directory import make_own_directory
from pytest_promptgate.models.store_lock import alone
from pytest_promptgate.workflows.batching import (
    Collected,
    Order,
    collect,
    open_requests,
    resume,
    submit,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.models.batch import OpenAIBatches
    from pytest_promptgate.pytest_run import Run

_HEADER = ("suite", "slot", "batch", "status", "requests", "done", "failed")
_PROBLEMS = 5  # named one by one


@click.group()
def batch() -> None:
    """Ask through the provider's Batch endpoint: within 24 hours, at half the price.

    The answers go into the response store; a later pytest --prompt-evals then asks nothing. A command that was
    killed is simply run again.
    """


@batch.command(name="submit")
@click.argument("suites", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Only say what would be submitted, and what it would cost.")
def submit_command(suites: tuple[str, ...], dry_run: bool) -> None:
    """Submit everything that a run of SUITES (names or paths) would ask."""
    with open_project(suites) as project, _Desk(project, writes=not dry_run) as desk:
        if not dry_run:
            for record in resume(desk.journal, desk.service):
                _tell_submitted(record)
        for run in project.runs:
            _refuse_what_takes_turns(run)
            _refuse_latency(run)
        for run in project.runs:
            _submit_run(project, desk, run, dry_run=dry_run)
            for each in verdict_orders(project, run):
                _submit_verdicts(project, desk, each, dry_run=dry_run)


@batch.command()
@click.argument("suites", nargs=-1)
def status(suites: tuple[str, ...]) -> None:
    """Show the batches that are under way, of SUITES (names or paths) or of all."""
    with open_project(suites, need_suites=False, tolerant=True) as project, _Desk(project, writes=False) as desk:
        rows = []
        for record in _submitted(desk.journal, project, suites):
            now = desk.service(record.provider).status(record.batch)
            numbers = (record.requests, now.done, now.failed)
            rows.append((record.suite, record.slot, record.batch, now.status, *(str(each) for each in numbers)))
        if rows:
            show_table(_HEADER, rows, left=4)
        else:
            click.echo("no batch is under way")


@batch.command(name="collect")
@click.argument("suites", nargs=-1)
@click.option("--wait", is_flag=True, help="Wait until all batches have ended.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How often --wait looks.",
)
def collect_command(suites: tuple[str, ...], wait: bool, every: float) -> None:
    """Put the answers of ended batches into the store; of SUITES (names or paths) or of all.

    Exits with 1 if a batch is still under way, or if some of its requests have no answer.
    """
    with open_project(suites, need_suites=False, tolerant=True) as project, _Desk(project) as desk:
        records = _submitted(desk.journal, project, suites)
        if not records:
            click.echo("no batch is under way")
        whole = True
        while records:
            rounds = [_collect(project, desk, record) for record in records]
            whole = whole and all(each.status.ended is False or _is_whole(each) for each in rounds)
            records = [each.record for each in rounds if not each.status.ended]
            if not wait:
                break
            if records:
                time.sleep(every)
        if records or not whole:
            raise Stop(_left_over(records, whole=whole), FAILED)


class _Desk:
    """The journal, held alone, and the Batch endpoints that were needed so far."""

    def __init__(self, project: Project, *, writes: bool = True) -> None:
        self._project = project
        self._services: dict[str, OpenAIBatches] = {}
        self._alone: AbstractContextManager[None] = _alone(project) if writes else nullcontext()
        self.journal = BatchJournal(project.own, shown=project.shown(project.own))

    def __enter__(self) -> _Desk:
        self._alone.__enter__()
        return self

    def __exit__(self, *fault: object) -> None:
        for service in self._services.values():
            service.close()
        self._alone.__exit__(None, None, None)

    def service(self, provider: str) -> OpenAIBatches:
        """The Batch endpoint of a provider."""
        from pytest_promptgate.models.batch import OpenAIBatches

        if provider not in self._services:
            spec = self._project.evals.project.providers.get(provider)
            if spec is None:
                raise Stop(f"a batch is under way at the provider {provider!r}, which promptgate.yaml no longer names")
            self._services[provider] = OpenAIBatches(spec)
        return self._services[provider]


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    lock = project.own / "batches.lock"
    make_own_directory(project.own)
    lock.touch()
    with alone(lock, taken="another promptgate batch is at work here"):
        yield


def _refuse_what_takes_turns(run: Run) -> None:
    what = "conversations" if run.suite.turns else "a target" if run.suite.prompt.target is not None else ""
    if what:
        raise Stop(f"{run.suite.path}: {what} cannot be asked in a batch\n  Run pytest --prompt-evals.", USAGE)


def _refuse_latency(run: Run) -> None:
    gated = [spec.name for spec in run.suite.metrics if spec.source == "latency_s" and run.suite.gates[spec.name].gated]
    if gated:
        raise Stop(
            f"{run.suite.path}: {gated[0]} gates the latency, and a batch has none\n"
            f"  Write `{gated[0]}: report` under gate:, or run pytest --prompt-evals.",
            USAGE,
        )


def _submit_run(project: Project, desk: _Desk, run: Run, *, dry_run: bool) -> None:
    endpoint, current = project.endpoint(run), project.round(run)
    under_way = open_requests(desk.journal, run.suite.name, endpoint=endpoint, round=current)
    foreseen = foresee(project, run, share=PRICE_SHARE, besides=under_way)
    told, title = foreseen.estimate, _title(run.suite.name, run.slot)
    if not foreseen.asked:
        rest = f"{told.unchanged} unchanged, {told.stored} stored or under way"
        click.echo(f"{title}: nothing to submit: {rest}")
        return
    service = desk.service(run.plan.pin.provider)
    guess = " (guessed from the length of the prompts)" if told.source is Source.LENGTH else ""
    click.echo(
        f"{title}: {plural(told.asked, 'request')}, about {rounded(told.tokens)} tokens{guess}, "
        f"cost {cost(told)} at half the price"
    )
    if dry_run:
        return
    order = Order(
        suite=run.suite.name,
        slot=run.slot,
        pin=run.plan.pin,
        endpoint=endpoint,
        round=current,
        requests=tuple(wanted(each) for each in foreseen.asked),
    )
    for record in submit(order, service=service, journal=desk.journal, new_id=lambda: secrets.token_hex(8)):
        _tell_submitted(record)


def _submit_verdicts(project: Project, desk: _Desk, order: Order, *, dry_run: bool) -> None:
    """Verdicts on answers that are at hand: the second wave, once the first one is collected."""
    under_way = open_requests(desk.journal, order.suite, endpoint=order.endpoint, round=order.round)
    asked = tuple(each for each in order.requests if each.name not in under_way)
    if not asked:
        return
    told = order_estimate(project, order, asked)
    click.echo(
        f"{_title(order.suite, order.slot)}: {plural(told.asked, 'verdict')}, about {rounded(told.tokens)} tokens "
        f"(guessed from the length of the prompts), cost {cost(told)} at half the price"
    )
    if dry_run:
        return
    service = desk.service(order.pin.provider)
    for record in submit(
        replace(order, requests=asked), service=service, journal=desk.journal, new_id=lambda: secrets.token_hex(8)
    ):
        _tell_submitted(record)


def _tell_submitted(record: BatchRecord) -> None:
    title = _title(record.suite, record.slot)
    click.echo(printable(f"{title}: submitted {plural(record.requests, 'request')} as {record.batch}"))


def _submitted(journal: BatchJournal, project: Project, suites: Sequence[str]) -> list[BatchRecord]:
    wanted = {run.suite.name for run in project.runs} if suites else None
    return [
        each for each in journal.records() if each.stage is Stage.SUBMITTED and (wanted is None or each.suite in wanted)
    ]


def _collect(project: Project, desk: _Desk, record: BatchRecord) -> Collected:
    store = project.evals.store(record.suite)
    try:
        found = collect(record, service=desk.service(record.provider), journal=desk.journal, store=store)
    finally:
        store.close()
    now, title = found.status, f"{_title(record.suite, record.slot)}: {record.batch}"
    if not now.ended:
        click.echo(printable(f"{title}: {now.status}, {now.done} of {record.requests} done"))
        return found
    click.echo(printable(f"{title}: {now.status}, {plural(found.record.answered, 'answer')} stored"))
    for what, times in found.problems.most_common(_PROBLEMS):
        click.echo(printable(f"  {plural(times, 'request')} not answered: {what}"), err=True)
    if found.missing:
        click.echo(f"  {plural(found.missing, 'request')} not answered: the provider says nothing of them", err=True)
    for fault in now.faults[:_PROBLEMS]:
        click.echo(printable(f"  the batch failed: {fault}"), err=True)
    return found


def _is_whole(found: Collected) -> bool:
    return found.record.answered == found.record.requests


def _left_over(records: Sequence[BatchRecord], *, whole: bool) -> str:
    lines = []
    if records:
        verb = "is" if len(records) == 1 else "are"
        count = len(records)
        lines.append(f"{count} batch{'' if count == 1 else 'es'} {verb} under way: collect again later, or with --wait")
    if not whole:
        lines.append("some requests have no answer: submit again, or let pytest --prompt-evals ask for them")
    return "\n".join(lines)


def _title(suite: str, slot: str) -> str:
    return suite if slot == "default" else f"{suite} ({slot})"
