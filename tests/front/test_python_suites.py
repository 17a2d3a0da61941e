"""Test functions marked as suites, as a user runs them."""

from __future__ import annotations

import pytest
from front_project import Project, asked, section

ROWS = """\
{"id": "t-1", "text": "charged", "queue": "billing"}
{"id": "t-2", "text": "parcel", "queue": "shipping"}
{"id": "t-3", "text": "log in", "queue": "account"}
"""
HEAD = """\
import asyncio, pytest, threading

RIGHT = {"charged": "billing", "parcel": "shipping", "log in": "account"}
asks = pytest.mark.prompt_eval
SUITE = {"dataset": "rows.jsonl", "scorers": {"queue": {"exact_match": {"expected": "queue"}}}, "gate": {"rule": "strict"}}

def called(text):
    with open("calls.txt", "a") as file:
        print(text, file=file)
    return RIGHT[text]
"""


def of(project: Project, code: str) -> Project:
    """Three rows, and `code` in tests/test_it.py."""
    project.write("tests/rows.jsonl", ROWS)
    project.write("tests/test_it.py", f"{HEAD}\n{code}")
    return project


def calls(project: Project) -> int:
    path = project.root / "calls.txt"
    return len(path.read_text().splitlines()) if path.exists() else 0


SIMPLE = """\
@asks(**SUITE)
def test_router(case):
    return called(case["text"])

def test_plain():
    pass
"""


def test_a_function_is_gated_like_a_suite_file_and_its_code_is_the_candidate(project: Project) -> None:
    of(project, SIMPLE)
    first = project.run_apart("--update-baseline", "-v")
    first.assert_outcomes(passed=5)
    first.stdout.fnmatch_lines(
        [
            "tests/test_it.py::test_plain PASSED*",
            "tests/test_it.py::test_router::t-1 SCORED 1.00*",
            "tests/test_it.py::test_router::gate:queue NEW*",
        ]
    )
    again = project.run_apart("--prompt-evals")
    again.assert_outcomes(passed=5)
    assert asked(again) == ["3 cases: 0 unchanged, 3 asked, cost unknown"]

    of(project, SIMPLE.replace('called(case["text"])', '"billing"'))
    worse = project.run_apart("--prompt-evals")
    worse.assert_outcomes(passed=4, failed=1)
    worse.stdout.fnmatch_lines(
        ["queue fell from 1.000 to 0.333 (n=3, change -0.667, tolerance 0)*", "  prompt: source-* -> source-*"]
    )
    alone = project.run_apart("--prompt-evals", "--lf")
    alone.assert_outcomes(passed=3, failed=1, deselected=4)


def test_plain_runs_know_nothing_of_it(project: Project) -> None:
    of(project, SIMPLE)
    project.write(
        "conftest.py",
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('ours:', sum(name.partition('.')[0] == 'pytest_promptgate' for name in sys.modules))\n",
    )

    plain = project.run_apart("--strict-markers", "-p", "no:cacheprovider", "-s")
    plain.assert_outcomes(passed=1)
    ours = next(line for line in plain.stdout.lines if line.startswith("ours:"))
    assert int(ours.split()[1]) <= 3

    of(project, SIMPLE.partition("def test_plain")[0])
    assert project.run_apart().ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert calls(project) == 0


def test_answers_of_a_version_are_stored_until_it_is_raised(project: Project) -> None:
    code = SIMPLE.replace("**SUITE", '**SUITE, version="1"')
    of(project, code)

    project.run_apart("--prompt-evals").assert_outcomes(passed=5)
    project.run_apart("--update-baseline", "--prompt-offline").assert_outcomes(passed=5)
    assert asked(project.run_apart("--prompt-evals")) == ["3 cases: 3 unchanged, 0 asked"]
    assert calls(project) == 3

    of(project, code.replace('"1"', '"2"'))
    project.run_apart("--prompt-evals").assert_outcomes(passed=5)
    assert calls(project) == 6


COMBINED = """\
class TestRouting:
    @asks(**SUITE)
    @pytest.mark.parametrize("model", ["a-1", "b/x::[2]", pytest.param("c", marks=pytest.mark.skip("too dear"))])
    @pytest.mark.parametrize("tone", ["kind"])
    async def test_router(self, case, model, tone):
        return called(case["text"]) if model == "a-1" else "account"
"""


def test_each_combination_of_parameters_has_its_own_gate_and_baseline(project: Project) -> None:
    of(project, COMBINED)

    listed = project.run("--prompt-evals", "--collect-only", "-q")
    for case in ("t-1[kind-a-1]", "t-1[kind-b/x-2]", "gate:queue[kind-b/x-2]"):
        listed.stdout.fnmatch_lines([f"tests/test_it.py::TestRouting::test_router::{case.replace('[', '[[]')}"])
    assert calls(project) == 0

    everything = project.run("--update-baseline", "-p", "randomly")
    everything.assert_outcomes(passed=8, skipped=4)
    summary = section(everything, "prompt evals")
    assert "TestRouting.test_router (kind-c): baseline left as it was: too dear" in summary
    assert "TestRouting.test_router (kind-a-1): queue: 1 (n=3)" in summary

    one = project.run("--prompt-evals", "tests/test_it.py::TestRouting::test_router::t-1[kind-b/x-2]")
    one.assert_outcomes(passed=1)
    project.run("--prompt-evals", "tests/test_it.py::TestRouting::test_router").assert_outcomes(passed=8, skipped=4)
    project.run("--prompt-evals", "-k", "a-1 and (t-2 or gate)").assert_outcomes(passed=2, deselected=10)


OVERLAPPING = """\
class Gathering:
    def __init__(self):
        self.loop, self.come, self.all = asyncio.get_running_loop(), 0, asyncio.Event()

@pytest.fixture(scope="session")
def gathering(eval_loop):
    async def opened(): return Gathering()
    yield eval_loop.run(opened())
    print("torn down")

@asks(**SUITE, timeout_s=30)
async def test_async(case, gathering):
    assert asyncio.get_running_loop() is gathering.loop
    gathering.come += 1
    if gathering.come == 3:
        gathering.all.set()
    await gathering.all.wait()
    return called(case["text"])

@pytest.fixture(scope="module")
def barrier():
    return threading.Barrier(3, timeout=30)

@asks(**SUITE)
def test_sync(case, barrier):
    barrier.wait()
    return called(case["text"])

@pytest.fixture
def own(tmp_path):
    (tmp_path / "open").write_text("")
    yield tmp_path
    (tmp_path / "open").unlink()

seen = []

@asks(**SUITE, samples=2)
def test_alone(case, own):
    assert (own / "open").exists()
    seen.append(own)
    return called(case["text"])

@pytest.mark.asyncio
async def test_after():
    assert len(seen) == 0
"""


def test_calls_overlap_unless_each_case_has_fixtures_of_its_own(project: Project) -> None:
    of(project, OVERLAPPING)
    project.pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_mode = auto\n")

    result = project.pytester.runpytest_subprocess("--prompt-evals", "-rA", "-p", "no:randomly")

    result.assert_outcomes(passed=13, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*PytestWarning: test_alone asks its cases one at a time, since it uses own, tmp_path of function scope: "
            "with fixtures of module scope or wider its calls overlap",
            "torn down",
        ]
    )
    assert calls(project) == 12


HOSTILE = """\
@pytest.fixture(scope="module")
def broken():
    raise RuntimeError("no key")

@asks(**SUITE)
def test_broken(case, broken):
    return called(case["text"])

@asks(**SUITE)
def test_wild(case):
    if case["id"] == "t-1":
        assert case["text"] == "nothing"
    if case["id"] == "t-2":
        raise SystemExit(3)

@asks(**SUITE)
async def test_wilder(case):
    raise {"t-1": KeyboardInterrupt, "t-2": StopIteration, "t-3": asyncio.CancelledError}[case["id"]]
"""


def test_whatever_is_raised_is_the_error_of_its_case_alone(project: Project) -> None:
    of(project, HOSTILE)

    result = project.run("--prompt-evals")

    result.assert_outcomes(failed=12)
    result.stdout.fnmatch_lines(
        [
            "t-1 could not be answered: tests/test_it.py:test_broken: its fixtures could not be set up: "
            "RuntimeError: no key",
            "  at tests/test_it.py:14",
            "t-1 could not be answered: tests/test_it.py:test_wild: the target raised AssertionError: assert *",
            "  at tests/test_it.py:23",
            "t-2 could not be answered: tests/test_it.py:test_wild: the target raised SystemExit: 3",
            "t-3 could not be answered: tests/test_it.py:test_wild: the target returned None",
            "t-1 could not be answered: tests/test_it.py:test_wilder: the target raised KeyboardInterrupt",
        ]
    )


def test_exit_ends_the_run(project: Project) -> None:
    of(project, "@asks(**SUITE)\ndef test_exit(case):\n    pytest.exit('enough', returncode=7)\n")

    result = project.run("--prompt-evals")

    assert result.ret == 7
    result.stdout.fnmatch_lines(["*Exit: enough*"])


LEAVING = """\
@asks(**SUITE, must_pass=["t-3"])
def test_router(case):
    if case["id"] == "t-1": pytest.skip("no invoices yet")
    if case["id"] == "t-2": pytest.xfail("known")
    return called(case["text"])
"""


def test_cases_that_are_left_out_are_no_rows_of_the_dataset(project: Project) -> None:
    of(project, LEAVING)
    first = project.run_apart("--update-baseline")
    first.assert_outcomes(passed=2, skipped=1, xfailed=1)
    summary = section(first, "prompt evals")
    assert "  note: left out by skip: 1 of 3 cases (t-1): no invoices yet" in summary
    assert "  note: left out by xfail: 1 of 3 cases (t-2): known" in summary
    assert "test_router: queue: 1 (n=1)" in summary
    project.run_apart("--prompt-evals").assert_outcomes(passed=2, skipped=1, xfailed=1)

    of(project, LEAVING.replace("t-1", "t-0"))
    project.run_apart("--update-baseline").assert_outcomes(passed=3, xfailed=1)
    of(project, LEAVING)
    red = project.run_apart("--prompt-evals")
    red.assert_outcomes(passed=1, failed=1, skipped=1, xfailed=1)
    red.stdout.fnmatch_lines(
        ["the dataset has changed: 1 recorded case is gone: t-1*", "to accept it: * --accept-dataset-change *"]
    )
    accepted = project.run_apart("--update-baseline", "--accept-dataset-change", "no invoices for now")
    assert accepted.ret == 0

    of(project, LEAVING.replace("t-1", "t-3"))
    result = project.run_apart("--prompt-evals")
    result.stdout.fnmatch_lines(["t-3 must pass, but was left out by skip"])
    of(project, LEAVING.replace('if case["id"] == "t-1": ', ""))
    assert project.run_apart("--prompt-evals").ret == 1


MARKED = """\
@asks(**SUITE)
@pytest.mark.skipif("len(RIGHT) == 3", reason="later")
def test_skipped(case):
    return called(case["text"])

@asks(**{**SUITE, "gate": {"queue": {"floor": 0.9}}})
@pytest.mark.xfail(reason="bad model")
def test_expected(case):
    return "billing"
"""


def test_marks_are_pytests_own_and_a_skipped_suite_asks_nothing(project: Project) -> None:
    of(project, MARKED)

    result = project.run("--update-baseline")

    result.assert_outcomes(skipped=4, xpassed=3, xfailed=1)
    assert calls(project) == 0
    assert "test_skipped: baseline left as it was: later" in section(result, "prompt evals")


@pytest.mark.parametrize("dist", ["load", "worksteal", "each"])
def test_beside_xdist_nothing_is_asked_twice(project: Project, dist: str) -> None:
    of(project, SIMPLE.replace("(case)", "(case, tmp_path_factory)"))

    result = project.run_apart("--prompt-evals", "-n", "2", "--dist", dist)

    result.assert_outcomes(passed=6 if dist == "each" else 5)
    assert calls(project) == 3


def test_ids_of_cases_can_be_given_beside_xdist(project: Project) -> None:
    of(project, SIMPLE)

    result = project.run_apart(
        "--prompt-evals", "-n", "2", "tests/test_it.py::test_router::t-2", "tests/test_it.py::test_plain"
    )

    result.assert_outcomes(passed=2)
    assert calls(project) == 1


def test_a_function_that_is_gone_is_told(project: Project) -> None:
    of(project, SIMPLE)
    project.run_apart("--update-baseline").assert_outcomes(passed=5)
    project.run_apart("--prompt-evals", "tests/test_it.py::test_plain").assert_outcomes(passed=1)

    of(project, SIMPLE.replace("test_router", "test_other"))
    result = project.run_apart("--prompt-evals")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "tests/test_it.py: 'test_router' has a baseline, but no function of its file is marked as that suite any more",
            '  Restore it, or accept that it is gone: pytest --update-baseline --accept-regression "why"',
        ]
    )


def test_the_budget_and_the_store_hold_for_functions_with_fixtures(project: Project) -> None:
    of(project, SIMPLE.replace("(case)", "(case, tmp_path_factory)").replace("**SUITE", '**SUITE, version="1"'))

    refused = project.run("--prompt-evals", "--prompt-max-cost", "0.01")
    assert refused.ret == 1
    refused.stdout.fnmatch_lines(
        ["--prompt-max-cost 0.01: the price of target/tests/test_it.py:test_router is not known: nothing was asked"]
    )
    assert calls(project) == 0

    price = "prices: {target/tests/test_it.py:test_router: {input: 0, output: 0}}\n"
    project.write("promptgate.yaml", price)
    project.run("--prompt-evals", "--prompt-max-cost", "0.01").assert_outcomes(passed=5)
    project.run("--prompt-evals", "--prompt-offline").assert_outcomes(passed=5)
    assert calls(project) == 3


ASKING = """\
def test_right(prompt_eval):
    assert prompt_eval.ask("triage@v1", {"message": "my card was charged twice"}).text == "billing"

@pytest.mark.asyncio
async def test_async(prompt_eval):
    questions = ("where is my parcel", "i cannot log in")
    answers = await asyncio.gather(*(prompt_eval.ask_async("triage", {"message": each}) for each in questions))
    assert [each.text for each in answers] == ["shipping", "account"]

def test_floating(prompt_eval):
    prompt_eval.ask("triage", {"message": "x"}, model="openai/gpt-4o")

def test_wrong(prompt_eval):
    prompt_eval.ask("triage", {"mesage": "x"})

def test_unknown(prompt_eval):
    prompt_eval.ask("triag", {})

def test_unserialisable(prompt_eval):
    prompt_eval.ask("triage", {"message": {1, 2}})
"""


def asking(project: Project) -> Project:
    of(project, ASKING)
    project.prompt("v1")
    project.pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return project


def test_an_ordinary_test_asks_a_prompt_with_the_pins_and_the_store_of_the_run(project: Project) -> None:
    asking(project)

    result = project.pytester.runpytest_subprocess("--prompt-evals", "-p", "no:randomly")

    result.assert_outcomes(passed=2, failed=4)
    result.stdout.fnmatch_lines(
        [
            "E *pytest_promptgate.errors.PinError: tests/test_it.py:22: openai/gpt-4o is a floating alias",
            "E *Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.",
            "E *pytest_promptgate.errors.Faults: tests/test_it.py:25: 'mesage' is no input of prompt triage@v1",
            "E *Did you mean 'message'? Inputs: message.",
            "E *tests/test_it.py:25: the input 'message' of prompt triage@v1 is missing",
            'E *Write {"message": VALUE}.',
            "E *pytest_promptgate.errors.PromptError: tests/test_it.py:28: no prompt 'triag' in prompts/",
            "E *Did you mean 'triage'? Prompts: triage.",
            "E *pytest_promptgate.errors.SuiteError: tests/test_it.py:31: the inputs are no JSON values: "
            "set is no JSON value",
            "E *Hand over texts, numbers, lists and mappings.",
            "asked by tests with prompt_eval: 3 cases: 0 unchanged, 3 asked, *",
        ]
    )
    assert "single_question.py" not in result.stdout.str()

    again = project.pytester.runpytest_subprocess("--prompt-evals", "--prompt-offline", "-k", "right or async")
    again.assert_outcomes(passed=2, deselected=4)
    again.stdout.fnmatch_lines(["asked by tests with prompt_eval: 3 cases: 0 unchanged, 3 from the store, 0 asked"])


def test_what_such_a_test_may_not_ask_fails_it(project: Project) -> None:
    asking(project)

    offline = project.run("--prompt-evals", "--prompt-offline", "-k", "right")
    offline.assert_outcomes(failed=1, deselected=5)
    offline.stdout.fnmatch_lines(
        [
            "E *pytest_promptgate.errors.CallError: tests/test_it.py:13: _prompt_eval::triage@v1-*: no answer is stored, "
            "and --prompt-offline asks nothing",
            "E *Ask for it with: pytest --prompt-evals tests/test_it.py",
        ]
    )

    project.prompt("v1", model="{id: m-1, provider: it}")
    project.write(
        "promptgate.yaml",
        "providers: {it: {base_url: 'http://127.0.0.1:9/v1', family: vllm, models: {m-1: {pinned: true}}}}\n",
    )
    dear = project.run("--prompt-evals", "--prompt-max-cost", "1", "-k", "right")
    dear.assert_outcomes(failed=1, deselected=5)
    dear.stdout.fnmatch_lines(["E *: --prompt-max-cost 1: the price of it/m-1 is not known: nothing was asked"])


def test_tests_that_ask_run_in_the_main_process_beside_xdist(project: Project) -> None:
    of(project, ASKING.partition("@pytest")[0] + "def test_plain():\n    pass\n")
    project.prompt("v1")

    result = project.run_apart("--prompt-evals", "-n", "2")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["asked by tests with prompt_eval: 1 case: 0 unchanged, 1 asked, *"])
    project.run_apart("--prompt-evals", "-m", "not prompt_eval").assert_outcomes(passed=1, deselected=1)
    project.run_apart("-rs").assert_outcomes(passed=1, skipped=1)


WRONG = """\
@asks(**SUITE)
def test_fixture(case, tmp_pth): ...

@asks("rows.jsonl")
def test_words(case): ...

@asks(**SUITE)
@asks(**SUITE)
def test_twice(case): ...

@asks(**SUITE, suite="same")
def test_same(case): ...

@asks(**SUITE, suite="same")
def test_other(case): ...

@asks(**SUITE)
@pytest.mark.parametrize("case", [1])
def test_row(case): ...

@asks(**{**SUITE, "dataset": "row.jsonl"})
def test_rows(case): ...
"""


def test_what_is_wrong_is_told_while_collecting_with_its_line(project: Project) -> None:
    of(project, WRONG)

    result = project.run("--prompt-evals")

    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines(
        [
            "tests/test_it.py:12: test_fixture uses 'tmp_pth', which is no fixture",
            "  Did you mean 'tmp_path'? Fixtures: *",
            "tests/test_it.py:15: the marker prompt_eval takes keywords only",
            '  Write `dataset="…", scorers=["exact_match"]`.',
            "tests/test_it.py:18: test_twice has 2 markers prompt_eval",
            "  Write all keywords into one of them.",
            "tests/test_it.py: the suite name 'same' is taken by tests/test_it.py",
            "  Baselines are kept by suite name. Give one of the two another `suite:` name.",
            "tests/test_it.py:28: `case` is a fixture or a parameter here",
            "  It is the row: give that another name.",
            "tests/test_it.py:32: dataset tests/row.jsonl: no such file",
            "  Did you mean 'rows.jsonl'? *",
        ]
    )

    of(project, "@asks(**SUITE)\nclass TestIt:\n    def test_it(self): ...\n")
    marked = project.run_apart("--prompt-evals")
    marked.stdout.fnmatch_lines(
        ["tests/test_it.py: TestIt: prompt_eval marks a class", "  Mark the methods that are to be asked."]
    )


WAITING = """\
@pytest.fixture(scope="session")
def agent(eval_loop):
    async def closed(): return "closed in the loop"
    yield
    print(eval_loop.run(closed()))

@asks(**SUITE)
async def test_asking(case, prompt_eval):
    return prompt_eval.ask("triage", {"message": "x"}).text

@asks(**SUITE)
async def test_nested(case, eval_loop, agent):
    return eval_loop.run(asyncio.sleep(0))
"""


def test_what_would_wait_for_itself_is_refused_and_fixtures_are_torn_down_after_a_stop(project: Project) -> None:
    of(project, WAITING)
    project.prompt("v1")

    result = project.run("--prompt-evals", "-k", "t-1")

    result.assert_outcomes(failed=2, deselected=6)
    result.stdout.fnmatch_lines(
        [
            "*CallError: tests/test_it.py:20: prompt_eval asks from the main thread alone, and marked functions run in "
            "others Write a suite file with `prompt:` for what such a function would ask.",
            "*EngineError: promptgate: this is the engine's loop, which cannot wait for itself Use await.",
        ]
    )
    stopped = project.run("--prompt-evals", "-x", "-s", "-k", "test_nested")
    stopped.assert_outcomes(failed=1, deselected=4)
    stopped.stdout.fnmatch_lines(["*closed in the loop*"])
    lost = "answers of a target without a version are not stored, the next run asks anew"
    assert f"  not judged: the run ended early; {lost}" in section(stopped, "prompt evals")


def test_options_that_ask_twice_side_by_side_are_refused_for_functions_with_fixtures(project: Project) -> None:
    of(project, SIMPLE.replace("(case)", "(case, tmp_path_factory)"))

    result = project.run("--prompt-evals", "--prompt-aa", "tests/test_it.py::test_router")

    result.assert_outcomes(failed=1, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "tests/test_it.py: --prompt-aa asks twice, side by side, and test_router can be asked only while its fixtures "
            "are set up: nothing was asked",
            "  Open what it uses in the function itself, or run without --prompt-aa.",
        ]
    )
    assert calls(project) == 0


def test_a_folded_function_lists_what_fails_and_leaves_out_what_is_left_out(project: Project) -> None:
    of(project, LEAVING)
    project.pytester.makeini("[pytest]\npromptgate_items = suite\n")

    project.run("--prompt-evals").assert_outcomes(passed=2)
    project.run("--prompt-evals", "tests/test_it.py::test_router::t-3").assert_outcomes(passed=1)

    of(project, LEAVING.replace('["t-3"]', '["t-2"]'))
    result = project.run_apart("--prompt-evals")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["1 of 3 cases failed", "t-2 must pass, but was left out by xfail"])


def test_beside_xdist_the_marker_and_the_fixture_may_come_from_elsewhere(project: Project) -> None:
    of(project, "")
    project.write("tests/ours.py", HEAD)
    project.write("tests/test_it.py", f"from ours import *\n{SIMPLE}def test_asking(agent):\n    assert agent('x')\n")
    project.write("tests/conftest.py", "import pytest\n@pytest.fixture\ndef agent(prompt_eval):\n    return str\n")

    result = project.run_apart("--prompt-evals", "-n", "2")

    result.assert_outcomes(passed=6)
    assert calls(project) == 3


CLASSES = """\
class TestOne:
    @asks(**SUITE)
    def test_it(self, case):
        return called(case["text"])

    @staticmethod
    @asks(**SUITE)
    def test_static(case):
        return called(case["text"])

@asks(**SUITE)
def test_other(case):
    return called(case["text"])
"""


def test_an_argument_for_a_part_of_a_file_says_nothing_of_its_other_suites(project: Project) -> None:
    of(project, CLASSES)
    project.run_apart("--update-baseline").assert_outcomes(passed=12)

    project.run_apart("--prompt-evals", "tests/test_it.py::test_other::t-1").assert_outcomes(passed=1)
    project.run_apart("--prompt-evals", "tests/test_it.py::TestOne::test_static").assert_outcomes(passed=4)


def test_the_suites_of_a_file_that_was_emptied_are_told(project: Project) -> None:
    of(project, SIMPLE)
    project.run_apart("--update-baseline").assert_outcomes(passed=5)

    project.write("tests/test_it.py", "")
    project.write("tests/test_more.py", "def test_more(): ...\n")
    for beside in ((), ("-n", "2")):
        result = project.run_apart("--prompt-evals", *beside)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(
            ["tests/test_it.py: 'test_router' has a baseline, but no function of its file is *"]
        )


def test_a_method_of_a_unittest_case_is_refused(project: Project) -> None:
    of(
        project,
        "import unittest\nclass TestIt(unittest.TestCase):\n    @asks(**SUITE)\n    def test_it(self, case): ...\n",
    )

    result = project.run("--prompt-evals")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "tests/test_it.py: TestIt.test_it: prompt_eval marks a method of a unittest.TestCase",
            "  Its methods take no arguments, so no `case`: write a function, or a plain class.",
        ]
    )
