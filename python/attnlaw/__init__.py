"""Exact high-dimensional laws of attention, beside finite-size experiments.

>>> import attnlaw
>>> attnlaw.solve(alpha=0.3, lambda_=0.05).errors.test
0.05515...

Every operation of the command line is a function of the same name (``attnlaw.operations``), every option a keyword
argument: ``lambda_`` for lambda, arrays for curves and grids. ``attnlaw.laws`` has laws of random matrices.
"""

from __future__ import annotations

from typing import Any

from attnlaw import laws, operations, plot, targets
from attnlaw._errors import AttnlawWarning, OptionError
from attnlaw._results import Record, Result, Results
from attnlaw._threads import get_threads, set_threads
from attnlaw.custom import Denoiser, Loss, Penalty
from attnlaw.laws import (
    Law,
    attention_law,
    marchenko_pastur,
    pooling_law,
    product_law,
    query_key_law,
    semicircle,
    semicircle_sum,
)
from attnlaw.problem import Problem
from attnlaw.store import Store

__all__ = [
    "AttnlawWarning",
    "Denoiser",
    "Law",
    "Loss",
    "OptionError",
    "Penalty",
    "Problem",
    "Record",
    "Result",
    "Results",
    "Store",
    "attention_law",
    "get_threads",
    "laws",
    "marchenko_pastur",
    "operations",
    "plot",
    "pooling_law",
    "product_law",
    "query_key_law",
    "semicircle",
    "semicircle_sum",
    "set_threads",
    "targets",
    *operations.names(),
]


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in operations.names():
        raise AttributeError(f"module 'attnlaw' has no attribute '{name}'")
    return operations.function(name)


def __dir__() -> list[str]:
    return sorted(__all__)
