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
    red: bool
    drifted: bool = False


UNASKED = Finding(text="not checked: the run ended early", red=True)  # until `DriftCheck.ask` knows better


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
        return any(each.red for each in self.findings.values())

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
                self.findings[path] = Finding(text=f"{found}: nothing to compare; run: {command}", red=False)
                continue
            try:
                self._sets.append(self._read(rubric, found, run))
                self.findings[path] = UNASKED
            except PromptGateError as error:
                self.findings[path] = Finding(text=f"its golden set cannot be read: {error}", red=True)
        return [each for golden in self._sets if (each := self._estimate(golden)) is not None]

    def ask(self) -> None:
        """Ask about every golden set, and compare; blocks until all verdicts are there."""
        for each in self._sets:
            self.findings[each.rubric.path] = self._compared(each)
        self._evals.progress.clear()

    def refuse(self, why: str) -> None:
        """Ask nothing, for it would cost too much."""
        for each in self._sets:
            self.findings[each.rubric.path] = Finding(text=f"not checked: {why}", red=True)

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
        if golden_digest(answers.asked, [each.labels for each in labels]) != golden.digest:
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
            return Finding(
                text=f"not checked: {len(failed)} of {len(grades)} answers could not be judged: {why}", red=True
            )
        now = [_first(each) for each in grades if isinstance(each, tuple)]
        drift = drift_of(golden.golden, now, served=served_models(golden.asked))
        return Finding(text=str(drift), red=drift.drifted, drifted=drift.drifted)


def _first(grades: Sequence[Grade]) -> Score | Unscored:
    first = grades[0]
    assert isinstance(first, Score | Unscored)
    return first


def drift_notes(run: Run) -> Iterator[str]:
    """What a suite's report says of its judges that have drifted: their gates do not pass in silence."""
    check = run.session.drift
    drifted = {path for path, each in check.findings.items() if each.drifted} if check is not None else set()
    rubrics = rubrics_of(run.suite)
    for spec in run.suite.judged:
        if spec.source in rubrics and rubrics[spec.source].path in drifted:
            path = rubrics[spec.source].path
            yield f"WARNING: {spec.name}: its judge has drifted since it was held against people's labels ({path})"
