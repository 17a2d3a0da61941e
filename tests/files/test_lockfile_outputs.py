"""The outputs behind a baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_baselines import made_baseline, made_case, made_recipe

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.types import Baseline, CaseRecord, Completion, Observation, Score, ToolCall
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.outputs import OutputsFile, joined, outputs_name, read_outputs, write_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HINT = "\n  Delete it and run: pytest --update-baseline"


def answered(answers: Mapping[tuple[str, int], Completion], *, slot: str = "default") -> Baseline:
    """A baseline with these outputs; samples of a case count from 1."""
    records: dict[str, list[Observation]] = {}
    for (case, sample), completion in sorted(answers.items()):
        seen = Observation(
            case=case, sample=sample, grades={"queue": Score(value=1.0)}, output=output_digest(completion)
        )
        records.setdefault(case, []).append(seen)
    cases = [CaseRecord(id=case, row="r", request="q", observations=tuple(seen)) for case, seen in records.items()]
    return replace(made_baseline(cases, slot=slot), outputs=dict(answers), recipe=made_recipe())


def read_back(directory: Path, baseline: Baseline) -> Baseline:
    bare = replace(baseline, outputs={}, recipe=None, messages=())
    return joined(bare, read_outputs(directory, baseline.suite))


def test_the_file_holds_slots_first_and_then_sorted_answers(tmp_path: Path) -> None:
    call = ToolCall(name="find", arguments='{"q": 1}')
    answers = {
        ("b", 1): Completion(text="x"),
        ("a", 2): Completion(text="y"),
        ("a", 1): Completion(text="", tool_calls=(call,)),
    }
    path = write_outputs(tmp_path / "outputs", "triage", [answered(answers, slot="small"), answered(answers)])

    assert path is not None
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        '{"constants":{},"inputs":{"message":"text"},'
        '"model":{"name":"gpt-4o-2024-11-20","parameters":{"temperature":0},"provider":"openai","vouched":false},'
        '"prompt":{"digest":"d3","inputs":[{"default":null,"kind":"string","name":"message","required":true},'
        '{"default":"Ann","kind":"string","name":"who","required":false}],'
        '"messages":[{"content":"You are {{ who }}.","role":"system"},{"content":"{{ message }}","role":"user"}],'
        '"name":"support-triage","parameters":{"max_output_tokens":16},"response_format":{"type":"json_object"},'
        '"tools":[{"function":{"name":"find"},"type":"function"}],"version":"v3"},"slot":"default"}'
    )
    assert [(each["slot"], each.get("case"), each.get("sample")) for each in map(json.loads, lines)] == [
        ("default", None, None),
        ("small", None, None),
        *[(slot, case, sample) for slot in ("default", "small") for case, sample in (("a", 1), ("a", 2), ("b", 1))],
    ]
    assert lines[2].endswith('"sample":1,"slot":"default","text":"","tool_calls":[["find","{\\"q\\": 1}"]]}')


texts = st.text(max_size=20)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
completions = st.builds(
    Completion,
    text=texts,
    tool_calls=st.lists(st.builds(ToolCall, name=texts, arguments=texts), max_size=2).map(tuple),
)


@given(answers=st.dictionaries(keys, completions, max_size=4), slot=keys)
def test_every_answer_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[str, Completion], slot: str
) -> None:
    directory = tmp_path_factory.mktemp("outputs")
    baseline = answered({(case, 1): completion for case, completion in answers.items()}, slot=slot)
    write_outputs(directory, "triage", [baseline])
    back = read_back(directory, baseline)

    assert dict(back.outputs) == baseline.outputs
    assert back.recipe == baseline.recipe


def test_lone_surrogates_and_line_separators_survive(tmp_path: Path) -> None:
    baseline = answered({("a", 1): Completion(text="\ud800 \u2028 \x85 \x1b[2J")})
    path = write_outputs(tmp_path, "triage", [baseline])

    assert path is not None
    assert path.read_text(encoding="utf-8").isprintable() is False  # the line feeds
    assert all(line.isprintable() for line in path.read_text(encoding="utf-8").split("\n"))
    assert dict(read_back(tmp_path, baseline).outputs) == baseline.outputs


def test_an_edited_answer_counts_as_absent(tmp_path: Path) -> None:
    baseline = answered({("a", 1): Completion(text="billing"), ("b", 1): Completion(text="orders")})
    path = write_outputs(tmp_path, "triage", [baseline])
    assert path is not None
    path.write_text(path.read_text(encoding="utf-8").replace("billing", "refunds"), encoding="utf-8")
    outputs = read_back(tmp_path, baseline).outputs

    assert ("a", 1) not in outputs
    assert list(outputs) == [("b", 1)]
    assert len(outputs) == 1
    assert outputs.get(("c", 1)) is None
    assert outputs.get(("b", 0)) is None


@pytest.mark.parametrize(
    "torn",
    [
        '{"case":"a","digest":"d","sample":1,"slot":"default","text":"bill',
        '{"case":"a","digest":"d","sample":1,"slot":"default","text":7}',
        '{"case":"a","digest":"d","sample":1,"slot":"default","text":"billing","tool_calls":[["x"]]}',
        '{"case": "a", "sample": 1, "slot": "default", "text": "billing"}',
        "nonsense",
    ],
)
def test_a_line_that_cannot_be_read_counts_as_absent(torn: str) -> None:
    baseline = answered({("a", 1): Completion(text="billing")})

    assert dict(joined(baseline, OutputsFile(torn)).outputs) == {}


@pytest.mark.parametrize("line", ['{"constants":', '{"constants":{}}', '{"constants":{},"slot":"default"}'])
def test_a_slot_that_cannot_be_read_leaves_no_recipe(line: str) -> None:
    bare = made_baseline()

    assert joined(bare, OutputsFile(line)).recipe is None


def test_templates_of_another_prompt_are_not_the_baselines(tmp_path: Path) -> None:
    baseline = answered({("a", 1): Completion(text="billing")})
    write_outputs(tmp_path, "triage", [baseline])
    back = read_back(tmp_path, replace(baseline, prompt_digest="d4"))

    assert back.recipe is None
    assert back.messages == ()
    assert len(back.outputs) == 1


def test_without_outputs_only_the_recipe_is_kept(tmp_path: Path) -> None:
    baseline = replace(answered({("a", 1): Completion(text="secret")}), outputs={})
    path = write_outputs(tmp_path, "triage", [baseline])

    assert path is not None
    assert "secret" not in path.read_text(encoding="utf-8")
    assert read_back(tmp_path, baseline).recipe == baseline.recipe


def test_nothing_to_keep_makes_no_file(tmp_path: Path) -> None:
    assert (
        write_outputs(tmp_path / "outputs", "triage", [made_baseline([made_case("a", {"q": Score(value=1)})])]) is None
    )
    assert not (tmp_path / "outputs").exists()


def test_a_conflict_of_git_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "triage.jsonl").write_text("{}\n<<<<<<< HEAD\n{}\n=======\n>>>>>>> main\n", encoding="utf-8")

    with pytest.raises(LockfileError) as caught:
        read_outputs(tmp_path, "triage", root=tmp_path)
    assert str(caught.value) == (
        "triage.jsonl:2: a Git conflict was not resolved\n"
        "  Take one side whole: git checkout --theirs triage.jsonl\n"
        "  Then run: pytest --update-baseline"
    )


def test_another_encoding_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "triage.jsonl").write_bytes(b'{}\n{"text":"caf\xe9"}\n')

    with pytest.raises(LockfileError) as caught:
        read_outputs(tmp_path, "triage")
    assert str(caught.value) == f"triage.jsonl:2: the file is not UTF-8{HINT}"


def test_a_directory_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "triage.jsonl").mkdir()

    with pytest.raises(LockfileError) as caught:
        read_outputs(tmp_path, "triage")
    assert str(caught.value) == f"triage.jsonl: it cannot be read: Is a directory{HINT}"


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("", encoding="utf-8")

    with pytest.raises(LockfileError) as caught:
        write_outputs(tmp_path / "outputs", "triage", [answered({})])
    assert str(caught.value) == (
        "outputs: it is no directory and cannot be made: File exists\n"
        "  Outputs of baselines stand there. Put away what is in its place, or make its parent writable."
    )


@pytest.mark.parametrize(
    ("suite", "name"),
    [
        ("support-triage", "support-triage.jsonl"),
        ("v1.2_x", "v1.2_x.jsonl"),
        ("../../etc/passwd", "etc-passwd-3754d6cb.jsonl"),
        ("Support Triage", "support-triage-7f82a46f.jsonl"),
        ("support triage", "support-triage-e814f044.jsonl"),
        ("con", "con-1143da2b.jsonl"),
        (".hidden", "hidden-16924190.jsonl"),
        ("日本", "suite-cf2abf0c.jsonl"),
    ],
)
def test_any_suite_has_a_file_name_that_every_system_can_hold(suite: str, name: str) -> None:
    assert outputs_name(suite) == name


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    one, other = outputs_name("x" * 300 + "a"), outputs_name("x" * 300 + "b")

    assert one != other
    assert len(one) < 100
