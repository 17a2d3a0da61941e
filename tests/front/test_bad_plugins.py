"""Users' own code that is wrong: hooks, scorers, aggregates, dataset loaders and provider kinds, through pytest."""

from __future__ import annotations

import pytest
from front_project import SUITE, Project, asked
from front_refusals import clean, failures, refused, told_below

NO_BASELINE = "no baseline can be written from this run"
ACCEPTED = "  Return Score(value=0.8, reason=…), Unscored(reason=…), True, False, or a number from 0 to 1."


def hook(project: Project, name: str, body: str, *, path: str = "conftest.py") -> Project:
    """The standard project with one hook implemented."""
    project.standard()
    project.write(path, f"from pytest_promptgate import hookimpl\n\n@hookimpl\ndef {name}:\n    {body}\n")
    return project


# --- hooks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        (
            "promptgate_scorers()",
            "raise RuntimeError('out of order')",
            "conftest.py: promptgate_scorers raised RuntimeError: out of order\n  at conftest.py:5",
        ),
        (
            "promptgate_scorers()",
            "raise SystemExit(3)",
            "conftest.py: promptgate_scorers raised SystemExit: 3\n  at conftest.py:5",
        ),
        (
            "promptgate_scorers()",
            "return ['polite']",
            (
                "conftest.py: promptgate_scorers returned list, not a mapping\n"
                "  Return {name: offer}, or None for no offers."
            ),
        ),
        (
            "promptgate_metrics()",
            "return {'spread': 3}",
            (
                "conftest.py: promptgate_metrics offers 'spread' as int, which cannot be called\n"
                "  Offer a function, or a class whose instances can be called."
            ),
        ),
        (
            "promptgate_providers()",
            "return {7: len}",
            "conftest.py: promptgate_providers offers the name 7, which is not text\n  Names are text.",
        ),
        (
            "promptgate_scorers()",
            "return {'exact_match': len}",
            (
                "conftest.py: promptgate_scorers offers 'exact_match', "
                "which pytest_promptgate.scorers.offers offers too\n"
                "  Rename one of the two, or switch one plugin off with -p no:NAME."
            ),
        ),
        (
            "promptgate_scorers(config)",
            "return {}",
            (
                "conftest.py: argument(s) {'config'} are declared in the hookimpl "
                "but can not be found in the hookspec\n"
                "  promptgate_completion takes trial and completion, promptgate_report takes report, "
                "the others take nothing."
            ),
        ),
        (
            "promptgate_scorer()",
            "return {}",
            (
                "conftest.py: there is no hook 'promptgate_scorer'\n  Did you mean 'promptgate_scorers'? Hooks: "
                "promptgate_completion, promptgate_dataset_loaders, promptgate_metrics, promptgate_providers, "
                "promptgate_report, promptgate_scorers."
            ),
        ),
    ],
)
def test_a_wrong_hook_is_told_before_anything_is_collected(project: Project, name: str, body: str, told: str) -> None:
    assert refused(hook(project, name, body)) == told


def test_a_wrong_hook_of_a_deeper_directory_is_told_with_the_first_suite_that_sees_it(project: Project) -> None:
    hook(project, "promptgate_scorers()", "raise RuntimeError('out of order')", path="evals/conftest.py")

    assert refused(project) == (
        "evals/conftest.py: promptgate_scorers raised RuntimeError: out of order\n  at evals/conftest.py:5"
    )


# --- scorers ---------------------------------------------------------------------------------------------------------


def scored_by(project: Project, body: str) -> Project:
    """The standard project with a scorer of its own."""
    project.standard()
    project.write(
        "conftest.py",
        "import math\nfrom pytest_promptgate import Score, Unscored, hookimpl\n\n"
        f"def own(completion, case):\n    {body}\n\n"
        "@hookimpl\ndef promptgate_scorers():\n    return {'own': own}\n",
    )
    project.suite(SUITE.replace("exact_match", "own"))
    return project


@pytest.mark.parametrize(
    ("body", "said", "mend"),
    [
        ("return {}['tone']", "the scorer raised KeyError: 'tone'", "  at conftest.py:5"),
        ("raise SystemExit('stop')", "the scorer raised SystemExit: stop", "  at conftest.py:5"),
        ("return None", "the scorer returned None", ACCEPTED),
        ("return math.nan", "the scorer returned nan", ACCEPTED),
        ("return 2.0", "the scorer returned 2.0", ACCEPTED),
        ("return 'x'", "the scorer returned a str", ACCEPTED),
        (
            "return Score(value=1.5)",
            "the scorer returned Score(value=1.5, reason='', labels=None)",
            ACCEPTED,
        ),
        (
            "return Score(value=1, reason=None)",
            "the scorer returned Score(value=1, reason=None, labels=None)",
            ACCEPTED,
        ),
        ("return Score(value=math.nan)", "the scorer raised ValueError: a score must be a finite number, not nan",
         "  at conftest.py:5"),
    ],
)  # fmt: skip
def test_a_scorer_that_fails_is_an_error_of_its_cases_told_once_and_never_a_zero(
    project: Project, body: str, said: str, mend: str
) -> None:
    result = clean(scored_by(project, body).evals())

    result.assert_outcomes(failed=11)
    assert failures(result) == [
        "triage@v1::c-01[nearest-example-1]",
        f"c-01 could not be scored: queue: {said}",
        mend,
        "triage@v1::gate:accuracy[nearest-example-1]",
        f"accuracy cannot be judged: queue: {said}",
        f"{NO_BASELINE}: 10 of 10 trials failed or were not asked, first c-01: queue: {said}",
    ]


def test_answers_are_kept_when_their_scorer_fails(project: Project) -> None:
    scored_by(project, "raise RuntimeError").evals()
    scored_by(project, "return 1.0")

    assert asked(project.evals()) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]


def test_a_failing_scorer_of_a_folded_suite_is_told_once_with_its_cases(project: Project) -> None:
    result = clean(scored_by(project, "raise RuntimeError('no')").evals("-o", "promptgate_items=suite"))

    assert failures(result)[:5] == [
        "triage@v1::cases[nearest-example-1]",
        "10 of 10 cases failed",
        "c-01 could not be scored: queue: the scorer raised RuntimeError: no",
        "  at conftest.py:5",
        "  the same: c-02, c-03, c-04, c-05, c-06, c-07, c-08, c-09, c-10",
    ]


def test_a_scorer_that_cannot_tell_anything_is_never_green(project: Project) -> None:
    result = clean(scored_by(project, "return Unscored(reason='no licence')").evals())

    result.assert_outcomes(passed=10, failed=1)
    assert failures(result) == [
        "triage@v1::gate:accuracy[nearest-example-1]",
        "accuracy cannot be judged: no licence",
        f"{NO_BASELINE}: queue scored nothing",
    ]
    assert told_below(result) == ["  unscored: c-01, c-02, c-03, c-04, c-05, c-06, c-07, c-08, c-09, c-10: no licence"]


# --- aggregates and loaders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("1 / 0", "the aggregate spread raised ZeroDivisionError: division by zero"),
        ("float('nan')", "the aggregate spread returned nan, not a finite number"),
        ("'much'", "the aggregate spread returned 'much', not a finite number"),
    ],
)
def test_an_aggregate_that_fails_is_a_red_gate(project: Project, body: str, said: str) -> None:
    hook(project, "promptgate_metrics()", f"return {{'spread': lambda values: {body}}}")
    project.suite(SUITE.replace("mean(queue)", "spread(queue)"))

    result = clean(project.evals())

    result.assert_outcomes(passed=10, failed=1)
    assert failures(result) == [
        "triage@v1::gate:accuracy[nearest-example-1]",
        f"accuracy cannot be judged: {said}",
        f"{NO_BASELINE}: accuracy was not measured: {said}",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}['x']", "datasets/mails.box: the loader of .box files failed: KeyError: 'x'"),
        ("exit(3)", "datasets/mails.box: the loader of .box files failed: SystemExit: 3"),
        (
            "[{'id': 'a'}]",
            (
                "datasets/mails.box: the loader of .box files did not return a sequence of rows\n"
                "  A loader returns a list of pytest_promptgate.Row."
            ),
        ),
    ],
)
def test_a_dataset_loader_that_fails_is_told(project: Project, body: str, told: str) -> None:
    hook(project, "promptgate_dataset_loaders()", f"return {{'.box': lambda path: {body}}}")
    project.write("datasets/mails.box", "")
    project.suite(SUITE.replace("mails.jsonl", "mails.box"))

    assert refused(project) == told


def test_a_provider_kind_that_cannot_be_opened_is_told_once(project: Project) -> None:
    hook(project, "promptgate_providers()", "return {'own': lambda spec, most: {}['key']}")
    project.write("promptgate.yaml", "providers: {it: {kind: own, models: {m-1: {pinned: true}}}}\n")
    project.prompt("v1", model="{id: m-1, provider: it}")

    result = clean(project.evals())

    result.assert_outcomes(failed=11)
    assert failures(result) == [
        "triage@v1::gate:accuracy[m-1]",
        "accuracy cannot be judged: it: the account could not be opened: KeyError: 'key'",
        (
            "no baseline can be written from this run: 10 of 10 trials failed or were not asked, first c-01: "
            "it: the account could not be opened: KeyError: 'key'"
        ),
    ]
    assert told_below(result) == ["it: the account could not be opened: KeyError: 'key'"]
