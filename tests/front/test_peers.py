"""What other tools get wrong, seen from outside: each test is one of their mistakes that is not to be ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from front_project import QUEUES, RIGHT, ROWS, SUITE, Project, asked, section
from front_refusals import clean, failures, refused, told_below
from loopback import faults
from loopback.answers import Answer, last_user_text
from loopback.server import LoopbackServer, closed_port

Start: TypeAlias = Callable[..., LoopbackServer]
STORE = ".promptgate/responses/triage.jsonl"


def scorer(project: Project, body: str, *, name: str = "own") -> None:
    """Offer a scorer with this body."""
    project.write(
        "conftest.py",
        "from pytest_promptgate import Score, Unscored, hookimpl\n\n"
        f"def {name}(completion, case):\n    {body}\n\n"
        f"@hookimpl\ndef promptgate_scorers():\n    return {{'{name}': {name}}}\n",
    )


def answers_in(project: Project) -> int:
    """Lines of the store that hold an answer."""
    return sum('"request"' in line for line in project.text(STORE).splitlines())


# --- denominators ----------------------------------------------------------------------------------------------------


def test_one_success_beside_three_errors_is_no_average_of_one(project: Project) -> None:
    project.standard().dataset(ROWS[:4])
    scorer(project, "if case.id != 'c-01': raise RuntimeError('broken')\n    return 1.0")
    project.suite(SUITE.replace("exact_match", "own"))

    result = clean(project.evals())

    result.assert_outcomes(passed=1, failed=4)
    assert failures(result)[-3:-1] == [
        "triage@v1::gate:accuracy[nearest-example-1]",
        "accuracy cannot be judged: 3 of 4 trials have no score (3 errored), more than 2 %",
    ]


def test_what_cannot_be_scored_is_no_zero_and_does_not_leave_the_books(project: Project) -> None:
    rows = [(f"r-{number:03}", f"where is parcel {number}", "shipping") for number in range(100)]
    project.standard().dataset(rows)
    scorer(project, "return Unscored(reason='no verdict') if case.id == 'r-007' else Score(value=1.0)")
    project.suite(SUITE.replace("exact_match", "own"))

    lines = section(project.evals(), "prompt evals").splitlines()

    assert lines[-2:] == [
        "  accuracy  -         1.000    -       new      99/1/0",
        "  unscored: r-007: no verdict",
    ]


@pytest.mark.parametrize(
    ("suffix", "text", "told"),
    [
        ("csv", "id,message,expected\n", ":1: a header and no rows"),
        ("csv", "", ": the file is empty\n  The first line names the columns."),
        ("json", "[]\n", ": no rows\n  A dataset without cases would pass whatever happens."),
        ("jsonl", "\n\n", ": no rows\n  A dataset without cases would pass whatever happens."),
    ],
)
def test_a_dataset_without_rows_is_never_green(project: Project, suffix: str, text: str, told: str) -> None:
    project.standard()
    project.write(f"datasets/none.{suffix}", text)
    project.suite(SUITE.replace("mails.jsonl", f"none.{suffix}"))

    assert refused(project) == f"datasets/none.{suffix}{told}"


def test_a_path_that_matches_no_prompt_is_not_sent_as_the_prompt(project: Project) -> None:
    project.standard().suite(SUITE.replace("prompt: triage", "prompt: prompts/traige/*.prompty"))

    assert refused(project) == (
        "evals/triage.eval.yaml:1:1: 'prompts/traige/*.prompty' names no prompt version\n"
        "  Write the name of a directory in the prompts directory: letters, digits, '.', '_' and '-'."
    )


def test_a_part_of_the_cases_overwrites_nothing(project: Project) -> None:
    project.standard().accept()
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file() and ".pyc" not in path.name}

    clean(project.run("--update-baseline", "-k", "c-01", "-p", "no:cacheprovider"))

    after = {path: path.read_bytes() for path in before}
    assert after == before


# --- identity --------------------------------------------------------------------------------------------------------


def test_a_row_that_is_put_in_changes_no_other_case(project: Project) -> None:
    project.standard().accept()
    project.dataset([("a-00", "where is my letter", "shipping"), *ROWS])

    result = project.evals()

    assert asked(result) == ["11 cases: 10 unchanged, 1 asked, 57 tokens, $0.00"]
    assert "  since the baseline: rows added: a-00" in result.outlines


def test_rows_in_another_order_are_the_same_rows(project: Project) -> None:
    project.standard().accept()
    before = project.text("promptgate.lock.json")
    project.dataset([*reversed(ROWS)])

    assert asked(project.accept()) == ["10 cases: 10 unchanged, 0 asked"]
    assert project.text("promptgate.lock.json") == before


def test_a_case_is_the_same_case_whatever_was_answered(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals()

    assert "worse (3):" in result.outlines
    assert "rows added" not in result.stdout.str()


# --- caches ----------------------------------------------------------------------------------------------------------


def test_another_model_is_another_answer(project: Project, loopback: Start) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).evals()
    project.prompt("v1", model="{id: small-2, provider: local}")

    project.evals()

    assert server.count == 20


def test_another_endpoint_is_another_answer(project: Project, loopback: Start) -> None:
    first, second = loopback(answers=RIGHT), loopback(answers=RIGHT)
    project.served(first.base_url).evals()
    project.server(second.base_url)

    project.evals()

    assert (first.count, second.count) == (10, 10)


def test_no_answer_is_not_stored_as_an_empty_one(project: Project, loopback: Start) -> None:
    nothing = {"choices": [{"message": {"content": None}, "finish_reason": "stop"}]}
    server = loopback(answers=RIGHT, faults=[faults.json_value(nothing)])
    project.served(server.base_url)
    project.server(server.base_url, more=", retry_for_s: 0")

    result = clean(project.evals())

    result.assert_outcomes(passed=9, failed=2)
    assert answers_in(project) == 9
    project.evals().assert_outcomes(passed=11)
    assert server.count == 11


def test_an_empty_answer_is_an_answer(project: Project, loopback: Start) -> None:
    server = loopback(answers=lambda body: Answer(text="" if "parcel" in last_user_text(body) else "billing"))
    project.served(server.base_url).evals()

    assert answers_in(project) == 10


def test_a_refusal_to_answer_is_not_replayed_for_ever(project: Project, loopback: Start) -> None:
    server = loopback(answers=RIGHT, faults=lambda number, _body: faults.rate_limited(0) if number < 10 else None)
    project.served(server.base_url)
    project.server(server.base_url, more=", retry_for_s: 0")
    clean(project.evals())

    project.evals().assert_outcomes(passed=11)


def test_a_changed_setting_of_a_scorer_is_judged_anew_and_asks_nothing(project: Project) -> None:
    project.standard().suite(SUITE.replace("exact_match", "{regex: {pattern: 'billing|shipping|account'}}"))
    project.evals().assert_outcomes(passed=11)
    project.suite(SUITE.replace("exact_match", "{regex: {pattern: 'billing'}}"))

    result = project.evals()

    assert asked(result) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]
    assert section(result, "prompt evals").splitlines()[-1].split()[2] == "0.400"


def test_three_answers_of_one_case_are_three_calls_and_keep_their_variance(project: Project, loopback: Start) -> None:
    texts = iter(["billing", "shipping", "billing"] * 10)
    server = loopback(answers=lambda _body: next(texts))
    project.served(server.base_url).suite(f"{SUITE}samples: 3\n")

    first = section(project.evals(), "prompt evals").splitlines()[-1]
    again = section(project.evals(), "prompt evals").splitlines()[-1]

    assert server.count == 30
    assert first == again


def test_two_cases_with_equal_prompts_are_two_answers(project: Project, loopback: Start) -> None:
    server = loopback(answers=lambda _body: "billing")
    project.served(server.base_url).dataset([("c-1", "the same", "billing"), ("c-2", "the same", "billing")])

    project.evals().assert_outcomes(passed=3)

    assert server.count == 2


def test_the_dataset_is_read_once_and_not_once_per_case(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        "import json\nfrom pathlib import Path\nfrom pytest_promptgate import Row, hookimpl\n\n"
        "def read(path):\n"
        "    with open('reads.txt', 'a') as reads: reads.write('read\\n')\n"
        "    return [Row(fields=json.loads(line), line=None) for line in Path(path).read_text().splitlines()]\n\n"
        "@hookimpl\ndef promptgate_dataset_loaders():\n    return {'.rows': read}\n",
    )
    (project.root / "datasets/mails.jsonl").rename(project.root / "datasets/mails.rows")
    project.suite(SUITE.replace("mails.jsonl", "mails.rows"))

    project.evals().assert_outcomes(passed=11)

    assert project.text("reads.txt") == "read\n"


def test_the_store_is_appended_to_and_never_rewritten(project: Project) -> None:
    project.standard().evals()
    store = project.root / STORE
    before, inode = store.read_bytes(), store.stat().st_ino
    project.dataset([*ROWS, ("n-1", "where is my letter", "shipping")])

    project.evals()

    assert store.stat().st_ino == inode
    assert store.read_bytes().startswith(before)
    assert len(store.read_bytes()) > len(before)


# --- scorers ---------------------------------------------------------------------------------------------------------


def test_json_is_compared_by_its_values(project: Project) -> None:
    answers = {
        "my card was charged twice": '{"queue": null}',
        "where is my parcel": '{"urgent": true, "queue": "shipping"}',
        "i cannot log in": '{"queue": "disapprove"}',
    }
    project.prompt("v1", answers)
    project.write(
        "datasets/mails.jsonl",
        '{"id": "missing", "message": "my card was charged twice", "expected": {"queue": null, "urgent": null}}\n'
        '{"id": "order", "message": "where is my parcel", "expected": {"queue": "shipping", "urgent": true}}\n'
        '{"id": "alike", "message": "i cannot log in", "expected": {"queue": "approve"}}\n',
    )
    project.suite(SUITE.replace("exact_match", "json_match"))

    lines = project.evals("-v").outlines

    scores = {name: next(line for line in lines if f"::{name}[" in line) for name in ("missing", "order", "alike")}
    assert {name: line.split("SCORED ")[1].split()[0] for name, line in scores.items()} == {
        "missing": "0.50",
        "order": "1.00",
        "alike": "0.00",
    }


# --- plugins ---------------------------------------------------------------------------------------------------------

QUIET = """\
import os, sys

STARTED = []
sys.addaudithook(lambda event, args: STARTED.append(args[0]) if event == "subprocess.Popen" else None)

def test_after_everything():
    assert STARTED == []
    assert "PROMPTGATE_PROBE" not in os.environ
    assert not [name for name in os.environ if name.startswith("PROMPTGATE")]
"""


def test_a_plain_run_starts_no_process_and_loads_no_env_file(project: Project) -> None:
    project.standard()
    project.write(".env", "PROMPTGATE_PROBE=loaded\nOPENAI_API_KEY=sk-from-env-file\n")
    project.write("test_unit.py", QUIET)

    project.run_apart().assert_outcomes(passed=1)
    project.run_apart("--help").stdout.fnmatch_lines(["*--prompt-evals*"])


def test_an_env_file_is_not_loaded_for_evals_either(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    project.standard().prompt("v1", model="gpt-4o-2024-11-20")
    project.write(".env", "OPENAI_API_KEY=sk-from-env-file\n")

    assert told_below(clean(project.evals()))[0] == "openai: OPENAI_API_KEY is not set"
    assert "OPENAI_API_KEY" not in os.environ


def test_every_option_of_ours_has_a_name_of_its_own(project: Project) -> None:
    shown = project.run_apart("--help").outlines
    start = next(index for index, line in enumerate(shown) if line.startswith("prompt evals (pytest-promptgate)"))
    end = next(index for index in range(start, len(shown)) if not shown[index].strip())
    options = [line.split()[0].split("=")[0] for line in shown[start + 1 : end] if line.startswith("  --")]

    taken = {"--update-baseline", "--accept-regression", "--accept-dataset-change", "--baseline-ref"}
    assert options
    assert all(option.startswith("--prompt-") or option in taken for option in options), options


def test_tests_in_classes_and_ids_with_colons_are_no_trouble(project: Project) -> None:
    project.standard().dataset([("a::b [1]", "where is my parcel", "shipping"), *ROWS])
    project.write(
        "test_unit.py",
        "import pytest\n\nclass TestOld:\n"
        "    @pytest.mark.parametrize('text', ['a::b', '[x]'])\n    def test_it(self, text): pass\n",
    )

    result = project.evals("-v", "--junitxml=report.xml")

    result.assert_outcomes(passed=14)
    (line,) = (line for line in result.outlines if "::a-b-1" in line)
    node = line.split(" ")[0]
    project.evals(node).assert_outcomes(passed=1)


def test_an_unreachable_server_fails_no_ordinary_test(project: Project) -> None:
    project.served(f"http://127.0.0.1:{closed_port()}/v1")
    project.server(f"http://127.0.0.1:{closed_port()}/v1", more=", retry_for_s: 0")
    project.write("test_unit.py", "def test_one():\n    pass\n")

    clean(project.evals()).assert_outcomes(passed=1, failed=11)


def test_what_cannot_be_pickled_loses_no_result_beside_workers(project: Project) -> None:
    pytest.importorskip("xdist")
    project.standard()
    scorer(
        project,
        "class Text(str):\n        def __reduce__(self): raise TypeError('not to be pickled')\n"
        "    return Score(value=1.0, reason=Text('fine'))",
    )
    project.suite(SUITE.replace("exact_match", "own"))
    project.write("test_unit.py", "def test_one():\n    pass\n")

    project.run_apart("--prompt-evals", "-n", "2").assert_outcomes(passed=12)


def test_a_regression_is_a_failing_item_and_no_exception_after_green_dots(project: Project) -> None:
    project.standard().accept()
    project.prompt("v2", dict([*QUEUES.items()][:4]))

    result = clean(project.evals("--junitxml=report.xml"))

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert 'failures="1"' in project.text("report.xml")


def test_a_provider_that_keeps_refusing_ends_within_its_time(project: Project, loopback: Start) -> None:
    def refuse(_number: int, _body: dict[str, Any]) -> faults.Fault:
        return faults.rate_limited(3600)

    server = loopback(faults=refuse)
    project.served(server.base_url).dataset(ROWS[:2])

    result = clean(project.evals())

    assert failures(result)[1] == (
        "c-01 could not be answered: local/small-1: the rate limit was reached (status 429): Rate limit reached for "
        "requests; gave up after 1 try, for it wants 3600 s of patience and 120 s are granted"
    )
