"""The results of a study, read out of its store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import operations
from attnlaw._results import Result

if TYPE_CHECKING:
    import pandas


class Store:
    """A store of results, as ``attnlaw sweep`` writes it. It is opened for reading at every call.

    Parameters
    ----------
    path : str or path
        The file.

    Examples
    --------
    >>> store = Store("study.sqlite")                                   # doctest: +SKIP
    >>> store.to_pandas(where="alpha < 1", columns=["alpha", "test"])   # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def to_pandas(self, where: str | None = None, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """The rows for which an SQL expression on the columns holds, with all columns or these."""
        return self._results(where=where, columns=columns).to_pandas()

    def __getitem__(self, key: str) -> Result:
        """One whole result with its nested figures; the key may be the beginning of one."""
        return self._results(key=key)

    def array(self, key: str, name: str) -> NDArray[np.float64]:
        """An array of one result, which is read when it is asked for; ``store[key].arrays`` has the names."""
        return np.asarray(self._results(key=key, array=name)["values"], dtype=np.float64)

    def _results(self, **options: Any) -> Result:
        result = operations.call("results", (self.path,), options)
        assert isinstance(result, Result)
        return result

    def __repr__(self) -> str:
        return f"Store({self.path!r})"
