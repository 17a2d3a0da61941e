"""What docs/comparison.md says of other tools: ``python -m tests.benchmarks.peers ENVIRONMENTS [PART...]``.

ENVIRONMENTS is a directory of virtual environments, each named after what ``pip install pytest NAME`` put into it
(``pytest`` is the one with nothing else); in ``promptfoo`` ``npm install promptfoo`` was run. Parts: idle, mistakes, cases.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import Cost, ended

MANY = 1_000
METRIC = """\
from deepeval import assert_test, evaluate
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase

class Equal(BaseMetric):
    threshold = 0.5
    async_mode = include_reason = strict_mode = False
    evaluation_model = None
    __name__ = "equal"
    def measure(self, case, *args, **more):
        self.score, self.reason = float(case.actual_output == case.expected_output), ""
        self.success = self.score == 1
        return self.score
    async def a_measure(self, case, *args, **more):
        return self.measure(case)
    def is_successful(self):
        return self.success

def case(number, actual):
    return LLMTestCase(input=f"case {number}", actual_output=actual, expected_output=f"case {number}")
"""
INSPECT = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import accuracy, exact, scorer
from inspect_ai.solver import solver

@solver
def echo():
    async def solve(state, generate):
        state.output.completion = state.input_text
        return state
    return solve

@scorer(metrics=[accuracy()])
def broken():
    async def score(state, target):
        raise RuntimeError("broken")
    return score

@task
def many():
    samples = [Sample(input=f"case {number}", target=f"case {number}") for number in range(NUMBER)]
    return Task(dataset=samples, solver=echo(), scorer=SCORER())
"""
TYPED = """\
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

def task(question):
    if question in LOST:
        raise RuntimeError("down")
    return question

cases = [Case(name=f"c-{number}", inputs=number, expected_output=number) for number in range(NUMBER)]
report = Dataset(name="d", cases=cases, evaluators=[EqualsExpected()]).evaluate_sync(task, progress=False)
print(len(report.cases), "cases,", len(report.failures), "failures, average", report.averages().assertions)
"""
BAGS = """\
import pytest

@pytest.mark.eval(name="m")
@pytest.mark.parametrize("number", range(1_000))
def test_case(number, eval_bag):
    eval_bag.right = f"case {number}" == f"case {number}"

@pytest.mark.eval_analysis(name="m")
def test_all(eval_results):
    assert sum(each.result.right for each in eval_results) == 1_000
"""
PROVIDER = 'module.exports = class { id() { return "echo" } async callApi(asked) { return {output: asked} } };\n'
SUITE = "target: echoes:answer\ndataset: ../datasets/k.jsonl\nscorers: [exact_match]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Files, and the commands that are run among them, by the environment that they are taken from."""

    of: str
    files: Mapping[str, str]
    commands: Sequence[Sequence[str]]


def promptfoo(**more: object) -> Trial:
    """One configuration of promptfoo, right but for `more`; an option of the command line under ``option``."""
    options = more.pop("option", ())
    assert isinstance(options, tuple)
    config = {
        "prompts": ["say {{q}}"],
        "providers": ["file://echo.js"],
        "tests": [{"vars": {"q": "a"}, "assert": [{"type": "contains", "value": "say"}]}],
        **more,
    }
    files = {"c.json": json.dumps(config), "echo.js": PROVIDER, "empty.csv": ""}
    return Trial(of="promptfoo", files=files, commands=[("promptfoo", "eval", "-c", "c.json", "--no-cache", *options)])


def inspected(number: int, scorer: str) -> Trial:
    """One task of Inspect."""
    files = {"k.py": INSPECT.replace("NUMBER", str(number)).replace("SCORER", scorer)}
    return Trial(
        of="inspect-ai",
        files=files,
        commands=[("inspect", "eval", "k.py", "--model", "mockllm/model", "--display", "none")],
    )


def typed(number: int, lost: str) -> Trial:
    """One dataset of pydantic-evals."""
    return Trial(
        of="pydantic-evals",
        files={"k.py": TYPED.replace("NUMBER", str(number)).replace("LOST", lost)},
        commands=[("python", "k.py")],
    )


def script(cases: str) -> Trial:
    """``evaluate()`` of DeepEval."""
    return Trial(
        of="deepeval",
        files={"k.py": f"{METRIC}\nevaluate(test_cases={cases}, metrics=[Equal()])\n"},
        commands=[("python", "k.py")],
    )


MISTAKES: Mapping[str, Trial] = {
    "the file of tests is missing": promptfoo(tests="file://gone.yaml"),
    "the file of tests is empty": promptfoo(tests="file://empty.csv"),
    "a filter that matches nothing": promptfoo(option=("--filter-pattern", "nothing")),
    "a typo in a template's variable": promptfoo(prompts=["say {{qq}}"]),
    "asserts: in place of assert:": promptfoo(
        tests=[{"vars": {"q": "a"}, "asserts": [{"type": "equals", "value": 1}]}]
    ),
    "a prompt file that is not there": promptfoo(
        prompts=["file://gone/*.txt"], tests=[{"vars": {"q": "a"}, "assert": [{"type": "contains", "value": "gone"}]}]
    ),
    "an assertion fails": promptfoo(tests=[{"vars": {"q": "a"}, "assert": [{"type": "equals", "value": "no"}]}]),
    "a metric fails in evaluate()": script('[case(1, "no")]'),
    "evaluate() without cases": script("[]"),
    "a scorer raises in the only sample": inspected(1, "broken"),
    "three of four tasks raise": typed(4, "{1, 2, 3}"),
    "a module cannot be imported": Trial(
        of="pytest-evals",
        files={"test_it.py": "import no_such_module\n"},
        commands=[("pytest", "--run-eval", "--supress-failed-exit-code")],
    ),
}
ROWS = "".join(
    json.dumps({"id": f"c-{number}", "question": f"case {number}", "expected": f"case {number}"}) + "\n"
    for number in range(MANY)
)
CASES: Mapping[str, Trial] = {
    "pytest-promptgate": Trial(
        of="pytest-promptgate",
        files={
            "echoes.py": "def answer(question):\n    return question\n",
            "datasets/k.jsonl": ROWS,
            "evals/k.eval.yaml": SUITE,
            "pytest.ini": "[pytest]\npythonpath = .\n",
        },
        commands=[("pytest", "-q", "--prompt-evals")],
    ),
    "pydantic-evals": typed(MANY, "()"),
    "pytest-evals": Trial(
        of="pytest-evals",
        files={"test_it.py": BAGS},
        commands=[("pytest", "-q", "--run-eval"), ("pytest", "-q", "--run-eval-analysis")],
    ),
    "inspect-ai": inspected(MANY, "exact"),
    "promptfoo": promptfoo(
        prompts=["{{q}}"],
        tests=[
            {"vars": {"q": f"case {number}"}, "assert": [{"type": "equals", "value": f"case {number}"}]}
            for number in range(MANY)
        ],
    ),
    "deepeval": Trial(
        of="deepeval",
        files={
            "test_it.py": f'{METRIC}\nimport pytest\n@pytest.mark.parametrize("number", range({MANY}))\n'
            'def test_case(number):\n    assert_test(case(number, f"case {number}"), [Equal()])\n'
        },
        commands=[("deepeval", "test", "run", "test_it.py")],
    ),
}
IDLE = ("pytest", "pytest-promptgate", "deepeval", "langsmith", "pytest-evals", "pydantic-evals", "inspect-ai")
ONE = "import sys\n\ndef test_one():\n    print(len(sys.modules), 'modules')\n"
QUIET = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_SHARING": "1",
}


def run(trial: Trial, environments: Path) -> list[tuple[int, Cost]]:
    """Run the commands of a trial in an empty directory; the exit code of each, and what it took."""
    programs = environments / trial.of / ("node_modules/.bin" if trial.of == "promptfoo" else "bin")
    with tempfile.TemporaryDirectory() as name:
        for path, text in trial.files.items():
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / path).write_text(text, encoding="utf-8")
        variables = {**os.environ, **QUIET, "HOME": name, "PYTHONPATH": ""}
        return [
            ended([str(programs / program), *arguments], directory=Path(name), variables=variables)
            for program, *arguments in trial.commands
        ]


def idle(environments: Path) -> None:
    """A plain run of pytest, with a tool installed and not used."""
    for name in IDLE:
        trial = Trial(of=name, files={"test_one.py": ONE}, commands=[("pytest", "-q", "-s")])
        costs = [cost for _ in range(9) for _, cost in run(trial, environments)][1:]  # the first one compiles
        modules = next((line for line in costs[0].output.splitlines() if "modules" in line), "")
        print(f"{name}: {statistics.median(each.cpu_s for each in costs):.2f} s, {modules}", flush=True)


def mistakes(environments: Path) -> None:
    """How a run ends in which nothing, or not everything, was tested."""
    for mistake, trial in MISTAKES.items():
        ((code, _),) = run(trial, environments)
        print(f"{trial.of}: {mistake}: exit code {code}", flush=True)


def cases(environments: Path) -> None:
    """A thousand cases that need no model."""
    for name, trial in CASES.items():
        done = run(trial, environments)
        cpu_s, memory_mb = sum(cost.cpu_s for _, cost in done), max(cost.memory_mb for _, cost in done)
        print(f"{name}: {cpu_s:.1f} s, {memory_mb:.0f} MB, exit codes {[code for code, _ in done]}", flush=True)


PARTS = {"idle": idle, "mistakes": mistakes, "cases": cases}

if __name__ == "__main__":
    for part in sys.argv[2:] or PARTS:
        PARTS[part](Path(sys.argv[1]).resolve())
