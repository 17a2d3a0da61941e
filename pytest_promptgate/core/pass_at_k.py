"""Of a case's samples: does at least one of k pass, do all k?"""

from __future__ import annotations

import math


def pass_at_k(n: int, passed: int, k: int) -> float:
    """The chance that at least one of `k` samples, chosen of `n` of which `passed` passed, passes.

    Source:
        Chen et al., Evaluating Large Language Models Trained on Code, arXiv 2107.03374.
    """
    _check(n, passed, k)
    return 1 - math.comb(n - passed, k) / math.comb(n, k)


def pass_hat_k(n: int, passed: int, k: int) -> float:
    """The chance that all of `k` samples, chosen of `n` of which `passed` passed, pass.

    Source:
        Yao et al., τ-bench, arXiv 2406.12045.
    """
    _check(n, passed, k)
    return math.comb(passed, k) / math.comb(n, k)


def _check(n: int, passed: int, k: int) -> None:
    if not (1 <= k <= n and 0 <= passed <= n):
        raise ValueError(f"of {n} samples, {passed} passed ones and {k} chosen ones are not possible")
