"""Every fault of a prompt file: its place, what was seen, how to mend it. The whole texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.prompts import load_prompt_file

# Blocks of: >>>> name, the file, <<<<, the message.
_BLOCK = re.compile(r"^>>>> (\S+)\n(.*?)^<<<<\n(.*?)\n\n(?=>>>> |\Z)", re.DOTALL | re.MULTILINE)
READABLE: list[tuple[str, str, str]] = _BLOCK.findall(
    Path(__file__).with_name("prompt_faults.txt").read_text(encoding="utf-8")
)
UNREADABLE = [
    ("v1.prompty", "", "t/v1.prompty: the file is empty"),
    ("v1.prompty", "  \n", "t/v1.prompty: the file is empty"),
    (
        "v1.prompty",
        "---\n---\n  \n",
        "t/v1.prompty:2:1: no messages after the front matter\n  Begin with a line system: or user:.",
    ),
    (
        "v1.yaml",
        "a\x07",
        "t/v1.yaml:1:2: control character U+0007\n  Delete it, or end the line there with a line feed.",
    ),
    (
        "v1.prompty",
        "---\n---\nuser:\na\u2028b\n",
        "t/v1.prompty:4:2: control character U+2028\n  Delete it, or end the line there with a line feed.",
    ),
    ("v1.txt", "a\0b", "t/v1.txt:1: a NUL byte: this is no text file\n  Save it as UTF-8 text."),
]


def test_the_list_of_faults_is_read_whole() -> None:
    text = Path(__file__).with_name("prompt_faults.txt").read_text(encoding="utf-8")

    assert len(READABLE) == text.count(">>>> ") >= 50


@pytest.mark.parametrize(("name", "text", "message"), [*READABLE, *UNREADABLE])
def test_a_fault_is_told_whole(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / "t" / name
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8"))

    with pytest.raises(PromptGateError) as caught:
        load_prompt_file(path, root=tmp_path)

    assert str(caught.value) == message


def test_no_key_of_a_connection_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "t" / "v1.prompty"
    path.parent.mkdir()
    path.write_text(
        "---\nmodel: {id: m, connection: {kind: key, apiKey: sk-secret}}\n---\nuser:\nHi.\n", encoding="utf-8"
    )

    with pytest.raises(PromptGateError) as caught:
        load_prompt_file(path, root=tmp_path)

    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["v1.md", "V1.txt", "v01.prompty", "v0.txt", "v1.yml", "v1.prompty.bak"])
def test_a_file_of_another_name_is_no_version(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Hi.", encoding="utf-8")

    with pytest.raises(PromptGateError) as caught:
        load_prompt_file(tmp_path / name, root=tmp_path)

    assert str(caught.value) == (
        f"{name}: not the name of a prompt version\n  Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt."
    )


def test_a_large_file_a_directory_and_a_missing_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "v1.txt").write_bytes(b"a" * 5_000_001)
    (tmp_path / "v2.txt").mkdir()
    messages = []
    for name in ("v1.txt", "v2.txt", "v3.txt"):
        with pytest.raises(PromptGateError) as caught:
            load_prompt_file(tmp_path / name, root=tmp_path)
        messages.append(str(caught.value))

    assert messages == [
        "v1.txt: 5,000,001 bytes; at most 5,000,000 are read",
        "v2.txt: is a directory, not a file",
        "v3.txt: no such file\n  Did you mean 'v2.txt'? Files there: v1.txt, v2.txt.",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\xe9\n", "v1.txt:2: byte 0xe9 is not UTF-8\n  Save the file as UTF-8."),
        ("hi".encode("utf-16"), "v1.txt:1: byte 0xff is not UTF-8\n  Save the file as UTF-8."),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "v1.txt:1: a Git LFS pointer, not the file itself\n  Run: git lfs pull",
        ),
    ],
)
def test_another_encoding_is_told_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "v1.txt").write_bytes(content)

    with pytest.raises(PromptGateError) as caught:
        load_prompt_file(tmp_path / "v1.txt", root=tmp_path)

    assert str(caught.value) == message
