"""A marked test function with one combination of its parameters, as the engine asks it.

Its fixtures are pytest's: set up while an item of it is, and torn down as for any test. So nothing is asked before
the first item's setup, unless it uses none.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.fixtures import TopRequest
from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks

from pytest_promptgate.core.types import Skipped
from pytest_promptgate.errors import TargetError
from pytest_promptgate.files.python_suite import CASE
from pytest_promptgate.pytest_fail_fast import watch_of
from pytest_promptgate.pytest_items import EvalFailure
from pytest_promptgate.pytest_launch import ask_more
from pytest_promptgate.workflows.left_out import LeftOut
from pytest_promptgate.workflows.scoring import described, place_in_users_code
from pytest_promptgate.workflows.targets import called

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pytest_promptgate.core.types import Json
    from pytest_promptgate.pytest_run import Run

# Fixtures of pytest-asyncio that every test has, and that mean nothing to code in the engine's loop.
_HARMLESS = frozenset({"event_loop_policy"})
# What users' code may raise that is no `Exception`, and means this test alone.
OUTCOMES = (pytest.skip.Exception, pytest.xfail.Exception, pytest.fail.Exception)


class Group:
    """The function, its fixtures, and what was asked of it.

    Args:
        carrier: As pytest collected it, with its fixtures and parameters.
        reference: What messages call it.
    """

    def __init__(self, carrier: pytest.Function, reference: str) -> None:
        self._carrier = carrier
        self._function = carrier.obj
        self._reference = reference
        self._values: dict[str, Any] = dict(_parameters(carrier))
        self._failure: BaseException | None = None  # what a fixture raised
        self._asked: set[str] = set()  # cases
        self.exit: BaseException | None = None  # `pytest.exit`
        scopes = dict(_fixtures(carrier))
        self.bound = bool(scopes)  # it uses fixtures
        self.narrow = tuple(name for name, scope in scopes.items() if scope == "function")

    @property
    def in_turn(self) -> bool:
        """Whether its cases are asked one at a time, since each has fixtures of its own."""
        return bool(self.narrow)

    def set_up(self, run: Run, item: pytest.Item, cases: Collection[str]) -> None:
        """In an item's setup: set its fixtures up, then ask for `cases`, those that were not asked before."""
        if not self.bound:
            return
        evals = run.session
        if evals.dry:
            self._fill(item)
            return
        evals.begin(item.session.items)
        wanted = [case for case in cases if case in run.selected and case not in self._asked]
        if wanted and not run.blocked:
            self._fill(item)  # may ask by itself, so that nothing of this may wait meanwhile
            self._asked.update(wanted)
            evals.evaluation().submit(run.plan, wanted, run.baseline, watch=watch_of(evals, run), held=True)
            run.blocked = ask_more(evals, run.plan, run.baseline, quiet=self.in_turn)

    def waits_for(self, cases: Collection[str]) -> list[str]:
        """Those of `cases` that nobody may wait for yet: they are asked when their fixtures are set up."""
        return [case for case in cases if case not in self._asked] if self.bound else []

    async def call(self, **row: Json) -> object:
        """What the function returns for a row.

        Raises:
            LeftOut: It skips the case, or expects it to fail.
            TargetError: A fixture could not be set up.
        """
        try:
            if self._failure is not None:
                raise self._failure
            return await called(self._function, {**self._values, CASE: row})
        except pytest.skip.Exception as skipped:
            raise LeftOut(Skipped(reason=str(skipped), left_out="skip")) from None
        except pytest.xfail.Exception as expected:
            raise LeftOut(Skipped(reason=str(expected), left_out="xfail")) from None
        except BaseException as error:
            if error is self._failure:
                raise self._not_set_up(error) from error
            if isinstance(error, pytest.exit.Exception):
                self.exit = error
            raise

    def _not_set_up(self, error: BaseException) -> TargetError:
        where = place_in_users_code(error.__traceback__)
        what = f"its fixtures could not be set up: {described(error)}"
        return TargetError(self._reference, what, hint=where and f"at {where}")

    def _fill(self, item: Any) -> None:
        carrier, self._failure = self._carrier, None
        if hasattr(carrier, "callspec"):
            item.callspec = carrier.callspec
        item.instance, item.fixturenames, item.funcargs = carrier.instance, carrier.fixturenames, {CASE: None}
        item._fixtureinfo = carrier._fixtureinfo
        # As pytest's own DoctestItem does.
        request = TopRequest(item, _ispytest=True)
        try:
            request._fillfixtures()
        except pytest.exit.Exception:
            raise
        except (Exception, *OUTCOMES) as error:  # noqa: BLE001 it is users' code that raises
            self._failure = error
        else:
            names = carrier._fixtureinfo.argnames
            self._values = {name: item.funcargs[name] for name in names if name != CASE}


@contextmanager
def exits(group: Group | None) -> Iterator[None]:
    """Let ``pytest.exit`` in the function end the pytest run, once its case has been told of."""
    try:
        yield
    except EvalFailure:
        if group is not None and group.exit is not None:
            raise group.exit from None
        raise


def set_aside(item: pytest.Item) -> str:
    """Why a mark keeps an item from being run; "" if none does."""
    try:
        if skipped := evaluate_skip_marks(item):
            return skipped.reason
        expected = evaluate_xfail_marks(item)
    except pytest.fail.Exception:  # pytest tells what is wrong with the mark
        return ""
    return expected.reason if expected and not expected.run and not item.config.option.runxfail else ""


def known_fixtures(session: pytest.Session) -> set[str]:
    """The names of all fixtures, but for private ones."""
    tables = [table for name, table in vars(session._fixturemanager).items() if name.startswith("_arg2")]
    return {name for table in tables for name in table if not name.startswith("_")}


def unknown_fixtures(carrier: pytest.Function) -> list[str]:
    """Names that neither a fixture nor a parameter stands for."""
    known = {CASE, "request", *carrier._fixtureinfo.name2fixturedefs, *_parameters(carrier)}
    return [name for name in carrier.fixturenames if name not in known]


def _parameters(carrier: pytest.Function) -> dict[str, Any]:
    """What `parametrize` gives to the function itself."""
    given = carrier.callspec.params if hasattr(carrier, "callspec") else {}
    return {name: value for name, value in given.items() if _fixture(carrier, name) is None}


def _fixtures(carrier: pytest.Function) -> Iterator[tuple[str, str]]:
    """Name and scope of everything that has to be set up."""
    for name in carrier.fixturenames:
        if name in _HARMLESS:
            continue
        if name == "request" and name in carrier._fixtureinfo.argnames:
            yield name, "function"
        elif (found := _fixture(carrier, name)) is not None:
            yield name, found.scope


def _fixture(carrier: pytest.Function, name: str) -> Any:
    """The fixture that goes by a name; None if there is none."""
    defined = carrier._fixtureinfo.name2fixturedefs.get(name)
    # pytest makes a fixture of every directly parametrized argument.
    return defined[-1] if defined and defined[-1].func.__name__ != "get_direct_param_fixture_func" else None
