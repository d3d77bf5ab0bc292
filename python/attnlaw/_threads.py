"""How many threads a call takes, unless it says so itself."""

from __future__ import annotations

import os

from attnlaw import _core

_limit: int | None = None


def set_threads(count: int | None) -> None:
    """Sets the number of threads of all calls that do not say ``threads=``; None: as many as there are.

    Without it a call takes the processors that the process may run on (affinity, control group), at most
    ``OMP_NUM_THREADS`` of them, and at most what ``threadpoolctl`` allows.
    """
    global _limit
    if count is not None and count < 1:
        raise ValueError(f"threads must be at least 1, got {count}")
    _limit = count


def get_threads() -> int:
    """The number of threads of a call that does not say ``threads=``."""
    available = _core.available_threads()
    limits = [limit for limit in (_limit, _of_environment()) if limit is not None]
    return min([available, *limits])


def _of_environment() -> int | None:
    # OpenMP takes a list of numbers for nested regions: the first one is the outermost.
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else None
