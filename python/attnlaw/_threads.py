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
    available: int = _core.available_threads()
    return min(limit for limit in (available, _limit, _of_environment()) if limit is not None)


def of_a_call() -> int:
    """What a call is run with that does not say ``threads=``: 0, which is all there are, where nothing limits them.

    So the processors are counted where threads are started, which most calls do without.
    """
    return 0 if _limit is None and _of_environment() is None else get_threads()


def _of_environment() -> int | None:
    """``OMP_NUM_THREADS``, of whose numbers for nested regions the outermost counts."""
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _tell_threadpoolctl() -> None:
    """Makes ``threadpoolctl``, where it is installed, limit these threads with those of BLAS and OpenMP."""
    try:
        import threadpoolctl
    except ImportError:
        return
    if not hasattr(threadpoolctl, "LibController"):  # before 3.2
        return

    class Controller(threadpoolctl.LibController):  # type: ignore[misc]
        user_api = "openmp"
        internal_api = "attnlaw"
        filename_prefixes = ("_core.",)
        # Other packages have a _core, too.
        check_symbols = ("PyInit__core", "openblas_num_threads_env")

        def get_num_threads(self) -> int:
            return get_threads()

        def set_num_threads(self, num_threads: int) -> None:
            set_threads(num_threads)

        def get_version(self) -> None:
            return None

    threadpoolctl.register(Controller)


_tell_threadpoolctl()
