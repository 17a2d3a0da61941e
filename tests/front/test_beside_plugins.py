"""Popular plugins change nothing about verdicts: neither order, nor time-outs, nor another event loop, nor re-runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, SUITE, Project, asked, section

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

NO_OTHERS = ("-p", "no:hypothesispytest", "-p", "no:anyio")
TWO_TESTS = "def test_one(): pass\ndef test_two(): pass\n"


def order(result: pytest.RunResult) -> list[str]:
    """The node ids of ``-v``, in the order in which they ran."""
    return [line.split()[0] for line in result.stdout.lines if "::" in line and line.rstrip().endswith("%]")]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_randomly_shuffles_cases_but_neither_kinds_nor_gates(project: Project, seed: int) -> None:
    project.standard()
    project.write("zz/test_unit.py", TWO_TESTS)
    project.accept()
    project.worse()

    result = project.pytester.runpytest(
        *NO_OTHERS, "-p", "no:asyncio", "--prompt-evals", "-v", f"--randomly-seed={seed}"
    )

    result.assert_outcomes(passed=12, failed=1)
    names = order(result)
    assert all(name.startswith("zz/test_unit.py::") for name in names[:2])
    assert names[-1].endswith("::gate:accuracy[nearest-example-1]")
    assert section(result, "FAILURES").splitlines()[1] == (
        "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    )


def test_a_shuffled_run_writes_the_same_bytes(project: Project) -> None:
    project.standard().accept()
    files = [project.root / "promptgate.lock.json", project.root / "promptgate.baselines/triage.jsonl"]
    before = [path.read_bytes() for path in files]
    for path in [*files, project.root / ".promptgate/responses/triage.jsonl"]:
        path.unlink()

    project.pytester.runpytest(*NO_OTHERS, "-p", "no:asyncio", "--update-baseline", "--randomly-seed=5")

    assert [path.read_bytes() for path in files] == before


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_timeout_does_not_count_the_time_in_the_queue(
    project: Project, loopback: Callable[..., LoopbackServer], method: str
) -> None:
    # One call at a time: the last case waits about ten times as long as its own answer takes.
    server = loopback(answers=RIGHT, latency=0.15)
    project.served(server.base_url)
    project.write("pytest.ini", "[pytest]\npromptgate_max_connections = 1\n")

    # In a process of its own: the method "thread" ends the process.
    result = project.run_apart("--prompt-evals", "--timeout=0.5", f"--timeout-method={method}")

    result.assert_outcomes(passed=11)


def test_a_gate_is_never_run_again(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals("--reruns", "2")

    assert result.parseoutcomes() == {"passed": 10, "failed": 1}
    result.stdout.fnmatch_lines(
        ["--reruns is for ordinary tests: no case and no gate is run again until it is green"], consecutive=True
    )


def test_a_case_that_must_pass_is_not_run_again_either(project: Project) -> None:
    project.standard()
    project.worse("v1")
    project.suite(f"{SUITE}must_pass: [c-05]\n")

    result = project.evals("--reruns", "2")

    assert result.parseoutcomes() == {"passed": 10, "failed": 1}


def test_ordinary_tests_are_run_again_as_always(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", "def test_bad(): assert 0\n")

    result = project.evals("--reruns", "2")

    assert result.parseoutcomes() == {"passed": 11, "failed": 1, "rerun": 2}


def test_no_marker_of_a_missing_plugin_is_set(project: Project) -> None:
    project.standard()

    result = project.evals("-p", "no:rerunfailures", "-p", "no:timeout", "-W", "error", "--strict-markers")

    result.assert_outcomes(passed=11)


def test_asyncio_in_auto_mode_keeps_its_loop_and_we_ours(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        "import asyncio\n"
        "from pytest_promptgate import Score, hookimpl\n"
        "async def slow(completion, case):\n"
        "    await asyncio.sleep(0)\n"
        "    return Score(value=1.0)\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'slow': slow}\n",
    )
    project.suite(SUITE.replace("exact_match", "slow"))
    project.write(
        "test_unit.py",
        "import asyncio\nasync def test_async():\n    await asyncio.sleep(0)\n",
    )

    result = project.pytester.runpytest(
        *(*NO_OTHERS, "-p", "no:randomly", "--prompt-evals"),
        *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
    )

    result.assert_outcomes(passed=12)
    assert asked(result) == ["10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00"]


def test_a_conftest_that_reverses_everything_changes_no_verdict(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.write(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtestloop(session):\n"
        "    session.items.reverse()\n",
    )

    result = project.evals("-v")

    assert order(result)[0].endswith("::gate:accuracy[nearest-example-1]")
    assert section(result, "FAILURES").splitlines()[1] == (
        "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    )
    result.assert_outcomes(passed=10, failed=1)


def test_a_debugger_opens_at_a_failing_case_and_the_run_goes_on_afterwards(project: Project) -> None:
    project.standard()
    project.worse("v1")
    project.suite(f"{SUITE}must_pass: [c-05]\n")
    project.write(
        "conftest.py",
        "import pdb\n"
        "class Debugger(pdb.Pdb):\n"
        "    def interaction(self, *args):\n"
        "        print('somebody looks at it')\n",
    )

    result = project.evals("--pdb", "--pdbcls", "conftest:Debugger")

    assert result.stdout.str().count("somebody looks at it") == 1
    result.assert_outcomes(passed=10, failed=1)


def test_an_html_report_tells_of_cases_and_gates(project: Project) -> None:
    pytest.importorskip("pytest_html")
    project.standard().accept()
    project.worse()

    result = project.run_apart("--prompt-evals", "--html=report.html", "--self-contained-html")

    assert result.parseoutcomes() == {"passed": 10, "failed": 1}
    page = project.text("report.html")
    assert page.count("::c-05[nearest-example-1]") >= 1
    assert "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)" in page


def test_coverage_counts_scorers_and_changes_no_verdict(project: Project) -> None:
    pytest.importorskip("pytest_cov")
    project.standard()
    project.write(
        "conftest.py",
        "from pytest_promptgate import hookimpl\n"
        "from scoring import right\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'right': right}\n",
    )
    project.write(
        "scoring.py",
        "from pytest_promptgate import Score\n"
        "def right(completion, case):\n"
        "    return Score(value=float(completion.text == case.expected))\n",
    )
    project.suite(SUITE.replace("exact_match", "right"))

    # Scorers run in the engine's thread.
    result = project.run_apart("--prompt-evals", "--cov=scoring", "--cov-report=term-missing")

    result.assert_outcomes(passed=11)
    assert [line.split() for line in result.stdout.lines if line.startswith("scoring.py")] == [
        ["scoring.py", "3", "0", "100%"]
    ]
