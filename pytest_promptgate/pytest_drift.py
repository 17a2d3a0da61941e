"""``--prompt-judge-drift``: every calibrated judge is asked anew about its golden set (see `core.drift`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.calibration import Golden, calibration_of
from pytest_promptgate.core.drift import drift_of
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.trust import rubric_of, rubrics_of
from pytest_promptgate.core.types import Errored, Score, Skipped, Unscored
from pytest_promptgate.core.votes import estimate_of, together, votes_of
from pytest_promptgate.errors import DatasetError, Place, PromptGateError
from pytest_promptgate.files.label_file import read_labels
from pytest_promptgate.pytest_labelled import answers_of
from pytest_promptgate.pytest_stored import endpoint_of, stored_replies
from pytest_promptgate.workflows.calibrating import golden_digest, judged, served_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.rubrics import Rubric
    from pytest_promptgate.core.types import BoundScorer, Completion, Grade, Trial
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.calibrating import Asked

# Stored verdicts are found by their requests: without another request, a new calibration would read those of before.
_WAY_OUT = (
    "To go on with the judge as it is now, change its rubric (another seed under its model's parameters will do), "
    "so that no verdict of before counts, and run"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSet:
    """One judge with the labelled answers of its calibration, ready to be asked."""

    run: Run
    rubric: Rubric
    golden: Golden
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is told of one judge."""

    text: str
    doubt: str = ""  # continues "its judge …": why nobody should go by it; such a run is red


def unchecked(why: str) -> Finding:
    """A judge that was to be checked, and was not."""
    return Finding(text=f"not checked: {why}", doubt="was not checked for drift")


UNASKED = unchecked("the run ended early")  # until `DriftCheck.ask` knows better


class DriftCheck:
    """The check of one pytest run.

    Args:
        evals: Of the run.
    """

    def __init__(self, evals: EvalSession) -> None:
        self._evals = evals
        self._sets: list[GoldenSet] = []
        self.findings: dict[str, Finding] = {}  # by the rubric's path

    @property
    def red(self) -> bool:
        """Whether a judge has drifted, or could not be checked."""
        return any(each.doubt for each in self.findings.values())

    @property
    def lines(self) -> tuple[str, ...]:
        """What the summary says."""
        if not self.findings:
            return ("judge drift: no judge with a rubric was selected, nothing was checked",)
        return tuple(f"judge drift: {path}: {each.text}" for path, each in self.findings.items())

    def prepare(self) -> list[Estimate]:
        """Find every golden set, before the first call; what asking about them takes."""
        for path, (run, bound) in self._judges().items():
            rubric = rubric_of(bound)
            assert rubric is not None
            found = self._golden(rubric)
            if isinstance(found, str):
                command = f"promptgate calibrate {path} --labels LABELS.csv"
                self.findings[path] = Finding(text=f"{found}: nothing to compare; run: {command}")
                continue
            try:
                self._sets.append(self._read(rubric, found, run))
                self.findings[path] = UNASKED
            except PromptGateError as error:
                here = found.suite == run.suite.name
                why = f"cannot be read: {error}" if here else f"is of the suite {found.suite}, which is not in this run"
                self.findings[path] = unchecked(f"its golden set {why}")
        return [each for golden in self._sets if (each := self._estimate(golden)) is not None]

    def ask(self) -> None:
        """Ask about every golden set, and compare; blocks until all verdicts are there."""
        for each in self._sets:
            self.findings[each.rubric.path] = self._compared(each)
        self._evals.progress.clear()

    def refuse(self, why: str) -> None:
        """Ask nothing, for it would cost too much."""
        for each in self._sets:
            self.findings[each.rubric.path] = unchecked(why)

    def _judges(self) -> dict[str, tuple[Run, BoundScorer]]:
        """A run and its judge by rubric: the run of the suite that the calibration names comes first."""
        judges = [
            (run, bound, rubric)
            for run in self._evals.runs.values()
            for bound in (run.suite.scorers if run.selected and not run.blocked else ())
            if (rubric := rubric_of(bound)) is not None
        ]
        judges.sort(key=lambda each: not self._is_of(each[2], each[0]))
        found: dict[str, tuple[Run, BoundScorer]] = {}
        for run, bound, rubric in judges:
            found.setdefault(rubric.path, (run, bound))
        return found

    def _is_of(self, rubric: Rubric, run: Run) -> bool:
        golden = self._golden(rubric)
        return isinstance(golden, Golden) and golden.suite == run.suite.name

    def _golden(self, rubric: Rubric) -> Golden | str:
        """What the lockfile keeps of this very rubric, or why there is nothing to compare with."""
        known = self._evals.reference.calibrations
        found = calibration_of(rubric, known)
        if found is not None:
            return found.golden or "its calibration keeps no verdicts"
        changed = any(rubric.path in each for each in known)
        return "the rubric has changed since it was calibrated" if changed else "not calibrated"

    def _read(self, rubric: Rubric, golden: Golden, run: Run) -> GoldenSet:
        evals = self._evals
        root = evals.settings.root
        bound = next(each for each in run.suite.scorers if rubric_of(each) == rubric)
        labels = read_labels(
            root / golden.labels,
            rubric,
            cases=[case.id for case in run.suite.cases],
            loaders=evals.toolbox().loaders,
            root=root,
        )
        endpoint = endpoint_of(evals, run.plan.pin.provider)
        with stored_replies(evals, run.suite.name) as reply:

            def stored(_run: Run, trial: Trial) -> Completion | None:
                return reply(StoreKey(request=trial.digest, endpoint=endpoint, ordinal=trial.ordinal))

            answers = answers_of(run, bound, labels, times=1, stored=stored)
        found = golden_digest(answers.asked, [each.labels for each in labels])
        if found != golden.digest or len(labels) != len(golden.verdicts):
            raise DatasetError(
                Place(file=golden.labels),
                "rows, answers or labels are no longer those of the calibration",
                hint=f"Calibrate anew: promptgate calibrate {rubric.path} --labels {golden.labels}",
            )
        return GoldenSet(run=run, rubric=rubric, golden=golden, asked=answers.asked)

    def _estimate(self, golden: GoldenSet) -> Estimate | None:
        votes = together(
            votes_of(each.scorer, each.case, each.completion, None, is_stored=lambda _request, _vote: False)
            for each in golden.asked
        )
        if votes is None:
            return None
        price = self._evals.price(votes.pin)
        return estimate_of(votes, suite=golden.run.suite.name, slot=f"{golden.run.slot}: drift", price=price)

    def _compared(self, golden: GoldenSet) -> Finding:
        evals, run = self._evals, golden.run
        grades = judged(
            evals.evaluation(),
            golden.asked,
            suite=run.suite,
            slot=run.slot,
            fresh=True,
            tick=evals.progress.tick,
        )
        failed = [each for each in grades if isinstance(each, Errored | Skipped)]
        if failed:
            why = failed[0].message if isinstance(failed[0], Errored) else failed[0].reason
            return unchecked(f"{len(failed)} of {len(grades)} answers could not be judged: {why}")
        now = [_first(each) for each in grades if isinstance(each, tuple)]
        drift = drift_of(golden.golden, now, served=served_models(golden.asked))
        if not drift.drifted:
            return Finding(text=str(drift))
        command = f"promptgate calibrate {golden.rubric.path} --labels {golden.golden.labels}"
        return Finding(text=f"{drift}\n  {_WAY_OUT}: {command}", doubt=f"has drifted: {drift.moved or drift.flips}")


def _first(grades: Sequence[Grade]) -> Score | Unscored:
    first = grades[0]
    assert isinstance(first, Score | Unscored)
    return first


def doubted_judges(run: Run) -> dict[str, str]:
    """Judges of a suite that have drifted, or could not be checked: why nobody should go by them, by scorer."""
    found = run.session.drift.findings if run.session.drift is not None else {}
    return {
        name: f"its judge ({rubric.path}) {each.doubt}"
        for name, rubric in rubrics_of(run.suite).items()
        if (each := found.get(rubric.path)) is not None and each.doubt
    }


def drift_notes(run: Run) -> Iterator[str]:
    """What a suite's report says of metrics without a gate whose judges are doubted; a gate says it itself."""
    doubted = doubted_judges(run)
    for spec in run.suite.judged:
        if spec.source in doubted and not run.suite.gates[spec.name].gated:
            yield f"WARNING: {spec.name}: {doubted[spec.source]}"


def drift_refusal(run: Run) -> str:
    """Why a suite may not write a baseline, whatever was accepted; "" if it may: its judges are whom people know."""
    return "; ".join(f"{name}: {why}" for name, why in doubted_judges(run).items())
