"""Two run documents held against each other by the gate's own statistics: the first as the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.differences import differences
from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.judgement import conclude
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.promises import promises
from pytest_promptgate.core.recalled import baseline_of, results_of, suite_of
from pytest_promptgate.core.sliced import sliced
from pytest_promptgate.core.types import Report
from pytest_promptgate.core.weighing import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.run_document import RunDocument, SuiteRun
    from pytest_promptgate.core.weighing import Weighed

_ASKS_AGAIN = "rule confirm asks again where it doubts; documents cannot, so its metrics go by the test of significant"


def compared(before: RunDocument, after: RunDocument, aggregates: Mapping[str, Aggregate]) -> list[Report]:
    """A report for every suite and slot that both runs have, in the order of `after`; they share the run's level.

    Args:
        aggregates: Those of plugins.
    """
    old = {(each.name, each.slot): each for each in before.suites}
    both = [(old[each.name, each.slot], each) for each in after.suites if (each.name, each.slot) in old]
    weighed = [_weighed(was, now, aggregates) for was, now in both]
    verdicts = conclude(weighed)
    found = zip(both, weighed, verdicts, strict=True)
    return [
        Report(
            suite=each.given.suite,
            slot=now.slot,
            pin=now.model,
            results=tuple(each.given.results),
            measurements=tuple(
                measure(spec, [result.observation for result in each.given.results], aggregates=aggregates)
                for spec in each.given.suite.judged
            ),
            verdicts=(*said, *promises(each.given.suite, each.given.baseline)),
            differences=differences(each.given.suite, now.model, each.given.baseline),
            baseline=each.given.baseline,
            slices=tuple(sliced(each)),
            notes=(_ASKS_AGAIN,) if now.rule == "confirm" else (),
        )
        for (_, now), each, said in found
    ]


def _weighed(was: SuiteRun, now: SuiteRun, aggregates: Mapping[str, Aggregate]) -> Weighed:
    return weigh(
        GateInput(suite=suite_of(now), baseline=baseline_of(was), results=results_of(now), aggregates=aggregates)
    )


def mismatches(before: RunDocument, after: RunDocument, names: tuple[str, str]) -> Iterator[str]:
    """What only one of two runs has, a line each.

    Args:
        names: What the documents are called.
    """
    old, new = ({(each.name, each.slot): each.title for each in run.suites} for run in (before, after))
    yield from (f"{title}: only in {names[0]}" for key, title in old.items() if key not in new)
    yield from (f"{title}: only in {names[1]}" for key, title in new.items() if key not in old)
