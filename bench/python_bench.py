#!/usr/bin/env python3
"""What a call from Python costs beside the same work in C++ and by the program.

Usage: PYTHONPATH=build/release/python build/python/bin/python3 bench/python_bench.py [build/release]. All times are the
best of several runs; those in CPU seconds do not mind a machine that is busy.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import attnlaw

POINTS = 1_000_000
ALPHAS = (0.05, 2, 40)
LAWS = {
    "marchenko_pastur": attnlaw.marchenko_pastur(0.5),
    "semicircle_sum": attnlaw.semicircle_sum("wishart:0.5", 0.2),
    "product_law": attnlaw.product_law(0.5),
    "pooling_law": attnlaw.pooling_law(0.5, 0.25, 0.1),
    "attention_law": attnlaw.attention_law(0.5, 2),
}

Row = tuple[str, str, str]


def best(work: Callable[[], Any], clock: Callable[[], float], runs: int) -> float:
    def once() -> float:
        begin = clock()
        work()
        return clock() - begin

    return min(once() for _ in range(runs))


def overhead() -> Iterator[Row]:
    """Of a call, beyond what the result says that its equations took."""
    for head in ("linear", "softmax"):

        def beyond(head: str = head) -> float:
            begin = time.perf_counter()
            result = attnlaw.solve(alpha=0.3, lambda_=0.05, head=head)
            return time.perf_counter() - begin - float(result.diagnostics.seconds)

        yield (
            f"solve, {head} head: beyond its equations",
            f"{1e3 * min(beyond() for _ in range(1000)):.3f} ms",
            "0.2 ms",
        )


def curve(program: Path) -> Iterator[Row]:
    """The same 40 points by Python and by the program, which has to start first."""
    lower, upper, count = ALPHAS
    grid = np.geomspace(lower, upper, count)
    line = [program, "spectrum", "--lambda", "0.05", "--along", f"alpha:{lower},{upper},{count}", "--format", "json"]

    def by_program() -> None:
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)

    python = best(lambda: attnlaw.solve(alpha=grid, lambda_=0.05), time.perf_counter, 10)
    yield "curve of 40 points, softmax", f"{python:.3f} s", f"{best(by_program, time.perf_counter, 10):.3f} s"


def densities(bench: Path) -> Iterator[Row]:
    """A million points of a density, in CPU time, beside a loop in C++."""
    command = [bench, "--benchmark_filter=DensityOfAMillion", "--benchmark_format=json"]
    document = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    loops = {run["name"].split("/")[1]: run["best_ms"] / 1e3 for run in document["benchmarks"]}
    for name, law in LAWS.items():
        lower, upper = law.edges[0][0], law.edges[-1][1]
        x = np.linspace(lower, upper, POINTS)
        seconds = best(lambda law=law, x=x: law.density(x), time.process_time, 5)
        yield f"density of {name} at 10⁶ points, CPU", f"{seconds:.3f} s", f"{loops[name]:.3f} s"


def main(arguments: list[str]) -> None:
    build = Path(arguments[0] if arguments else "build/release")
    rows = [*overhead(), *curve(build / "app" / "attnlaw"), *densities(build / "bench" / "laws_bench")]
    print("| | Python | C++ or bound |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
