"""Beside pytest-xdist: evals run in the controller process, ordinary tests in the workers.

Every xdist worker collects every item and runs some of them; evals there would be asked once per worker, or would
need one limiter, one budget and one store across processes. In the controller they have them for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.plugin import MARKER, suite_marks
from pytest_promptgate.pytest_items import SUFFIX, EvalItem

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


class WorkerHooks:
    """Registered with pytest in each xdist worker: keeps evals out of it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """An eval file given by name is no usage error here, it is just somebody else's."""
        config = session.config
        config.args[:] = [arg for arg in config.args if not _is_suite(arg)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str, obj: object) -> _Elsewhere | None:
        """A marked function may be named in an argument, and has no items here."""
        return _Elsewhere.from_parent(collector, name=name) if suite_marks(obj) and not isinstance(obj, type) else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Drop what asks; and all, if ``--lf`` finds failures among the evals only: it would run everything here."""
        items[:] = [item for item in items if not (isinstance(item, _Named) or asks(item))]
        yield
        if not getattr(config.option, "lf", False):  # the option belongs to the cache provider, which may be off
            return
        failed: dict[str, bool] = config.cache.get("cache/lastfailed", {}) if config.cache is not None else {}
        if failed and not any(item.nodeid in failed for item in items):
            items.clear()


class _Elsewhere(pytest.Collector):
    """A marked function, which the main process runs."""

    def collect(self) -> Iterator[pytest.Item]:
        """Whatever of it the arguments name, so that pytest finds it."""
        tails = {arg.partition(f"::{self.name}::")[2] for arg in self.config.args} - {""}
        yield from (_Named.from_parent(self, name=tail) for tail in sorted(tails))


class _Named(pytest.Item):
    """A case or a gate in an argument; it is dropped before anything runs."""

    def runtest(self) -> None:
        """Nothing."""


def asks(item: pytest.Item) -> bool:
    """Whether it is a test that asks models by itself."""
    return MARKER in getattr(item, "fixturenames", ())  # the fixture is named as the marker


def may_ask(path: Path) -> bool:
    """Whether a test file names the marker or the fixture: what the commands, which run no tests, have to import."""
    try:
        return path.suffix == ".py" and MARKER.encode() in path.read_bytes()
    except OSError:
        return False


def wants_suites(config: pytest.Config) -> bool:
    """Whether the arguments name anything that could hold a suite: a directory, or a suite file."""
    return any(_is_suite(arg) or _path(config, arg).is_dir() for arg in config.args)


def missing(config: pytest.Config) -> str:
    """What to say of the first argument that is not there; "" if all of them are."""
    paths = ((arg, _path(config, arg)) for arg in config.args)
    lost = next(((arg, path) for arg, path in paths if not path.exists()), None)
    if lost is None or config.option.pyargs:
        return ""
    suites = [each.name for each in lost[1].parent.glob(f"*{SUFFIX}")]
    return f"no such file or directory: {lost[0]}\n  {did_you_mean(lost[1].name, suites, label='Suites there')}"


def evals_alone(config: pytest.Config) -> bool:
    """Whether the arguments, or ``-m prompt_eval``, leave nothing for workers to do."""
    if config.option.markexpr.strip() == "prompt_eval":
        return True
    patterns = config.getini("python_files")
    args = config.args
    return bool(args) and all(_is_suite(arg) or _without_tests(_path(config, arg), patterns) for arg in args)


def _without_tests(path: Path, patterns: list[str]) -> bool:
    return path.is_dir() and not any(next(path.rglob(pattern), None) for pattern in patterns)


def collect_evals(session: pytest.Session) -> list[pytest.Item]:
    """Collect in the controller, which collects nothing by itself, and keep the evals.

    Every test module is read: a marker or a fixture that asks may come from anywhere, and no worker runs what does.

    Raises:
        pytest.Session.Interrupted: A suite is wrong, as for any collection error.
    """
    config = session.config
    session.perform_collect()
    items = session.items = [item for item in session.items if isinstance(item, EvalItem) or asks(item)]
    if session.testsfailed and not config.option.continue_on_collection_errors:
        count = session.testsfailed
        raise session.Interrupted(f"{count} error{'s' if count != 1 else ''} during collection")
    config.pluginmanager.register(_Counter(session, len(items)), "promptgate-counter")
    return items


def run_evals(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Run the eval items as pytest's own loop would, honouring ``-x`` and ``--maxfail``."""
    # xdist's reports of workers have set these already if the run is to stop.
    for item, following in zip(items, [*items[1:], None], strict=True):
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)


class _Counter:
    """Adds the evals to the number of collected tests, which xdist sets late and without them."""

    def __init__(self, session: pytest.Session, evals: int) -> None:
        self.session = session
        self.evals = evals

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        self.session.testscollected += self.evals
        self.evals = 0


def _is_suite(arg: str) -> bool:
    return arg.split("::", 1)[0].endswith(SUFFIX)


def _path(config: pytest.Config, arg: str) -> Path:
    return config.invocation_params.dir / arg.split("::", 1)[0]
