"""Our own pluggy specs. Hooks hand over values; they do not edit ours.

They are implemented in a ``conftest.py``, in a pytest plugin, or in a module that the entry-point group ``promptgate``
names; the ``promptgate`` command sees the same ones as pytest does. They belong to a plugin manager of our own, since
pytest's knows no hook whose name does not begin with ``pytest_``. Each implementation is called once, before the first
suite that can see it is read; all answers are merged, and a name offered twice is an error that names both plugins, so
no plugin can quietly replace another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import AccountFactory, Aggregate, DatasetLoader, ScorerOffer

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
    called in the event loop, at the first call of the first trial that needs it.
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
