"""Templates in the style of chat models and of task prompts: no false alarm on any, and a planted fault in each is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_promptgate.files.lint_prompt import lint_prompt

# Blocks of: >>>> name, the template, <<<< its variables, those after "|" left in doubt.
_BLOCK = re.compile(r"^>>>> ([^\n]+)\n(.*?)^<<<< ([^\n]*)\n", re.DOTALL | re.MULTILINE)
TEXT = Path(__file__).with_name("template_corpus.txt").read_text(encoding="utf-8")
CORPUS: list[tuple[str, str, str]] = _BLOCK.findall(TEXT)
PROMPTY = _BLOCK.findall(Path(__file__).with_name("prompty_corpus.txt").read_text(encoding="utf-8"))
ALL = pytest.mark.parametrize(("template", "names"), [each[1:] for each in CORPUS], ids=[each[0] for each in CORPUS])


def codes(tmp_path: Path, template: str, names: str, *, suffix: str = ".yaml") -> list[str]:
    """The codes of what lint finds in a version with this template; `names` are declared."""
    declared = "".join(
        f"  - {{name: {name}, kind: array, items: {{kind: string}}}}\n" for name in names.split() if name != "|"
    )
    body = "".join(f"      {line}\n" for line in template.splitlines())
    head = f"metadata: {{owner: a, source: b}}\ninputs:\n{declared}"
    path = tmp_path / "t" / f"v1{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        {
            ".yaml": f"{head}messages:\n  - role: user\n    content: |\n{body}",
            ".txt": template,
            ".prompty": f"---\n{head}---\nuser:\nBegin.\n{template}End.\n",
        }[suffix],
        encoding="utf-8",
    )
    return [each.code for each in lint_prompt(path, root=tmp_path, providers=None).findings]


def test_the_corpus_is_read_whole() -> None:
    assert len(CORPUS) == TEXT.count(">>>> ") >= 30


@ALL
@pytest.mark.parametrize("suffix", [".yaml", ".prompty"])
def test_no_false_alarm(tmp_path: Path, template: str, names: str, suffix: str) -> None:
    assert codes(tmp_path, template, names, suffix=suffix) == []


@pytest.mark.parametrize(("body", "names"), [each[1:] for each in PROMPTY], ids=[each[0] for each in PROMPTY])
def test_no_false_alarm_in_files_with_several_messages(tmp_path: Path, body: str, names: str) -> None:
    declared = "".join(f"  - {{name: {name}, kind: string}}\n" for name in names.split())
    path = tmp_path / "t" / "v1.prompty"
    path.parent.mkdir()
    path.write_text(f"---\nmetadata: {{owner: a, source: b}}\ninputs:\n{declared}---\n{body}", encoding="utf-8")

    said = [each.code for each in lint_prompt(path, root=tmp_path, providers=None).findings]

    assert {*said} <= {"PG122"}  # true of Prompty's own package, see test_prompt_microsoft


@ALL
def test_the_variables_of_a_plain_text_file_are_found(tmp_path: Path, template: str, names: str) -> None:
    assert codes(tmp_path, template, names, suffix=".txt") == ["PG120", "PG121"]
    version = lint_prompt(tmp_path / "t" / "v1.txt", root=tmp_path, providers=None).version
    assert version is not None
    certain, _, doubtful = names.partition("|")
    assert {each.name for each in version.inputs if each.required} == set(certain.split())
    assert set(doubtful.split()) <= {each.name for each in version.inputs if not each.required}


@ALL
def test_a_name_that_is_not_declared_is_found(tmp_path: Path, template: str, names: str) -> None:
    assert codes(tmp_path, f"{template}{{{{ planted }}}}\n", names) == ["PG103"]


@ALL
def test_a_declared_name_that_is_not_used_is_found(tmp_path: Path, template: str, names: str) -> None:
    assert codes(tmp_path, template, f"{names} planted") == ["PG103"]


@ALL
def test_a_function_that_there_is_not_is_found(tmp_path: Path, template: str, names: str) -> None:
    assert codes(tmp_path, f"{template}{{{{ planted(1) }}}}\n", names) == ["PG103"]


@ALL
@pytest.mark.parametrize("fault", ["{% if %}", "{{ 'a' | nope }}", "{% endfor %}", "{{ ''.__class__ }}", "{{ a b }}"])
def test_a_fault_of_syntax_or_reach_is_found(tmp_path: Path, template: str, names: str, fault: str) -> None:
    assert codes(tmp_path, f"{template}{fault}\n", names) == ["PG102"]


@ALL
def test_a_limit_that_is_reached_whatever_the_row_is_found(tmp_path: Path, template: str, names: str) -> None:
    assert codes(tmp_path, f"{{{{ range(10 ** 9) }}}}\n{template}", names) == ["PG102"]
