"""The next version of a prompt, and recorded ones put back: from Git, or from what a baseline keeps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from git_project import commit, git, repository

from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.new_version import Step, next_version, restored, write
from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.recorded_versions import Archive
from pytest_promptgate.files.version_checks import check_present, check_unedited

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import PromptVersion

V1 = (
    "---\nmetadata: {version: v1, owner: ann}  # ours\nmodel: gpt-4o-2024-11-20\n---\nsystem:\nBe kind.\n\nuser:\nHi.\n"
)
LOST = "was is not to be had: neither Git nor the baseline's outputs hold it whole\n  Put its old text back by hand, from a backup, and the edit into a file of the next number."


@dataclass
class World:
    """A prompts directory with versions that baselines were written from."""

    root: Path
    recorded: dict[str, PromptVersion] = field(default_factory=dict)

    def write(self, name: str, data: str | bytes) -> Path:
        path = self.root / "prompts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def record(self, name: str) -> None:
        prompt = load_prompt_file(self.root / "prompts" / name, root=self.root)
        self.recorded[prompt.label] = prompt

    def archive(self, *, keeps: bool = True) -> Archive:
        return Archive(
            directory=self.root / "prompts",
            root=self.root,
            digests={label: prompt.digest for label, prompt in self.recorded.items()},
            partials={label: prompt.partials for label, prompt in self.recorded.items()},
            recipes=lambda: {label: replace(each, path="") for label, each in self.recorded.items() if keeps},
        )

    def read(self, name: str) -> bytes:
        return (self.root / "prompts" / name).read_bytes()

    def told(self, name: str = "a", *, keeps: bool = True, source: str = "") -> str:
        with pytest.raises(PromptGateError) as caught:
            next_version(self.archive(keeps=keeps), name, source=source)
        return str(caught.value)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(root=tmp_path)
    world.write("a/v1.prompty", V1)
    world.record("a/v1.prompty")
    return world


def names_of(steps: tuple[Step, ...]) -> list[str]:
    return [f"{step.path.name}: {step.told}" for step in steps]


def test_without_an_edit_the_newest_version_is_copied_under_its_number(world: World) -> None:
    write(next_version(world.archive(), "a"), root=world.root)

    assert world.read("a/v2.prompty") == V1.replace("version: v1", "version: v2").encode()
    assert world.read("a/v1.prompty") == V1.encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n"])
@pytest.mark.parametrize("keeps", [True, False])
def test_the_edit_moves_on_and_the_old_text_comes_back_with_its_bytes(
    world: World, mark: bytes, end: str, last: str, keeps: bool
) -> None:
    old = mark + (V1.rstrip("\n") + last).replace("\n", end).encode()
    world.write("a/v1.prompty", old)
    if not keeps:
        repository(world.root)
    world.write("a/v1.prompty", old.replace(b"kind", b"rude"))

    steps = next_version(world.archive(keeps=keeps), "a")
    write(steps, root=world.root)

    assert world.read("a/v1.prompty") == old
    assert world.read("a/v2.prompty") == old.replace(b"kind", b"rude").replace(b"version: v1", b"version: v2")
    origin = "with the texts that the baseline keeps, and the front matter of the file" if keeps else "as commit "
    assert names_of(steps)[0] == "v2.prompty: made from v1"
    assert steps[1].told.startswith(origin)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("b/v1.txt", "Hi {{ a }}.", "Hello {{ a }}."),
        (
            "b/v1.yaml",
            "metadata: {version: v1}\nmessages:\n  - role: user\n    content: |\n      Hi.\n\n      You.\nmodel: gpt-4o-2024-11-20 # fixed\n",
            "metadata: {version: v1}\nmessages:\n  - {role: user, content: 'Bye'}\nmodel: gpt-4o-2024-11-20 # fixed\n",
        ),
        ("b/v1.yaml", 'messages: [{role: user, content: " x\\t"}]\n', "messages: [{role: user, content: y}]\n"),
        ("b/v1.prompty", V1, V1.replace("gpt-4o-2024-11-20", "gpt-4o-2024-08-06")),
        (
            "b/v1.prompty",
            "---\nmodel: {id: m, provider: p, options: {temperature: 0, maxOutputTokens: 5}}\n"
            "inputs: [{name: q, kind: string, required: false, default: 1}]\n"
            "tools: [{name: t, kind: function, parameters: [{name: x, kind: string}]}]\n---\nuser:\n{{ q }}\n",
            "---\n---\nuser:\nNothing.\n",
        ),
    ],
)
def test_every_format_comes_back_from_what_the_baseline_keeps(world: World, name: str, old: str, new: str) -> None:
    path = world.write(name, old)
    world.record(name)
    path.write_text(new, encoding="utf-8")

    write(next_version(world.archive(), "b"), root=world.root)

    check_unedited(world.archive(), ["b"])
    assert path.with_stem("v2").read_text(encoding="utf-8") == new.replace("version: v1", "version: v2")


def test_an_edited_partial_makes_new_versions_and_freezes_the_old_ones(world: World) -> None:
    world.write("shared/safety.txt", "Be safe.")
    for name in ("b", "c"):
        world.write(f"{name}/v1.prompty", '---\n# note\n---\nuser:\nHi. {% include "shared/safety.txt" %}\n')
        world.record(f"{name}/v1.prompty")
    world.write("shared/safety.txt", "Be very safe.")

    with pytest.raises(PromptGateError) as caught:
        check_unedited(world.archive(), ["c"])
    for name in ("b", "c"):
        write(next_version(world.archive(), name), root=world.root)

    assert str(caught.value) == (
        "prompts/shared/safety.txt: this partial was edited, and that changes what baselines were written from: "
        "b@v1, c@v1\n"
        "  --- c@v1 as recorded\n"
        "  +++ c@v1 as it is now\n"
        "  @@ -1,2 +1,2 @@\n"
        "   user:\n"
        "  -Hi. Be safe.\n"
        "  +Hi. Be very safe.\n"
        "  Keep the edit in new versions, and the old ones as they were: promptgate new-version b c"
    )
    check_unedited(world.archive(), ["b", "c"])
    assert world.read("c/v1.prompty") == b"---\n# note\n---\nuser:\nHi. Be safe.\n"
    assert world.read("c/v2.prompty") == b'---\n# note\n---\nuser:\nHi. {% include "shared/safety.txt" %}\n'


def test_an_edited_partial_comes_back_from_git_too(world: World) -> None:
    world.write("shared/safety.txt", "Safe, first.")
    world.write("b/v1.txt", 'Hi. {% include "shared/safety.txt" %}')
    repository(world.root)
    world.write("shared/safety.txt", "Safe, second.")
    commit(world.root, "another safety")
    world.record("b/v1.txt")
    world.write("shared/safety.txt", "Safe, third.")
    commit(world.root, "and another")

    steps = next_version(world.archive(keeps=False), "b")
    write(steps, root=world.root)

    assert steps[1].told.endswith(", with the text of its partials of then written out")
    assert world.read("b/v1.txt") == b"Hi. Safe, second."


def test_a_newest_version_that_no_baseline_names_keeps_the_edit_of_a_partial(world: World) -> None:
    world.write("shared/safety.txt", "Be safe.")
    for name in ("b/v1.txt", "b/v2.txt"):
        world.write(name, 'Hi. {% include "shared/safety.txt" %}')
    world.record("b/v1.txt")
    world.write("shared/safety.txt", "Be very safe.")

    assert [step.path.name for step in next_version(world.archive(), "b")] == ["v1.txt"]


def test_two_edited_versions_go_one_after_the_other(world: World) -> None:
    for name in ("b/v1.txt", "b/v2.txt"):
        world.write(name, f"Old {name}.")
        world.record(name)
    for name in ("b/v1.txt", "b/v2.txt"):
        world.write(name, f"New {name}.")

    assert world.told("b") == (
        "prompts/b: v1 and v2 were edited\n  Say which one comes first: promptgate new-version b --from v2"
    )
    write(next_version(world.archive(), "b", source="v2"), root=world.root)
    write(next_version(world.archive(), "b"), root=world.root)
    texts = [world.read(f"b/v{number}.txt").decode() for number in range(1, 5)]
    assert texts == ["Old b/v1.txt.", "Old b/v2.txt.", "New b/v2.txt.", "New b/v1.txt."]


def test_what_cannot_be_put_back_is_told_and_nothing_is_written(world: World) -> None:
    world.write("a/v1.prompty", V1.replace("kind", "rude"))

    assert world.told(keeps=False) == f"prompts/a/v1.prompty: what a@v1 {LOST}"
    assert sorted(path.name for path in (world.root / "prompts" / "a").iterdir()) == ["v1.prompty"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("v7", "prompts/a: no v7\n  Versions: v1."),
        ("1", "prompts/a: no 1\n  Did you mean 'v1'? Versions: v1."),
    ],
)
def test_a_source_that_is_not_there_is_told(world: World, source: str, message: str) -> None:
    assert world.told(source=source) == message


def test_a_version_that_is_gone_is_told_and_brought_back(world: World) -> None:
    world.write("a/v2.prompty", V1.replace("version: v1", "version: v2"))
    (world.root / "prompts/a/v1.prompty").unlink()

    with pytest.raises(PromptGateError) as caught:
        check_present(world.archive(), {"a@v1": "triage"})
    assert str(caught.value) == (
        "prompts/a: a@v1 is gone, and the baseline of triage was written from it: such a version stays\n"
        "  prompts/a/v2.prompty has its content: was it renamed?\n"
        "  Bring it back: promptgate new-version a --restore"
    )
    assert (
        world.told() == "prompts/a: a@v1 is gone\n  Bring back what is gone first: promptgate new-version a --restore"
    )
    steps = restored(world.archive(), "a")
    write(steps, root=world.root)
    assert names_of(steps) == [
        "v1.prompty: as the baseline keeps it: its description, owner, source and comments are not known"
    ]
    check_present(world.archive(), {"a@v1": "triage"})
    check_unedited(world.archive(), ["a"])


def test_a_deleted_text_file_comes_back_from_git_under_its_own_suffix(world: World) -> None:
    path = world.write("b/v1.txt", "Hi.")
    world.record("b/v1.txt")
    repository(world.root)
    path.unlink()

    write(restored(world.archive(keeps=False), "b"), root=world.root)

    assert path.read_bytes() == b"Hi."


def test_either_all_files_are_written_or_none(world: World) -> None:
    first = Step(path=world.root / "prompts/a/v2.prompty", data=V1.replace("v1", "v2").encode(), label="a@v2", told="")
    second = Step(path=world.root / "prompts/a/v1.prompty", data=b"no prompt", label="a@v1", told="")

    with pytest.raises(PromptGateError):
        write([first, second], root=world.root)

    assert world.read("a/v1.prompty") == V1.encode()
    assert sorted(path.name for path in (world.root / "prompts" / "a").iterdir()) == ["v1.prompty"]


def test_what_git_puts_back_has_the_line_ends_of_the_clone(world: World) -> None:
    repository(world.root)
    git(world.root, "config", "core.autocrlf", "true")
    world.write("a/v1.prompty", V1.replace("kind", "rude").replace("\n", "\r\n"))

    write(next_version(world.archive(keeps=False), "a"), root=world.root)

    assert world.read("a/v1.prompty") == V1.replace("\n", "\r\n").encode()


def test_words_about_a_version_are_no_edit_of_it(world: World) -> None:
    world.write(
        "a/v1.prompty", V1.replace("owner: ann", "owner: bob, source: https://docs.example.com").replace("  # ours", "")
    )

    check_unedited(world.archive(), ["a"])


def test_a_diff_is_bounded_and_has_no_control_characters(world: World) -> None:
    world.write("b/v1.txt", "x")
    world.record("b/v1.txt")
    world.write("b/v1.txt", "\u202egold" + "y" * 500 + "".join(f"\n{n}" for n in range(60)))

    with pytest.raises(PromptGateError) as caught:
        check_unedited(world.archive(), ["b"])

    lines = str(caught.value).split("\n")
    assert lines[0] == (
        "prompts/b/v1.txt: b@v1 was edited, and a baseline was written from it: such a version stays as it is"
    )
    assert lines[6] == f"  +\\u202egold{'y' * 148}…"
    assert lines[-2:] == [
        "  … and 26 more lines",
        "  Keep the edit as a new version, and take the old one back: promptgate new-version b",
    ]
    assert len(lines) == 43


def test_an_edit_whose_old_text_nobody_has_is_told_without_a_diff(world: World) -> None:
    world.write("a/v1.prompty", V1.replace("kind", "rude"))

    with pytest.raises(PromptGateError) as caught:
        check_unedited(world.archive(keeps=False), ["a"])

    assert str(caught.value) == (
        "prompts/a/v1.prompty: a@v1 was edited, and a baseline was written from it: such a version stays as it is\n"
        "  What it was is not known here: neither Git nor the baseline's outputs hold its text.\n"
        "  Keep the edit as a new version, and take the old one back: promptgate new-version a"
    )


@pytest.mark.parametrize("newest", ["v1", "v2"])
def test_a_partial_that_is_gone_is_written_out_in_what_was_recorded_with_it(world: World, newest: str) -> None:
    partial = world.write("shared/safety.txt", "Be safe.")
    world.write("b/v1.txt", 'Hi. {% include "shared/safety.txt" %}')
    world.record("b/v1.txt")
    partial.unlink()
    if newest == "v2":
        world.write("b/v2.txt", "Hi.")

    with pytest.raises(PromptGateError) as first:
        check_present(world.archive(), {"b@v1": "s"})
    with pytest.raises(PromptGateError) as second:
        check_unedited(world.archive(), ["b"])
    steps = next_version(world.archive(), "b")
    write(steps, root=world.root)

    assert {str(first.value), str(second.value)} == {
        "prompts/shared/safety.txt: this partial is gone, and baselines were written from versions that include it: "
        "b@v1\n"
        "  Bring it back, or write its old text out in these versions: promptgate new-version b"
    }
    assert [step.label for step in steps] == ["b@v1"]
    assert world.read("b/v1.txt") == b"Hi. Be safe."
    check_present(world.archive(), {"b@v1": "s"})


def test_an_unresolved_merge_is_no_new_version(world: World) -> None:
    ours = "<<<<<<< HEAD\nBe kind.\n=======\nBe rude.\n>>>>>>> other\n"
    world.write("a/v1.prompty", V1.replace("Be kind.\n", ours))

    assert world.told() == (
        "prompts/a/v1.prompty:6: a merge conflict is not resolved\n  Resolve it, and run the command again."
    )


def test_an_edit_by_hand_is_never_lost_to_an_edit_of_a_partial(world: World) -> None:
    world.write("shared/safety.txt", "Be safe.")
    for name in ("b/v1.txt", "b/v2.txt"):
        world.write(name, f'Old {name}. {{% include "shared/safety.txt" %}}')
        world.record(name)
    world.write("shared/safety.txt", "Be very safe.")
    world.write("b/v1.txt", 'New. {% include "shared/safety.txt" %}')

    write(next_version(world.archive(), "b"), root=world.root)

    texts = [world.read(f"b/v{number}.txt").decode() for number in (1, 2, 3)]
    new = 'New. {% include "shared/safety.txt" %}'
    assert texts == ["Old b/v1.txt. Be safe.", "Old b/v2.txt. Be safe.", new]


def test_a_version_that_was_edited_by_hand_stays_when_another_is_the_source(world: World) -> None:
    world.write("shared/safety.txt", "Be safe.")
    for name in ("b/v1.txt", "b/v2.txt"):
        world.write(name, f'Old {name}. {{% include "shared/safety.txt" %}}')
        world.record(name)
    world.write("shared/safety.txt", "Be very safe.")
    edited = world.write("b/v1.txt", 'New. {% include "shared/safety.txt" %}')

    write(next_version(world.archive(), "b", source="v2"), root=world.root)

    assert edited.read_text(encoding="utf-8") == 'New. {% include "shared/safety.txt" %}'
    assert world.read("b/v2.txt") == b"Old b/v2.txt. Be safe."
