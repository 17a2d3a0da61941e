"""``python -m tests.benchmarks [NAME …] [--pairs N]``: ratios in a table, all from whole processes.

Each figure is the median of pairs that were measured in turn, ours and the reference, so that a machine that is busy
for a while is busy for both. Nothing passes or fails: a figure that missed its target is marked.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .cold import cold, cold_many, cpu
from .load import bucket, faults
from .plain import plain
from .scale import scale
from .table import lines
from .warm import warm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .table import Figure

BENCHMARKS: Mapping[str, Callable[[Path, int], list[Figure]]] = {
    "plain": plain,
    "warm": warm,
    "cold": cold,
    "cold-many": cold_many,
    "cpu": cpu,
    "bucket": bucket,
    "faults": faults,
    "scale": scale,
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--pairs", type=int, default=3, help="how often each pair is measured")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="promptgate-") as directory:
        for name in given.names or BENCHMARKS:
            print(f"{name} …", flush=True)
            found = BENCHMARKS[name](Path(directory) / name, given.pairs)
            figures += found
            print("\n".join(lines(found)), end="\n\n", flush=True)
    if len(given.names) != 1:
        print("\n".join(lines(figures)))


if __name__ == "__main__":
    main()
