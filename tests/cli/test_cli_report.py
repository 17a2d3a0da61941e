"""``promptgate report`` and ``promptgate compare``: documents shown again, merged, and held against each other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from run_documents import made_document, made_report, made_suite, run_validator

from pytest_promptgate.cli.main import main
from pytest_promptgate.core.run_document import Mode, RunDocument, Status
from pytest_promptgate.core.types import Outcome
from pytest_promptgate.files.run_file import read_run, run_text


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in args])


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that commands run in, with ``run.json``."""
    monkeypatch.chdir(tmp_path)
    write(made_document())
    return tmp_path


def write(document: RunDocument, name: str = "run.json") -> None:
    Path(name).write_text(run_text(document), encoding="utf-8")


def only(samples: dict[str, list[float]], **changes: object) -> RunDocument:
    """A document of one suite without a baseline, in which `samples` were scored."""
    return made_document(replace(made_suite(made_report(None, samples)), **changes), failures=0, exit_code=0)  # type: ignore[arg-type]


def test_a_run_is_shown_again(written: Path) -> None:
    result = run("report", "run.json")

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "PASSED: no gate failed: 1 metric on 3 cases held against the baseline",
        "triage: support-triage@v3 on openai/gpt-4o-2024-11-20",
        "  3 cases: 0 unchanged, 3 asked, cost unknown",
        "  since the baseline: prompt: v2 -> v3",
        "  metric    baseline  current  change  verdict    n/unscored/errored",
        "  accuracy  0.667     0.667    +0.000  unchanged  3/0/0",
    ]


def test_other_reports_are_made_from_it(written: Path) -> None:
    result = run("report", "run.json", "--md", "run.md", "--json", "again.json")

    assert (result.exit_code, sorted(result.output.splitlines())) == (0, ["wrote again.json", "wrote run.md"])
    assert Path("again.json").read_text() == Path("run.json").read_text()
    assert Path("run.md").read_text().startswith("## ✅ PASSED")


def test_what_is_no_run_is_told(written: Path) -> None:
    Path("torn.json").write_text('{"schema_version": 1')

    result = run("report", "torn.json")

    assert result.exit_code == 1
    assert result.stderr.startswith("torn.json:1:21: no valid JSON: Expecting ',' delimiter\n  Write it anew: ")


def test_shards_become_one_run_that_nobody_has_judged(written: Path) -> None:
    first = only({"c-01": [1.0], "c-02": [0.0]}, judged=False, not_judged="shard 1/2", partial="shard 1/2")
    write(replace(first, mode=Mode(shard="1/2")), "one.json")
    write(only({"c-03": [1.0]}, judged=False, not_judged="shard 2/2", partial="shard 2/2"), "two.json")

    result = run("report", "one.json", "two.json", "--json", "whole.json")
    whole = read_run(Path("whole.json"))
    suite = whole.suites[0]

    assert result.exit_code == 0
    run_validator().validate(json.loads(Path("whole.json").read_text()))
    assert (whole.merged, whole.mode.shard, whole.exit_code) == (("one.json", "two.json"), "", 0)
    assert [case.id for case in suite.cases] == ["c-01", "c-02", "c-03"]
    assert (suite.spent.cases, suite.spent.asked, suite.judged) == (3, 3, False)
    measured = suite.metrics[0].measured
    assert measured is not None
    assert measured.books.planned == 3


@pytest.mark.parametrize(
    ("shards", "note"),
    [
        (("1/3", "3/3"), "these are not all cases: without shard 2/3"),
        (("1/2", "2/2"), ""),
        (("1/2", "1/3"), ""),
        (("a shard", "1/x"), ""),
    ],
)
def test_a_shard_that_is_missing_is_told(written: Path, shards: tuple[str, str], note: str) -> None:
    for case, shard in zip(("c-01", "c-02"), shards, strict=True):
        write(replace(only({case: [1.0]}, judged=False, not_judged="shard"), mode=Mode(shard=shard)), f"{case}.json")

    shown = run("report", "c-01.json", "c-02.json").output

    assert (f"note: {note}" in shown) == bool(note)
    assert ("not all cases" in shown) == bool(note)


def test_a_case_that_two_documents_tell_differently_is_refused(written: Path) -> None:
    write(only({"c-01": [1.0]}), "one.json")
    write(only({"c-01": [0.0]}), "two.json")

    result = run("report", "one.json", "two.json")

    assert result.exit_code == 1
    assert result.stderr == (
        "two.json: case c-01 of triage: support-triage@v3 on openai/gpt-4o-2024-11-20 stands here and in one.json, "
        "with different answers\n  Merge shards that share no case: --prompt-shard 1/2 and 2/2.\n"
    )


def test_a_case_that_two_documents_tell_alike_counts_once(written: Path) -> None:
    write(only({"c-01": [1.0]}), "one.json")

    run("report", "one.json", "one.json", "--json", "two.json")

    assert [case.id for case in read_run(Path("two.json")).suites[0].cases] == ["c-01"]


def test_documents_of_other_settings_are_not_merged(written: Path) -> None:
    write(only({"c-01": [1.0]}), "one.json")
    write(only({"c-02": [1.0]}, rule="significant"), "two.json")

    result = run("report", "one.json", "two.json")

    assert result.stderr == (
        "two.json: triage: support-triage@v3 on openai/gpt-4o-2024-11-20: prompt, model, metrics, scorers or rule "
        "differ from those in one.json\n  Merge documents of one run: its shards, of one commit.\n"
    )


def test_comparing_fails_where_the_gate_would(written: Path) -> None:
    write(only({"c-01": [1.0], "c-02": [1.0]}), "a.json")
    write(only({"c-01": [0.0], "c-02": [1.0]}), "b.json")

    worse, better = run("compare", "a.json", "b.json", "--json", "both.json"), run("compare", "b.json", "a.json")
    suite, verdict = read_run(Path("both.json")).red[0]

    assert (worse.exit_code, better.exit_code) == (1, 0)
    assert (verdict.outcome, [move.case for move in verdict.worse]) == (Outcome.REGRESSED, ["c-01"])
    assert all(case.before[0].answer is not None for case in suite.cases)
    assert "PASSED: no gate failed: 1 metric on 2 cases held against the baseline, 1 improved" in better.output
    assert better.output.splitlines()[-1] == "a.json held against b.json"


def test_confirm_goes_by_the_test_of_significant_and_says_so(written: Path) -> None:
    names = [f"c-{at}" for at in range(40)]
    write(only({name: [float(at < 20)] for at, name in enumerate(names)}, rule="confirm"), "a.json")
    write(only({name: [float(5 <= at < 24)] for at, name in enumerate(names)}, rule="confirm"), "luck.json")
    write(only({name: [float(12 <= at < 20)] for at, name in enumerate(names)}, rule="confirm"), "loss.json")

    luck, loss = run("compare", "a.json", "luck.json"), run("compare", "a.json", "loss.json")

    assert (luck.exit_code, loss.exit_code) == (0, 1), luck.output
    assert (
        "note: rule confirm asks again where it doubts; documents cannot, so its metrics go by the test" in luck.output
    )


def test_a_suite_that_the_candidate_lacks_is_no_success(written: Path) -> None:
    one = only({"c-01": [1.0]})
    other = replace(one.suites[0], name="other", title="other: it")
    write(replace(one, suites=(*one.suites, other)), "a.json")
    write(one, "b.json")

    missing, more = run("compare", "a.json", "b.json"), run("compare", "b.json", "a.json")

    assert (missing.exit_code, more.exit_code) == (1, 0)
    assert missing.output.startswith("BROKE: other: it: only in a.json; 1 of 1 suite judged")
    assert more.output.splitlines()[-1] == "other: it: only in a.json"


def test_a_run_that_is_not_complete_proves_nothing(written: Path) -> None:
    write(only({"c-01": [1.0]}), "a.json")
    write(replace(only({"c-01": [1.0]}), status=Status.INTERRUPTED), "b.json")

    result = run("compare", "a.json", "b.json")

    assert result.exit_code == 1
    assert result.output.startswith("BROKE: b.json is not complete")


def test_a_changed_scorer_cannot_be_compared(written: Path) -> None:
    one = only({"c-01": [1.0]})
    suite = one.suites[0]
    write(one, "a.json")
    changed = replace(suite, scorers=(replace(suite.scorers[0], fingerprint="queue-2"),))
    write(replace(one, suites=(changed,)), "b.json")

    result = run("compare", "a.json", "b.json")

    assert result.exit_code == 1
    assert result.output.startswith("INCONCLUSIVE: accuracy cannot be compared: its scorer queue has changed")


def test_the_schema_of_a_run_is_printed(written: Path) -> None:
    printed = json.loads(run("schema", "run").output)

    assert printed["$ref"] == "#/$defs/RunDocument"


def test_the_commands_of_the_docs_run(written: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    commands = [line.partition("#")[0].split()[2:] for line in docs.splitlines() if line.startswith("$ promptgate")]
    for name, case in {"one": "c-01", "two": "c-02", "before": "c-01", "after": "c-01"}.items():
        write(only({case: [1.0]}), f"{name}.json")

    assert [run(*command).exit_code for command in commands] == [0, 0, 0, 0]
