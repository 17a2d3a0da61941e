"""``--prompt-aa``: every prompt is asked twice over and held against itself, in place of its baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.noise import noise_key
from pytest_promptgate.core.rounds import SELF
from pytest_promptgate.core.self_trial import halves, self_trial
from pytest_promptgate.errors import LockfileError
from pytest_promptgate.files.noise import FILE, read_noise, write_noise
from pytest_promptgate.pytest_control import Asking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.noise import Noise
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.self_trial import SelfTrial
    from pytest_promptgate.core.types import Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession

SKIPPED = "--prompt-aa: the prompt is held against itself, not against its baseline"


class SelfTrials:
    """The trials of one pytest run.

    Args:
        evals: Of the run.
    """

    def __init__(self, evals: EvalSession) -> None:
        self._evals = evals
        self._halves: dict[tuple[str, str], tuple[Plan, Plan]] = {}  # by suite and slot
        self.done: dict[tuple[str, str], SelfTrial] = {}
        self.notes: list[str] = []

    def submit(self, run: Run) -> None:
        """Hand both halves of a run to the engine."""
        both = self._halves[run.key] = halves(run.plan, run.selected)
        self._evals.evaluation().submit_retrial(both, SELF)

    def asking(self) -> Mapping[tuple[str, str], Asking]:
        """Whose calls are whose."""
        return {
            (half.suite.name, half.slot): Asking(run=self._evals.runs[key], plan=half, trials=len(half.trials))
            for key, both in self._halves.items()
            for half in both
        }

    def second(self, run: Run, cases: Sequence[str]) -> tuple[Result, ...]:
        """The other answers to `cases`; blocks until they are there."""
        half, evals = self._halves[run.key][1], self._evals
        try:
            return evals.evaluation().wait(half.suite.name, half.slot, cases, tick=evals.progress.tick)
        finally:
            evals.progress.clear()

    def conclude(self) -> None:
        """Hold every run against itself, and remember what came of it."""
        for key in self._halves:
            run = self._evals.runs[key]
            if not run.blocked:
                self.done[key] = self._concluded(run)
                self._remember(self.done[key])

    def _concluded(self, run: Run) -> SelfTrial:
        return self_trial(
            run.plan,
            self._evals.wait(run, run.selected),
            self.second(run, run.selected),
            selection=frozenset(run.selected) if run.partial else None,
            partial=run.partial,
            aggregates=self._evals.toolbox().aggregates,
        )

    def _remember(self, trial: SelfTrial) -> None:
        specs = {spec.name: spec for spec in trial.plan.suite.judged}
        measured = {
            each.name: (noise_key(trial.plan, specs[each.name]), each.noise) for each in trial.metrics if each.noise
        }
        if trial.partial or not measured:
            return
        path = noise_file(self._evals.settings.store)
        try:
            write_noise(path, trial.plan.suite.name, trial.plan.slot, measured)
        except (LockfileError, OSError) as error:
            self.notes.append(f"the flip rates of {trial.plan.suite.name} are not remembered: {error}")


def noise_file(own: Path) -> Path:
    """Where noise is remembered, in the directory that ``promptgate_dir`` names."""
    return own / FILE


def known_noise(own: Path, plan: Plan) -> dict[str, Noise]:
    """What earlier runs measured of the metrics of `plan`; without those whose model or scorer has changed since."""
    found = read_noise(noise_file(own), plan.suite.name, plan.slot)
    keys = {spec.name: noise_key(plan, spec) for spec in plan.suite.judged} if found else {}
    return {name: noise for name, (key, noise) in found.items() if keys.get(name) == key}
