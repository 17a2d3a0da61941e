"""``load_run``: tidy frames whose columns are those of the docs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from run_documents import made_document, made_report, made_suite

import pytest_promptgate
from pytest_promptgate.core.run_document import RunDocument
from pytest_promptgate.core.types import Errored, Unscored
from pytest_promptgate.errors import RunFileError
from pytest_promptgate.files.run_file import run_text
from pytest_promptgate.reports.frames import METRICS, SCORES, TRIALS, VERDICTS, RunFrames

DOCS = Path(__file__).parents[2] / "docs" / "reports.md"
FRAMES = {"trials": TRIALS, "scores": SCORES, "metrics": METRICS, "verdicts": VERDICTS}

EVERYTHING = made_document(
    made_suite(
        made_report(
            {"c-01": [1.0, 1.0], "c-02": [("billing", "billing")]},
            {"c-01": [0.0, 1.0], "c-02": [Unscored(reason="no verdict")], "c-03": [Errored(message="boom")]},
        )
    )
)


def loaded(document: RunDocument, tmp_path: Path) -> RunFrames:
    path = tmp_path / "run.json"
    path.write_text(run_text(document), encoding="utf-8")
    return pytest_promptgate.load_run(path)


@pytest.mark.parametrize("document", [EVERYTHING, made_document(suites=())], ids=["everything", "nothing"])
@pytest.mark.parametrize("name", FRAMES)
def test_columns_and_dtypes_are_the_same_whatever_is_in_a_run(document: RunDocument, name: str, tmp_path: Path) -> None:
    frame: pd.DataFrame = getattr(loaded(document, tmp_path), name)

    assert {column: str(kind) for column, kind in frame.dtypes.items()} == dict(FRAMES[name])


def test_a_row_is_one_observation(tmp_path: Path) -> None:
    run = loaded(EVERYTHING, tmp_path)
    scores = run.scores.set_index(["arm", "case", "sample"])

    assert len(run.trials) == len(run.scores) == 7
    assert list(run.scores.query("kind == 'score' and arm == 'now'")["value"]) == [0.0, 1.0]
    assert tuple(scores.loc[("now", "c-02", 1), ["kind", "reason"]]) == ("unscored", "no verdict")
    assert tuple(scores.loc[("now", "c-03", 1), ["kind", "reason"]]) == ("errored", "boom")
    assert tuple(scores.loc[("before", "c-02", 1), ["answered", "wanted"]]) == ("billing", "billing")
    assert scores["value"].isna().sum() == 2
    assert list(run.verdicts["outcome"]) == ["inconclusive"]
    assert tuple(run.metrics.loc[0, ["scored", "unscored", "errored"]]) == (2, 1, 1)
    assert run.document == EVERYTHING


def test_the_docs_name_every_column_with_its_dtype() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))

    assert documented == {name: kind for columns in FRAMES.values() for name, kind in columns.items()}


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")

    with pytest.raises(RunFileError, match="it is no run document: it has no schema_version"):
        pytest_promptgate.load_run(str(tmp_path / "run.json"))


def test_naming_it_imports_no_pandas() -> None:
    program = "import sys, pytest_promptgate as p; p.load_run; print('pandas' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "False\n"
    )


def test_the_example_of_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text(run_text(made_document()), encoding="utf-8")
    program = DOCS.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    found: dict[str, object] = {}

    exec(compile(program, "docs/reports.md", "exec"), found)

    assert isinstance(found["flipped"], pd.DataFrame)
    assert list(found["flipped"]["arm"]) == ["before", "now"]
