"""Cases whose results are at hand take a shorter way through pytest; nobody may see a difference."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from front_project import Project

# A plugin that takes part in the phases of an item: everything goes pytest's own way then.
ONLOOKER = "def pytest_runtest_setup(item):\n    print('set up', item.name)\n"


@pytest.fixture
def alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The standard project, with no plugin but ours."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return project.standard()


def evals(project: Project, *args: str) -> pytest.RunResult:
    return project.pytester.runpytest_subprocess("-p", "pytest_promptgate.plugin", "--prompt-evals", *args)


def cases(project: Project, file: str) -> list[tuple[str | None, dict[str | None, str | None]]]:
    """Names and properties of a JUnit file."""
    root = ElementTree.parse(project.root / file).getroot()
    return [
        (case.get("name"), {each.get("name"): each.get("value") for each in case.iter("property")})
        for case in root.iter("testcase")
    ]


def letters(result: pytest.RunResult) -> list[str]:
    return [line for line in result.stdout.lines if "[100%]" in line or "%]" in line]


def test_cases_that_are_done_take_it(alone: Project) -> None:
    # pytest's own way names the test that runs in the environment.
    alone.write(
        "conftest.py",
        "import os\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' and 'PYTEST_CURRENT_TEST' not in os.environ:\n"
        "        print('short:', report.nodeid)\n",
    )
    evals(alone)

    result = evals(alone, "-s")

    short = [line for line in result.stdout.lines if "short: " in line]
    assert short
    assert not any("gate:" in line for line in short)


def test_the_reports_are_those_of_pytests_own_way(alone: Project) -> None:
    evals(alone)
    short = evals(alone, "-v", "--junitxml=short.xml")
    alone.write("conftest.py", ONLOOKER)
    long = evals(alone, "-v", "--junitxml=long.xml")

    assert letters(short) == letters(long)
    assert len(letters(short)) == 11
    assert cases(alone, "short.xml") == cases(alone, "long.xml")
    short.assert_outcomes(passed=11)


def test_a_conftest_that_takes_part_in_the_phases_sees_every_case(alone: Project) -> None:
    alone.write("conftest.py", ONLOOKER)

    result = evals(alone, "-s")

    assert sum("set up c-" in line for line in result.stdout.lines) == 10


def test_a_skip_that_a_conftest_adds_to_a_case_holds(alone: Project) -> None:
    alone.write(
        "conftest.py",
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if item.name.startswith('c-05'):\n"
        "            item.add_marker(pytest.mark.skip(reason='not today'))\n",
    )

    result = evals(alone, "-rs")

    result.assert_outcomes(passed=10, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*not today"])


def test_a_case_that_must_pass_and_does_not_fails_with_its_text(alone: Project) -> None:
    alone.suite("prompt: triage\ndataset: ../datasets/mails.jsonl\nscorers: {queue: exact_match}\nmust_pass: [c-08]\n")
    alone.dataset([("c-07", "the invoice amount", "billing"), ("c-08", "where is my parcel", "billing")])

    result = evals(alone)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*c-08 must pass, but queue scored 0 (needs 1)*"])
