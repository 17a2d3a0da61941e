"""Our own pluggy specs. Hooks hand over values; they do not edit ours.

They are implemented in a ``conftest.py``, in a pytest plugin, or in a module that the entry-point group ``promptgate``
names; the ``promptgate`` command sees the same ones as pytest does. They belong to a plugin manager of our own, since
pytest's knows no hook whose name does not begin with ``pytest_``.

Four hooks offer something. Each implementation is called once, before the first suite that can see it is read; all
answers are merged, and a name offered twice is an error that names both plugins, so no plugin can quietly replace
another's.

Two hooks observe a run. What they return is ignored, and what they raise never stops a run: it is told once, below the
closing tables. An implementation may leave out arguments that it does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import AccountFactory, Aggregate, DatasetLoader, ScorerOffer
    from pytest_promptgate.core.types import Completion, Report, Trial

hookspec = pluggy.HookspecMarker("promptgate")
hookimpl = pluggy.HookimplMarker("promptgate")


@hookspec
def promptgate_scorers() -> Mapping[str, ScorerOffer] | None:
    """Offer scorers, by the name a suite calls them.

    A scorer is a function of completion and case, or a frozen dataclass with ``__call__`` whose fields are the
    settings that a suite may write::

        from pytest_promptgate import Score, hookimpl

        def is_polite(completion, case):
            polite = "please" in completion.text.lower()
            return Score(value=float(polite), reason="" if polite else "no 'please'")

        @hookimpl
        def promptgate_scorers():
            return {"polite": is_polite}
    """


@hookspec
def promptgate_metrics() -> Mapping[str, Aggregate] | None:
    """Offer aggregates: functions of the scored values, in trial order, that return one finite number.

    ::

        from pytest_promptgate import hookimpl

        @hookimpl
        def promptgate_metrics():
            return {"spread": lambda values: max(values) - min(values)}
    """


@hookspec
def promptgate_providers() -> Mapping[str, AccountFactory] | None:
    """Offer kinds of providers: functions of a `ProviderSpec` and the most connections, that return an `Account`.

    A suite reaches one through an entry with this ``kind`` under ``providers:`` in promptgate.yaml. The function is
    called in the event loop, at the first call of the first trial that needs it::

        from pytest_promptgate import Completion, hookimpl

        class Parrot:
            endpoint = transport = "parrot"  # part of the store's key; what the report calls it

            def __init__(self, spec, most_connections):
                self.spec = spec

            async def room(self):  # returns when a further request could start
                pass

            async def ask(self, request):  # raises what `core.ports.Account.ask` says
                return Completion(text=request.messages[-1].content, tokens_in=1, tokens_out=1)

            async def close(self):
                pass

        @hookimpl
        def promptgate_providers():
            return {"parrot": Parrot}
    """


@hookspec
def promptgate_dataset_loaders() -> Mapping[str, DatasetLoader] | None:
    """Offer dataset formats, by file suffix with its dot.

    ::

        from pathlib import Path
        from pytest_promptgate import Row, hookimpl

        def lines(path):
            return [Row(fields={"text": line}, line=number)
                    for number, line in enumerate(Path(path).read_text().splitlines(), 1)]

        @hookimpl
        def promptgate_dataset_loaders():
            return {".lines": lines}
    """


@hookspec
def promptgate_completion(trial: Trial, completion: Completion) -> None:
    """Observe an answer that was asked for in this run, once it is stored.

    Called for every such answer, also for those of a retrial and of production asked beside the candidate; not for what
    the store or the lockfile answered, and not for the replies of judges. It is called in the engine's thread, between
    two answers: whatever takes long belongs into a queue. Answers are untrusted text::

        import json
        from pytest_promptgate import hookimpl

        @hookimpl
        def promptgate_completion(trial, completion):
            with open("answers.jsonl", "a") as file:
                print(json.dumps({"trial": trial.id, "text": completion.text}), file=file)

    Args:
        trial: Case, sample and request.
        completion: The whole answer; of a conversation the last one.
    """


@hookspec
def promptgate_report(report: Report) -> None:
    """Observe the report of one suite and slot.

    Called once for each, in the main thread, when all of them are judged and before a baseline is written; not for a
    run that ended early, nor for ``--prompt-aa``::

        from pytest_promptgate import hookimpl

        @hookimpl
        def promptgate_report(report):
            red = [verdict.metric for verdict in report.verdicts if verdict.red]
            with open("verdicts.txt", "a") as file:
                print(report.suite.name, report.slot, ", ".join(red) or "fine", file=file)

    Args:
        report: Results, measurements and verdicts; of a shard without verdicts.
    """
