"""Acceptances, anchors and removals in the lockfile's text: there when they are needed, and only then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_baselines import made_baseline, made_case, made_contract, made_recipe

from pytest_promptgate.core.acceptance import baseline_digest
from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.types import (
    Acceptance,
    AcceptanceKind,
    Baseline,
    Completion,
    Direction,
    Drift,
    GatePolicy,
    Score,
)
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.lockfile import read_baseline, read_lockfile, save_baselines
from pytest_promptgate.files.lockfile_format import Lockfile, Removal, dumps, loads

FILE = "promptgate.lock.json"
KEY = ("triage", "default")
ACCEPTED = Acceptance(
    kind=AcceptanceKind.REGRESSION, metric="accuracy", before="b" * 32, after="c" * 32, reason="a – harder queue"
)
OTHER = Acceptance(kind=AcceptanceKind.DATASET, metric="*", before="d" * 32, after="c" * 32, reason="doubles")


def written(baseline: Baseline, **more: object) -> str:
    return dumps(replace(Lockfile(baselines={KEY: baseline}), **more))  # type: ignore[arg-type]


def read(text: str) -> Baseline:
    return loads(text, file=FILE).baselines[KEY]


def older(**changes: object) -> Baseline:
    """A baseline with an anchor of other scores."""
    first = made_baseline(
        [made_case("t-001", {"queue": Score(value=1.0)}), made_case("t-002", {"queue": Score(value=1.0)})]
    )
    anchor = replace(anchor_of(first), **changes)  # type: ignore[arg-type]
    return made_baseline(prompt="support-triage@v4", prompt_digest="d4", anchor=anchor)


def test_without_them_not_a_byte_is_written() -> None:
    text = written(made_baseline())

    assert {"accepted", "anchor", "removed"}.isdisjoint(text.split('"'))


def test_an_acceptance_is_one_line() -> None:
    text = written(made_baseline(accepted=(ACCEPTED, OTHER)))

    assert (
        '        "accepted": [\n'
        f'          {{"from":"{"b" * 32}","kind":"regression","metric":"accuracy","reason":"a – harder queue",'
        f'"to":"{"c" * 32}"}},\n'
        f'          {{"from":"{"d" * 32}","kind":"dataset","metric":"*","reason":"doubles","to":"{"c" * 32}"}}\n'
        "        ],\n"
        '        "cases": {'
    ) in text
    assert read(text).accepted == (ACCEPTED, OTHER)
    assert written(read(text)) == text


def test_an_anchor_has_its_own_cases_one_a_line() -> None:
    text = written(older(drift={"accuracy": Drift(change=-0.05, variance=0.001)}))

    lines = text.splitlines()
    start = lines.index('        "anchor": {')
    assert lines[start + 1] == '          "cases": {'
    assert lines[start + 2].startswith('            "t-001": {"request":"request-of-t-001","row":"r1","samples":[')
    assert lines[start + 5 : start + 8] == [
        '          "drift": {',
        '            "accuracy": {"change":-0.05,"variance":0.001}',
        "          },",
    ]
    assert written(read(text)) == text
    assert json.loads(text)["suites"]["triage"]["default"]["anchor"]["prompt"] == "support-triage@v3"


def test_an_anchor_reads_back_as_it_was() -> None:
    baseline = older(drift={"accuracy": Drift(change=-0.05, variance=0.001)}, reason="improved: accuracy")

    assert read(written(baseline)).anchor == baseline.anchor


def test_an_anchor_laid_at_the_baseline_shares_its_cases() -> None:
    baseline = made_baseline()
    laid = replace(baseline, anchor=replace(anchor_of(baseline), drift={"accuracy": Drift(change=-0.1, variance=0.0)}))

    text = written(laid)

    assert "cases" not in json.loads(text)["suites"]["triage"]["default"]["anchor"]
    anchor = read(text).anchor
    assert anchor is not None
    assert anchor.cases == baseline.cases
    assert written(read(text)) == text


def test_a_removal_stands_beside_the_suites_until_the_suite_is_back() -> None:
    baseline = made_baseline()
    lockfile = Lockfile(baselines={KEY: baseline})
    removal = Removal(before=baseline_digest(baseline), reason="nobody asks that any more")

    gone = lockfile.updated([], {KEY: removal})

    text = dumps(gone)
    assert json.loads(text)["suites"] == {}
    assert f'"default": {{"from":"{removal.before}","reason":"nobody asks that any more"}}' in text
    assert loads(text, file=FILE) == gone
    assert gone.updated([baseline]).removed == {}


def test_unusual_promises_are_kept_and_usual_ones_are_not() -> None:
    contract = made_contract(
        must_pass=("t-001", "t-002"),
        must_reach={"t-001": {"queue": 0.5}},
        directions={"accuracy": Direction.LOWER},
        policy=GatePolicy(alpha=0.01, max_drop=None, early_stop="e", first_round=True),
        slices={"language=de": ("t-001",)},
    )

    text = written(made_baseline(contract=contract))

    entry = json.loads(text)["suites"]["triage"]["default"]
    assert entry["must_reach"] == {"t-001": {"queue": 0.5}}
    assert entry["directions"] == {"accuracy": "lower"}
    assert entry["policy"] == {"alpha": 0.01, "max_drop": None, "early_stop": "e", "first_round": True}
    assert entry["slices"] == {"language=de": ["t-001"]}
    assert read(text).contract == contract
    assert written(read(text)) == text
    assert {"must_reach", "directions", "policy", "slices"}.isdisjoint(written(made_baseline()).split('"'))


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("accepted", "x", 'suites.triage.default.accepted: expected a list, found "x"'),
        ("accepted", [{}], "suites.triage.default.accepted[0]: 'kind' is missing"),
        (
            "accepted",
            [{"kind": "luck"}],
            'suites.triage.default.accepted[0].kind: expected regression or dataset, found "luck"',
        ),
        (
            "directions",
            {"accuracy": "up"},
            'suites.triage.default.directions.accuracy: expected higher or lower, found "up"',
        ),
        ("slices", {"de": 1}, "suites.triage.default.slices.de: expected a list, found 1"),
        (
            "must_reach",
            {"t-001": {"queue": "x"}},
            'suites.triage.default.must_reach.t-001.queue: expected a number, found "x"',
        ),
        (
            "policy",
            {"beta": 1},
            "suites.triage.default.policy.beta: this version of pytest-promptgate knows no such key",
        ),
        ("anchor", {}, "suites.triage.default.anchor: 'prompt' is missing"),
        (
            "anchor",
            {"date": "2025"},
            "suites.triage.default.anchor.date: this version of pytest-promptgate knows no such key",
        ),
    ],
)
def test_a_broken_one_is_told_with_its_place(place: str, value: object, told: str) -> None:
    tree = json.loads(written(made_baseline()))
    tree["suites"]["triage"]["default"][place] = value

    with pytest.raises(LockfileError) as caught:
        loads(json.dumps(tree, indent=2), file=FILE)

    assert str(caught.value).split(": ", 1)[1] == (
        f"{told}\n"
        "  It is written by pytest --update-baseline and promptgate calibrate. Take back the committed one: "
        "git checkout -- promptgate.lock.json"
    )


def test_the_anchors_recipe_is_kept_so_that_it_can_be_asked_again(tmp_path: Path) -> None:
    path = tmp_path / FILE
    baseline = older(recipe=made_recipe())
    baseline = replace(baseline, recipe=made_recipe(label="support-triage@v4", digest="d4"))

    save_baselines(path, [baseline], root=tmp_path)

    found = read_baseline(path, read_lockfile(path), *KEY)
    assert found is not None
    assert found.anchor is not None
    assert found.anchor.recipe == made_recipe()
    assert found.recipe == baseline.recipe
    before = (tmp_path / "promptgate.baselines/triage.jsonl").read_bytes()
    assert save_baselines(path, [found], root=tmp_path) == ()
    assert (tmp_path / "promptgate.baselines/triage.jsonl").read_bytes() == before


def test_an_anchor_of_the_baselines_own_prompt_needs_no_second_recipe(tmp_path: Path) -> None:
    path = tmp_path / FILE
    baseline = replace(
        older(recipe=made_recipe()), prompt="support-triage@v3", prompt_digest="d3", recipe=made_recipe()
    )

    save_baselines(path, [baseline])

    assert (tmp_path / "promptgate.baselines/triage.jsonl").read_text(encoding="utf-8").count("\n") == 1
    found = read_baseline(path, read_lockfile(path), *KEY)
    assert found is not None
    assert found.anchor is not None
    assert found.anchor.recipe == made_recipe()


def test_the_outputs_of_a_removed_suite_go_with_it(tmp_path: Path) -> None:
    path = tmp_path / FILE
    outputs = {("t-001", 1): Completion(text="billing", tokens_in=12, tokens_out=3)}
    baseline = made_baseline(outputs=outputs, contract=made_contract())
    save_baselines(path, [baseline], root=tmp_path)
    stored = tmp_path / "promptgate.baselines/triage.jsonl"
    assert stored.exists()

    changed = save_baselines(path, [], removals={KEY: Removal(before="b", reason="over")}, root=tmp_path)

    assert changed == (stored, path)
    assert not stored.exists()
