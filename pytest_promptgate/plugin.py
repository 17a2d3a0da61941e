"""The pytest11 entry point: options, ini values and one marker. Everything else is imported when evals are asked for.

It may import nothing but pytest: every pytest run of everybody who installed us pays for what stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_promptgate.pytest_prompt_eval import EvalLoop, PromptEval
    from pytest_promptgate.pytest_session import EvalSession

GROUP = "promptgate"
UPDATE = "--prompt-evals-update"
ALIAS = "--update-baseline"
MARKER = "prompt_eval"
# Set if the project or another plugin owns the alias; True if this command line uses it.
ALIAS_TAKEN = pytest.StashKey[bool]()


# Flag, destination, what its value is called ("": it takes none), help.
OPTIONS = (
    (
        "--prompt-evals",
        "evals",
        "",
        "collect *.eval.yaml suites, run them, and fail if a metric is worse than its baseline",
    ),
    (UPDATE, "update", "", f"run the suites, then write their baselines; implies --prompt-evals (alias: {ALIAS})"),
    ("--accept-regression", "accept", "REASON", f"with {ALIAS}: let the baseline go down, and record why"),
    (
        "--accept-dataset-change",
        "accept_dataset",
        "REASON",
        f"with {ALIAS}: let cases be gone or edited, and record why",
    ),
    (
        "--baseline-ref",
        "baseline_ref",
        "REF",
        "hold the run against the baselines of a Git commit (origin/main): what a required check does",
    ),
    (
        "--prompt-changed-since",
        "changed_since",
        "REF",
        "run only the suites that read something that a Git commit (origin/main) has otherwise; in doubt a suite runs",
    ),
    (
        "--prompt-offline",
        "offline",
        "",
        "answers come from the lockfile and the response store alone; a miss is an error",
    ),
    ("--prompt-smoke", "smoke", "", "the smoke tier only: a few representative cases; never writes a baseline"),
    (
        "--prompt-refresh",
        "refresh",
        "",
        "ask anew although stored answers exist; the earlier ones count until all new ones are in",
    ),
    (
        "--prompt-control",
        "control",
        "",
        "ask production beside the candidate and compare with its answers of this run, not with those of the baseline",
    ),
    (
        "--prompt-aa",
        "aa",
        "",
        "hold every prompt against itself: how often its scores flip, and how often its gate would raise a false alarm",
    ),
    (
        "--prompt-judge-drift",
        "judge_drift",
        "",
        "ask every calibrated judge anew about its golden set, and fail if it has drifted since its calibration",
    ),
    (
        "--prompt-max-cost",
        "max_cost",
        "USD",
        "refuse to start if the estimate is above, and stop when the spend reaches it",
    ),
    ("--prompt-max-time", "max_time", "TIME", "start no further call after so long: 90s, 10m, 1h"),
    (
        "--prompt-fail-fast",
        "fail_fast",
        "",
        "ask no more of a suite whose failure is certain, whatever its other cases bring",
    ),
    ("--prompt-history", "history", "", "add a line for each suite that ran completely to the file promptgate_history"),
    ("--prompt-shard", "shard", "I/N", "run a stable share of the cases, to be judged after the stores are merged"),
)
# Options that may be given several times.
REPEATED = (
    (
        "--prompt-model",
        "models",
        "SUITE=PIN",
        "run a suite on another model, with the same prompt and against the same baseline; repeatable",
    ),
)
# Ini value, help, default.
INI = (
    ("promptgate_prompts", "directory of the prompts", "prompts"),
    ("promptgate_lockfile", "file of the baselines", "promptgate.lock.json"),
    ("promptgate_dir", "directory of the response store; not for Git", ".promptgate"),
    ("promptgate_history", "file that --prompt-history adds to", "promptgate.history.jsonl"),
    ("promptgate_max_connections", "most calls under way at once, per provider account", "64"),
    ("promptgate_items", "one test per case, per suite, or as the size demands (auto)", "auto"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options and ini values; all namespaced, since some projects own the short names."""
    group = parser.getgroup(GROUP, "prompt evals (pytest-promptgate)")
    for flag, name, value, text in OPTIONS:
        if value:
            group.addoption(flag, metavar=value, dest=f"promptgate_{name}", help=text)
        else:
            group.addoption(flag, action="store_true", dest=f"promptgate_{name}", help=text)
    for flag, name, value, text in REPEATED:
        group.addoption(flag, action="append", default=[], metavar=value, dest=f"promptgate_{name}", help=text)
    group.addoption(
        "--prompt-report",
        action="append",
        metavar="FILE",
        dest="promptgate_report",
        help="write the run as a report: run.json, report.md; may be given several times",
    )
    for name, text, default in INI:
        parser.addini(name, text, default=default)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Claim ``--update-baseline``, unless a conftest or another plugin owns it."""
    result = yield
    if any(arg.split("=")[0] in (ALIAS, UPDATE, "--prompt-evals", "--help", "-h") for arg in args):
        if ALIAS in parser.parse_known_and_unknown_args([ALIAS])[1]:
            parser.getgroup(GROUP).addoption(
                ALIAS, action="store_true", dest="promptgate_update", help=f"the same as {UPDATE}"
            )
        else:
            early_config.stash[ALIAS_TAKEN] = ALIAS in args
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker always, and the machinery when evals are asked for."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(dataset, scorers, metrics, gate, …): a test function that a dataset is asked of, a suite in Python; "
        "every case and gate of a prompt suite has this mark (pytest-promptgate)",
    )
    if not (config.option.promptgate_evals or config.option.promptgate_update):
        return
    if hasattr(config, "workerinput"):
        from pytest_promptgate.pytest_xdist import WorkerHooks

        config.pluginmanager.register(WorkerHooks(), "promptgate-worker")
    else:
        from pytest_promptgate.pytest_hooks import register

        register(config)


@pytest.fixture(scope="session")
def prompt_eval(request: pytest.FixtureRequest) -> PromptEval:
    """Ask a version of a prompt: ``prompt_eval.ask("support-triage@v3", {"message": "…"}).text``."""
    from pytest_promptgate.pytest_prompt_eval import PromptEval

    return PromptEval(_evals(request))


@pytest.fixture(scope="session")
def eval_loop(request: pytest.FixtureRequest) -> EvalLoop:
    """The event loop of async test functions with ``@pytest.mark.prompt_eval``: ``eval_loop.run(Agent.open())``."""
    from pytest_promptgate.pytest_prompt_eval import EvalLoop

    return EvalLoop(_evals(request))


def _evals(request: pytest.FixtureRequest) -> EvalSession:
    """What runs the evals; skips the test if nothing does."""
    found = request.config.pluginmanager.get_plugin("promptgate-evals")
    if found is None and hasattr(request.config, "workerinput"):
        pytest.skip(f"{request.fixturename} works in xdist's main process: take it as an argument of the test itself")
    if found is None:
        pytest.skip(f"{request.fixturename} asks models: run pytest with --prompt-evals")
    evals: EvalSession = found.evals
    return evals


def marks_of(function: object) -> list[pytest.Mark]:
    """All markers of a function itself."""
    marks = getattr(getattr(function, "__func__", function), "pytestmark", None)  # a static method is wrapped
    return [mark for mark in marks if isinstance(mark, pytest.Mark)] if isinstance(marks, list) else []


def suite_marks(function: object) -> list[pytest.Mark]:
    """The ``prompt_eval`` markers of a function that is a suite; without keywords and `case` they are mere labels."""
    found = [mark for mark in marks_of(function) if mark.name == MARKER]
    takes = getattr(getattr(function, "__code__", None), "co_varnames", ()) if found else ()
    return found if "case" in takes or any(mark.args or mark.kwargs for mark in found) else []


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, obj: object) -> list[pytest.Item] | None:
    """Without ``--prompt-evals`` marked functions are no tests."""
    manager = collector.config.pluginmanager
    plain = not (manager.hasplugin("promptgate-evals") or manager.hasplugin("promptgate-worker"))
    return [] if plain and suite_marks(obj) and not isinstance(obj, type) else None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so if ``--update-baseline`` was used and is not ours."""
    if config.stash.get(ALIAS_TAKEN, False):
        return f"promptgate: {ALIAS} is another plugin's here; ours is {UPDATE}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """A run of evals alone starts no xdist workers: they would have nothing to do, and cost a second each."""
    option = config.option
    asked = option.promptgate_evals or option.promptgate_update
    if asked and getattr(option, "numprocesses", None):
        from pytest_promptgate.pytest_xdist import evals_alone

        if evals_alone(config):
            option.numprocesses, option.dist, option.tx = 0, "no", []
