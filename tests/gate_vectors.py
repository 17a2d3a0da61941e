"""Run a file of test vectors against the shipped statistics: ``python tests/gate_vectors.py FILE``.

A file holds ``{"vectors": [{"id", "fn", "input", "expected", "tol", "source"}, …]}``. Each mismatch is printed; the
exit code is 1 if there is one, or if the file names a function that we do not have.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_promptgate.core import agreement, canary, detectable, early, exact, families, intervals
from pytest_promptgate.core.aggregates import quantile
from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.broken_case import broken_case_test
from pytest_promptgate.core.decision import Policy, Question, decide
from pytest_promptgate.core.labels import label_metric
from pytest_promptgate.core.pass_at_k import pass_at_k, pass_hat_k
from pytest_promptgate.core.statistic_test import statistic_test
from pytest_promptgate.core.swap_test import swap_test
from pytest_promptgate.core.types import Tolerance


def gate_metric(
    *,
    baseline: Mapping[str, Sequence[float]],
    candidate: Mapping[str, Sequence[float]],
    config: Mapping[str, Any],
    fresh: Sequence[Mapping[str, Sequence[float]]] | None = None,
) -> dict[str, Any]:
    """One metric of one run; what the file does not configure is off (``max_drop``) or at its default."""
    sign = config.get("direction", 1)
    policy = Policy(
        rule=config["rule"],
        tolerance=_tolerance(config.get("tolerance", 0)),
        max_drop=config.get("max_drop"),
        **{key: config[key] for key in ("alpha", "min_coverage") if key in config},
    )
    question = Question(
        arms=_arms(baseline, candidate, sign),
        policy=policy,
        expected=len(baseline),
        fresh=None if fresh is None else _arms(fresh[0], fresh[1], sign),
    )
    found = decide(question, family=config.get("family", 1))
    verdict = str(found.outcome).replace("-", "_")
    return {"verdict": verdict, "passed": not found.fails, "reason": str(found.why), "p": found.p}


def _arms(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]], sign: int) -> Arms:
    shared = tuple(case for case in before if case in after)
    return Arms(
        cases=shared,
        before=tuple(tuple(sign * each for each in before[case]) for case in shared),
        after=tuple(tuple(sign * each for each in after[case]) for case in shared),
    )


def _tolerance(given: float | str) -> Tolerance:
    if isinstance(given, str):
        return Tolerance(amount=float(given.rstrip("%")) / 100, relative=True)
    return Tolerance(amount=given)


def f1_swap(*, gold: Sequence[int], baseline: Sequence[int], candidate: Sequence[int]) -> dict[str, float]:
    """The swap test on F1 of the label 1."""
    before, after = (
        [((str(got), str(wanted)),) for got, wanted in zip(side, gold, strict=True)] for side in (baseline, candidate)
    )

    def f1(pairs: Sequence[tuple[str, str]]) -> float:
        return label_metric("f1", pairs, label="1")

    delta = f1([each for (each,) in after]) - f1([each for (each,) in before])
    return {"p": statistic_test(before, after, f1).p, "delta": delta}


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "mcnemar_exact": exact.mcnemar_exact,
    "swap_test": lambda **given: swap_test(given.pop("baseline"), given.pop("candidate"), **given).p,
    "swap_test_f1": f1_swap,
    "broken_case_test": lambda **given: broken_case_test(
        given["baseline_successes"], given["candidate_successes"], given["k"]
    ),
    "holm": families.holm,
    "bh": families.benjamini_hochberg,
    "e_mcnemar": early.e_mcnemar,
    "e_grid": lambda diffs, margin, grid: early.e_grid(diffs, margin=margin, grid=grid),
    "strict_bounds": lambda **given: early.strict_bounds(
        given["sum_cand"],
        left_low=given["remaining_lo"],
        left_high=given["remaining_hi"],
        n=given["n"],
        baseline_mean=given["baseline_mean"],
        tolerance=given["tolerance"],
    ),
    "mcnemar_curtail": lambda w, r, n_pass_left, n_fail_left, alpha: early.mcnemar_curtail(
        worse=w, better=r, passes_left=n_pass_left, fails_left=n_fail_left, alpha=alpha
    ),
    "wilson": lambda k, n, conf: intervals.wilson(k, n, conf=conf),
    "newcombe": lambda a, b, c, d, conf=0.95: intervals.newcombe(a, b, c, d, conf=conf),
    "cluster_se": intervals.cluster_se,
    "suite_se": lambda **given: intervals.suite_se(given["baseline"], given["candidate"]),
    "mde": detectable.mde,
    "required_n": detectable.required_n,
    "mcnemar_power": detectable.mcnemar_power,
    "paired_t_lower": intervals.paired_t_lower,
    "quantile": lambda **given: quantile(given["x"], given["q"]),
    "cohen_kappa": agreement.cohen_kappa,
    "krippendorff_alpha": agreement.krippendorff_alpha,
    "ppi_mean": agreement.ppi_mean,
    "rogan_gladen": lambda p, sens, spec: agreement.rogan_gladen(p, sensitivity=sens, specificity=spec),
    "srm_chi2": canary.srm_chi2,
    "ssrm_log_e": canary.ssrm_log_e,
    "nm_two_sided": canary.nm_two_sided,
    "nm_one_sided": canary.nm_one_sided,
    "pass_at_k": lambda **given: pass_at_k(given["n"], given["c"], given["k"]),
    "pass_hat_k": lambda **given: pass_hat_k(given["n"], given["c"], given["k"]),
    "gate_metric": gate_metric,
}


def mismatch(vector: Mapping[str, Any]) -> str:
    """What is wrong with our answer to one vector, or ""."""
    name = f"{vector.get('id', '?')} {vector['fn']} {vector.get('name', '')}".rstrip()
    if vector["fn"] not in FUNCTIONS:
        return f"{name}: there is no such function; known are {', '.join(sorted(FUNCTIONS))}"
    try:
        found = FUNCTIONS[vector["fn"]](**vector["input"])
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"{name}: {type(error).__name__}: {error}"
    if _agree(found, vector["expected"], vector.get("tol", 0)):
        return ""
    return f"{name}: expected {vector['expected']!r}, got {found!r}"


def _agree(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, Mapping):
        return all(key in found and _agree(found[key], value, tolerance) for key, value in expected.items())
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_agree, found, expected, [tolerance] * len(expected)))
    if isinstance(expected, bool | str | None) or isinstance(found, bool | str | None):
        return bool(found == expected)
    return math.isclose(found, expected, rel_tol=0, abs_tol=tolerance)


def main(path: Path) -> int:
    """Print each mismatch and a closing line."""
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    told = [text for text in map(mismatch, vectors) if text]
    print(*told, f"{len(vectors)} vectors, {len(told)} mismatches", sep="\n")
    return 1 if told or not vectors else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/gate_vectors.py FILE")
    sys.exit(main(Path(sys.argv[1])))
