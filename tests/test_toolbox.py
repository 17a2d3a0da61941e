"""Offers of plugins, merged. What a user reads of wrong ones stands in tests/front/test_bad_plugins.py."""

from __future__ import annotations

from types import SimpleNamespace

from pytest_promptgate.core.types import Case, Completion, Score
from pytest_promptgate.hookspecs import hookimpl
from pytest_promptgate.toolbox import Answers, Toolbox, collect, new_manager, offers_something, register


def kind(completion: Completion, case: Case) -> Score:
    return Score(value=float(completion.text == case.id))


class Plugin:
    """Offers one scorer under a name of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0

    @hookimpl
    def promptgate_scorers(self) -> dict[str, object]:
        """Count how often it is asked."""
        self.asked += 1
        return {self.name: kind}


def toolbox(*plugins: Plugin) -> Toolbox:
    manager, answers = new_manager(), Answers()
    for plugin in plugins:
        register(manager, plugin, plugin.name)
    return collect(manager, answers)


def test_all_offers_are_merged_with_the_built_in_ones() -> None:
    assert {"first", "second", "exact_match"} <= toolbox(Plugin("first"), Plugin("second")).scorers.keys()


def test_a_plugin_that_arrives_late_joins_and_nobody_is_asked_twice() -> None:
    manager, answers = new_manager(), Answers()
    early, late = Plugin("early"), Plugin("late")
    register(manager, early, "early")
    collect(manager, answers)
    register(manager, late, "late")

    offered = collect(manager, answers).scorers

    assert {"early", "late"} <= offered.keys()
    assert (early.asked, late.asked) == (1, 1)


def test_a_plugin_without_our_hooks_is_none_of_our_business() -> None:
    assert not offers_something(SimpleNamespace(promptgate_scorers="a text", pytest_configure=print))
    assert offers_something(Plugin("it"))
