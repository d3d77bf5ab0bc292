"""How a call shows how it gets on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Callback = Callable[[str, int, int], Any]


@contextmanager
def shown(progress: Callback | bool | None) -> Iterator[Callback | None]:
    """The callback for what a user asked for: nothing, a bar, or a function of theirs."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        bar = _bar()
        try:
            yield bar.update
        finally:
            bar.close()
    elif callable(progress):
        yield progress
    else:
        raise TypeError(f"progress is a function of (label, done, total), True or None; got {progress!r}")


def _bar() -> _Tqdm | _Line:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line()
    return _Tqdm(tqdm)


class _Tqdm:
    """A bar of tqdm for every label."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._bar: Any = None
        self._label = ""

    def update(self, label: str, done: int, total: int) -> None:
        if self._bar is None or label != self._label:
            self.close()
            self._label, self._bar = label, self._make(total=total or None, desc=label)
        self._bar.total = total or None
        self._bar.n = done
        self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Line:
    """One line on standard error that is written over."""

    def __init__(self) -> None:
        self._width = 0

    def update(self, label: str, done: int, total: int) -> None:
        text = f"{label} {done}/{total}" if total else f"{label} ..."
        print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
        self._width = len(text)

    def close(self) -> None:
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
