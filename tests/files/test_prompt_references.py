"""Which file `name` and `name@v2` mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.errors import Place, PromptGateError
from pytest_promptgate.files.prompts import find_prompt, list_versions

if TYPE_CHECKING:
    from pathlib import Path


NAMES = "  Write the name of a directory in the prompts directory: letters, digits, '.', '_' and '-'."
WHERE = Place(file="evals/a.eval.yaml", line=1, column=9)


def prompts(root: Path, *names: str) -> Path:
    for name in names:
        path = root / "prompts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n---\nuser:\nHi.\n" if path.suffix == ".prompty" else "Hi.", encoding="utf-8")
    return root / "prompts"


def told(root: Path, reference: str) -> str:
    with pytest.raises(PromptGateError) as caught:
        find_prompt(root, root / "prompts", reference, where=WHERE)
    return str(caught.value)


def test_a_bare_name_is_the_newest_version_by_number(tmp_path: Path) -> None:
    directory = prompts(tmp_path, *(f"a/v{number}.txt" for number in range(1, 12)), "a/README.md", "a/notes.txt")

    assert find_prompt(tmp_path, directory, "a", where=WHERE).label == "a@v11"
    assert find_prompt(tmp_path, directory, "a@v2", where=WHERE).path == "prompts/a/v2.txt"
    assert list_versions(directory, "a") == tuple(f"v{number}" for number in range(1, 12))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("triag", "no prompt 'triag' in prompts/\n  Did you mean 'triage'? Prompts: orders, triage."),
        ("Triage", "no prompt 'Triage' in prompts/\n  Did you mean 'triage'? Upper and lower case differ."),
        ("triage@v3", "prompt 'triage' has no v3\n  Its versions: v1, v2."),
        ("triage@V2", "'triage@V2' names no prompt version\n  Did you mean 'triage@v2'?"),
        ("triage@02", "'triage@02' names no prompt version\n  Did you mean 'triage@v2'?"),
        (
            "triage@latest",
            "'triage@latest' names no prompt version\n  Write 'triage@v2', or 'triage' for the newest version.",
        ),
        (
            "../triage",
            f"'../triage' names no prompt version\n{NAMES}",
        ),
        (
            "",
            f"'' names no prompt version\n{NAMES}",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path, reference: str, message: str) -> None:
    prompts(tmp_path, "triage/v1.prompty", "triage/v2.txt", "orders/v1.txt")

    assert told(tmp_path, reference) == f"evals/a.eval.yaml:1:9: {message}"


def test_a_missing_prompts_directory_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "a") == (
        "evals/a.eval.yaml:1:9: no prompt 'a' in prompts/\n  Write prompts/a/v1.prompty, or set promptgate_prompts."
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["a/v1.txt", "a/v3.txt"],
            "prompts/a: v3 is there, but no v2\n  Versions are numbered from v1 without a gap.",
        ),
        (["a/v2.txt"], "prompts/a: v2 is there, but no v1\n  Versions are numbered from v1 without a gap."),
        (
            ["a/v1.prompty", "a/v1.yaml"],
            "prompts/a/v1.yaml: v1 stands twice: v1.prompty and v1.yaml\n  Keep one of them.",
        ),
        (
            ["a/README.md"],
            "prompts/a: no prompt version\n  Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt.",
        ),
        (
            ["a/v1.txt", "a/v02.prompty", "a/V3.txt", "a/v4.yml", "a/draft.prompty"],
            "\n".join(
                f"prompts/a/{name}: not the name of a prompt version\n"
                f"  {guess}Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt."
                for name, guess in (
                    ("V3.txt", "Did you mean 'v3.txt'? "),
                    ("draft.prompty", ""),
                    ("v02.prompty", "Did you mean 'v2.prompty'? "),
                    ("v4.yml", "Did you mean 'v4.yaml'? "),
                )
            ),
        ),
    ],
)
def test_files_that_are_not_numbered_from_v1_on_are_told(tmp_path: Path, names: list[str], message: str) -> None:
    prompts(tmp_path, *names)

    assert told(tmp_path, "a") == message


def test_a_fault_of_the_versions_file_is_told_as_its_own(tmp_path: Path) -> None:
    prompts(tmp_path, "a/v1.prompty").joinpath("a/v1.prompty").write_text("Hi.", encoding="utf-8")

    assert told(tmp_path, "a").startswith("prompts/a/v1.prompty:1:1: no front matter\n")
