"""The lockfile's text."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_baselines import made_baseline, made_case, made_contract

from pytest_promptgate.core.types import (
    Baseline,
    CaseRecord,
    Errored,
    Grade,
    MetricGate,
    ModelPin,
    Observation,
    Score,
    Skipped,
    Tolerance,
    Unscored,
)
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.lockfile_format import Lockfile, dumps, loads

FILE = "promptgate.lock.json"
RESTORE = (
    "\n  It is written by pytest --update-baseline and promptgate calibrate. "
    "Take back the committed one: git checkout -- promptgate.lock.json"
)


def lockfile_of(*baselines: Baseline) -> Lockfile:
    return Lockfile().updated(baselines)


def test_the_text_is_laid_out_for_git() -> None:
    assert dumps(lockfile_of(made_baseline())) == (
        "{\n"
        '  "lockfile_version": 1,\n'
        '  "prompts": {\n'
        '    "support-triage@v3": "d3"\n'
        "  },\n"
        '  "suites": {\n'
        '    "triage": {\n'
        '      "default": {\n'
        '        "cases": {\n'
        '          "t-001": {"request":"request-of-t-001","row":"r1","samples":'
        '[{"output":"4bf2b985a25a93ad75e66f63616d7ac8","scores":{"queue":1.0},"tokens":[12,3,null]}]},\n'
        '          "t-002": {"request":"request-of-t-002","row":"r1","samples":'
        '[{"output":"4bf2b985a25a93ad75e66f63616d7ac8","scores":{"queue":0.0},"tokens":[12,3,null]}]}\n'
        "        },\n"
        '        "gates": {\n'
        '          "accuracy": {"floor":null,"gated":true,"relative":true,"tolerance":0.05}\n'
        "        },\n"
        '        "metrics": {\n'
        '          "accuracy": {"expression":"mean(queue)","scored":2,"unscored":0,"value":0.5}\n'
        "        },\n"
        '        "model": {"name":"gpt-4o-2024-11-20","parameters":{"temperature":0},'
        '"provider":"openai","vouched":false},\n'
        '        "must_pass": [],\n'
        '        "path": "evals/triage.eval.yaml",\n'
        '        "prompt": "support-triage@v3",\n'
        '        "prompt_digest": "d3",\n'
        '        "rule": "strict",\n'
        '        "samples": 1,\n'
        '        "scorers": {\n'
        '          "queue": "fingerprint-of-queue"\n'
        "        }\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n"
    )


def test_an_empty_lockfile_reads_back() -> None:
    text = dumps(Lockfile())

    assert text == '{\n  "lockfile_version": 1,\n  "prompts": {},\n  "suites": {}\n}\n'
    assert loads(text, file=FILE) == Lockfile()


def test_whatever_the_order_the_bytes_are_the_same() -> None:
    cases = [made_case(f"t-{n:03}", {"queue": Score(value=n / 7), "tone": Score(value=0.1 * n)}) for n in range(50)]
    baselines = [
        made_baseline(cases, suite=suite, slot=slot, scorers={"queue": "f", "tone": "g"})
        for suite in ("a", "b")
        for slot in ("large", "small")
    ]
    expected = dumps(lockfile_of(*baselines))
    chance = random.Random(7)

    for _ in range(5):
        chance.shuffle(baselines)
        shuffled = [_shuffled(each, chance) for each in baselines]
        assert dumps(lockfile_of(*shuffled)) == expected


def _shuffled(baseline: Baseline, chance: random.Random) -> Baseline:
    cases = list(baseline.cases.values())
    chance.shuffle(cases)
    turned = [replace(case, observations=tuple(map(_turned, case.observations))) for case in cases]
    return replace(
        baseline,
        cases={each.id: each for each in turned},
        scorers=dict(reversed(list(baseline.scorers.items()))),
    )


def _turned(observation: Observation) -> Observation:
    return replace(observation, grades=dict(reversed(list(observation.grades.items()))))


def test_equal_scores_have_one_spelling() -> None:
    whole = made_baseline([made_case("t", {"queue": Score(value=1)}), made_case("u", {"queue": Score(value=-0.0)})])
    real = made_baseline([made_case("t", {"queue": Score(value=1.0)}), made_case("u", {"queue": Score(value=0.0)})])

    assert dumps(lockfile_of(whole)) == dumps(lockfile_of(real))


def test_a_change_of_one_case_is_a_change_of_one_line() -> None:
    cases = [made_case(f"t-{n:03}", {"queue": Score(value=1.0)}) for n in range(100)]
    before = dumps(lockfile_of(made_baseline(cases))).splitlines()
    cases[50] = replace(cases[50], request="another")
    after = dumps(lockfile_of(made_baseline(cases))).splitlines()

    assert [(old[:17], new[:17]) for old, new in zip(before, after, strict=True) if old != new] == [
        ('          "t-050"', '          "t-050"')
    ]


def test_a_changed_score_changes_its_line_and_its_metric() -> None:
    cases = [made_case(f"t-{n:03}", {"queue": Score(value=1.0)}) for n in range(100)]
    before = dumps(lockfile_of(made_baseline(cases))).splitlines()
    cases[50] = made_case("t-050", {"queue": Score(value=0.0)})
    after = dumps(lockfile_of(made_baseline(cases))).splitlines()

    assert sum(old != new for old, new in zip(before, after, strict=True)) == 2


def test_reasons_money_and_ungated_latency_stay_out() -> None:
    case = made_case("t", {"queue": Score(value=0.5, reason="secret words", labels=("a", "b"))})
    timed = replace(case, observations=(replace(case.observations[0], cost_usd=0.25, latency_s=1.5),))
    contract = made_contract(
        metrics={"accuracy": "mean(queue)", "cost": "total(cost_usd)", "latency": "p95(latency_s)"},
        gates={"cost": MetricGate(), "latency": MetricGate(gated=False)},
    )
    text = dumps(lockfile_of(made_baseline([timed], contract=contract)))

    assert '{"queue":0.5}' in text
    assert '"cost": {"expression":"total(cost_usd)"},\n' in text
    assert '"latency": {"expression":"p95(latency_s)"}\n' in text
    assert "secret words" not in text
    assert "1.5" not in text


def test_a_gated_latency_is_kept() -> None:
    case = made_case("t", {"queue": Score(value=0.5)})
    timed = replace(case, observations=(replace(case.observations[0], latency_s=1.5),))
    contract = made_contract(metrics={"latency": "p95(latency_s)"}, gates={"latency": MetricGate()})
    text = dumps(lockfile_of(made_baseline([timed], contract=contract)))

    assert '"latency_s":1.5' in text
    assert '"latency": {"expression":"p95(latency_s)","scored":1,"unscored":0,"value":1.5}\n' in text
    assert dumps(loads(text, file=FILE)) == text


def test_labels_are_kept_where_a_metric_reads_them() -> None:
    grades = {"queue": Score(value=0.0, labels=("a", "b")), "other": Score(value=1.0, labels=("c", "c"))}
    contract = made_contract(metrics={"f1": "f1(queue)", "other": "mean(other)"})
    baseline = made_baseline([made_case("t", grades)], contract=contract, scorers={"queue": "f", "other": "g"})
    text = dumps(lockfile_of(baseline))

    assert '"scores":{"other":1.0,"queue":[0.0,"a","b"]}' in text
    assert loads(text, file=FILE).baselines["triage", "default"].cases["t"].observations[0].grades == {
        "queue": Score(value=0.0, labels=("a", "b")),
        "other": Score(value=1.0),
    }


def test_characters_that_a_terminal_would_obey_are_escaped_and_read_back() -> None:
    reason = "\x1b[2J \x9b \u202e \u2028 \ud800 é 漢 \U0001f600"
    text = dumps(
        lockfile_of(
            made_baseline(
                [made_case("t", {"queue": Unscored(reason=reason)}), made_case("u", {"queue": Score(value=1)})]
            )
        )
    )

    assert '"\\u001b[2J \\u009b \\u202e \\u2028 \\ud800 é 漢 \U0001f600"' in text
    grade = loads(text, file=FILE).baselines["triage", "default"].cases["t"].observations[0].grades["queue"]
    assert grade == Unscored(reason=reason)


@pytest.mark.parametrize("grade", [Errored(message="down"), Skipped(reason="early stop")])
def test_a_sample_without_an_answer_is_never_written(grade: Grade) -> None:
    with pytest.raises(ValueError, match="only answered and scored samples can stand in a baseline"):
        dumps(lockfile_of(made_baseline([made_case("t", {"queue": grade})])))


def test_a_missing_sample_is_never_written() -> None:
    case = made_case("t", {"queue": Score(value=1.0)}, {"queue": Score(value=1.0)})
    torn = replace(case, observations=case.observations[1:])

    with pytest.raises(ValueError, match="t: samples are missing"):
        dumps(lockfile_of(made_baseline([torn])))


names = st.text(min_size=1, max_size=8).filter(lambda name: all(not "\ud800" <= char <= "\udfff" for char in name))
scores = st.builds(Score, value=st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0))
tokens = st.none() | st.integers(0, 10**9)
observations = st.fixed_dictionaries(
    {
        "grades": st.fixed_dictionaries({"queue": scores | st.builds(Unscored, reason=names)}),
        "tokens_in": tokens,
        "tokens_out": tokens,
        "tokens_cached": tokens,
        "output": names,
    }
)
facts = st.tuples(names, names, st.lists(observations, min_size=1, max_size=3))
pins = st.builds(
    ModelPin,
    provider=names,
    name=names,
    parameters=st.dictionaries(names, st.none() | st.booleans() | st.integers() | names, max_size=3),
    vouched=st.booleans(),
)
gates = st.builds(
    MetricGate,
    gated=st.booleans(),
    tolerance=st.builds(Tolerance, amount=st.floats(0, 1), relative=st.booleans()),
    floor=st.none() | st.floats(-1, 1),
)


def _record(case: str, row: str, request: str, seen: list[dict[str, Any]]) -> CaseRecord:
    numbered = (Observation(case=case, sample=number, **each) for number, each in enumerate(seen, 1))
    return CaseRecord(id=case, row=row, request=request, observations=tuple(numbered))


@given(
    cases=st.dictionaries(names, facts, min_size=1, max_size=4),
    pin=pins,
    gate=gates,
    must_pass=st.lists(names, max_size=3).map(lambda ids: tuple(sorted(ids))),
    suite=names,
    slot=names,
)
def test_every_baseline_reads_back_equal(
    cases: dict[str, tuple[str, str, list[dict[str, Any]]]],
    pin: ModelPin,
    gate: MetricGate,
    must_pass: tuple[str, ...],
    suite: str,
    slot: str,
) -> None:
    baseline = made_baseline(
        [_record(case, *fact) for case, fact in cases.items()],
        suite=suite,
        slot=slot,
        pin=pin,
        contract=made_contract(gates={"accuracy": gate}, must_pass=must_pass),
    )
    lockfile = lockfile_of(baseline)

    assert loads(dumps(lockfile), file=FILE) == lockfile


def test_an_update_leaves_every_other_baseline_and_every_prompt_recorded() -> None:
    old = lockfile_of(made_baseline(), made_baseline(suite="other"))
    new = old.updated([made_baseline(prompt="support-triage@v4", prompt_digest="d4")])

    assert new.baselines["other", "default"] is old.baselines["other", "default"]
    assert new.baselines["triage", "default"].prompt == "support-triage@v4"
    assert new.prompts == {"support-triage@v3": "d3", "support-triage@v4": "d4"}


# --- errors ----------------------------------------------------------------------------------------------------------


def told(text: str) -> str:
    with pytest.raises(LockfileError) as caught:
        loads(text, file=FILE)
    return str(caught.value)


def test_a_newer_version_is_refused() -> None:
    assert told('{"lockfile_version": 2, "anchors": {}}') == (
        "promptgate.lock.json: it was written by a newer pytest-promptgate (lockfile version 2, this one reads 1)\n"
        "  Upgrade: pip install --upgrade pytest-promptgate"
    )


def test_a_conflict_of_git_is_told_with_its_line() -> None:
    lines = dumps(lockfile_of(made_baseline())).splitlines(keepends=True)
    text = "".join([*lines[:9], "<<<<<<< HEAD\n", lines[9], "=======\n", lines[9], ">>>>>>> main\n", *lines[10:]])

    assert told(text) == (
        "promptgate.lock.json:10: a Git conflict was not resolved\n"
        "  Take one side whole: git checkout --theirs promptgate.lock.json\n"
        "  Then run: pytest --update-baseline"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", ":1:1: no valid JSON: Expecting value"),
        ('{\n  "lockfile_version": 1\n  "prompts": {}}', ":3:3: no valid JSON: Expecting ',' delimiter"),
        ('{"lockfile_version": NaN}', ": no valid JSON: NaN is no JSON number"),
        ('{\n"lockfile_version": 1,\n"lockfile_version": 1}', ":3: 'lockfile_version' stands twice"),
        ("[]", ": expected a mapping, found []"),
        ("{}", ": 'lockfile_version' is missing"),
        ('{"lockfile_version": "1"}', ': lockfile_version: expected a whole number from 0, found "1"'),
        ('{"lockfile_version": 0}', ": lockfile_version: expected 1, found 0"),
        ('{"lockfile_version": 1, "suites": {}}', ": 'prompts' is missing"),
        ('{"lockfile_version": 1, "prompts": {}, "suites": []}', ": suites: expected a mapping, found []"),
        (
            '{"lockfile_version": 1, "prompts": {}, "suites": {}, "dates": 1}',
            ": dates: this version of pytest-promptgate knows no such key",
        ),
    ],
)
def test_what_is_no_lockfile_is_told_with_its_place(text: str, what: str) -> None:
    assert told(text) == FILE + what + RESTORE


def test_json_that_is_nested_without_end_is_an_error() -> None:
    assert told("[" * 200_000).startswith("promptgate.lock.json: no valid JSON: ")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (
            '"queue":1.0',
            '"queue":null',
            (
                ":10: suites.triage.default.cases.t-001.samples[0].scores.queue: expected a number, "
                '[number, answered, expected], {"unextracted": …} or {"unscored": reason}, found null'
            ),
        ),
        (
            '"queue":1.0',
            '"queue":[1.0, "a"]',
            (
                ":10: suites.triage.default.cases.t-001.samples[0].scores.queue: expected a number, "
                '[number, answered, expected], {"unextracted": …} or {"unscored": reason}, found [1.0, "a"]'
            ),
        ),
        (
            '"queue":1.0',
            '"queue":1e999',
            ":10: suites.triage.default.cases.t-001.samples[0].scores.queue: expected a number, found Infinity",
        ),
        (
            '"queue":1.0},"tokens":[12,3,null]',
            '"queue":1.0},"tokens":[12]',
            (
                ":10: suites.triage.default.cases.t-001.samples[0].tokens: "
                "expected [in, out, cached], each a whole number or null, found [12]"
            ),
        ),
        (
            '"queue":1.0},"tokens":[12,3,null]',
            '"queue":1.0},"tokens":[12,-3,null]',
            ":10: suites.triage.default.cases.t-001.samples[0].tokens[1]: expected a whole number from 0, found -3",
        ),
        (
            '"row":"r1","samples":[{"output":"4bf2b985a25a93ad75e66f63616d7ac8","scores":{"queue":0.0},"tokens":[12,3,null]}]',
            '"row":"r1","samples":[]',
            ":11: suites.triage.default.cases.t-002.samples: expected at least one sample",
        ),
        ('"rule": "strict"', '"rule": 7', ":24: suites.triage.default.rule: expected text, found 7"),
        (
            '"gated":true',
            '"gated":1',
            ":14: suites.triage.default.gates.accuracy.gated: expected true or false, found 1",
        ),
        ('"provider":"openai",', "", ":19: suites.triage.default.model: 'provider' is missing"),
        ("mean(queue)", "mean", ":17: suites.triage.default.metrics.accuracy.expression: 'mean' is no metric"),
        (
            '"must_pass": []',
            '"must_pass": "t-001"',
            ':20: suites.triage.default.must_pass: expected a list, found "t-001"',
        ),
        (
            '"samples": 1',
            '"sample": 1',
            ":25: suites.triage.default.sample: this version of pytest-promptgate knows no such key",
        ),
    ],
)
def test_a_wrong_shape_is_told_with_line_and_path(old: str, new: str, what: str) -> None:
    text = dumps(lockfile_of(made_baseline())).replace(old, new, 1)

    assert told(text) == FILE + what + RESTORE


def test_a_case_that_stands_twice_after_a_merge_is_an_error() -> None:
    lines = dumps(lockfile_of(made_baseline())).splitlines(keepends=True)
    text = "".join([*lines[:10], *lines[9:]])

    assert told(text) == f"promptgate.lock.json:11: 't-001' stands twice{RESTORE}"


def test_metrics_that_their_cases_contradict_are_doubted() -> None:
    text = dumps(lockfile_of(made_baseline())).replace('"value":0.5', '"value":0.25')
    lockfile = loads(text, file=FILE)

    assert {key: str(doubt) for key, doubt in lockfile.doubts.items()} == {
        ("triage", "default"): (
            "promptgate.lock.json:17: triage: accuracy: its cases give 0.5 (n=2), but 0.25 (n=2) is recorded: "
            "merged by hand or by Git\n"
            "  Run: pytest --update-baseline evals/triage.eval.yaml"
        )
    }
    assert not lockfile.updated([made_baseline()]).doubts


def test_a_case_deleted_by_hand_is_doubted() -> None:
    lines = dumps(lockfile_of(made_baseline(slot="small"))).splitlines(keepends=True)
    doubts = loads("".join([*lines[:9], *lines[10:]]), file=FILE).doubts

    assert str(doubts["triage", "small"]).splitlines()[0] == (
        "promptgate.lock.json:16: triage (small): accuracy: its cases give 0.0 (n=1), but 0.5 (n=2) is recorded: "
        "merged by hand or by Git"
    )


def test_a_metric_whose_aggregate_nobody_offers_any_more_is_not_doubted() -> None:
    baseline = made_baseline(contract=made_contract(metrics={"spread": "spread(queue)"}))
    text = dumps(lockfile_of(baseline), aggregates={"spread": lambda values: max(values) - min(values)})

    assert '"spread": {"expression":"spread(queue)","scored":2,"unscored":0,"value":1.0}' in text
    assert not loads(text, file=FILE).doubts
    assert loads(text, file=FILE, aggregates={"spread": len}).doubts


def test_the_text_is_plain_json_with_the_version_first() -> None:
    value = json.loads(dumps(lockfile_of(made_baseline())))

    assert next(iter(value)) == "lockfile_version"
    assert list(value["suites"]["triage"]["default"]) == sorted(value["suites"]["triage"]["default"])
