"""The store of a study, as pandas and as arrays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from attnlaw import _core
from attnlaw._results import Record

if TYPE_CHECKING:
    import pandas

__all__ = ["Arrays", "Store", "StoredResult"]

# "attn" in ASCII.
_APPLICATION = 0x6174746E


class Arrays(Mapping[str, NDArray[np.float64]]):
    """The arrays of one result by name; each is read when it is asked for."""

    def __init__(self, store: Store, result: int, key: str) -> None:
        self._store, self._result, self._key = store, result, key

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        row = self._store._one("SELECT data FROM array WHERE result = ? AND name = ?", (self._result, name))
        if row is None:
            there = ", ".join(self) or "none"
            raise KeyError(f"the result {self._key} has no array '{name}'; it has {there}")
        return np.frombuffer(row[0], dtype="<f8")

    def __iter__(self) -> Iterator[str]:
        rows = self._store._rows("SELECT name FROM array WHERE result = ? ORDER BY position", (self._result,))
        return (name for (name,) in rows)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"arrays: {', '.join(self) or 'none'}"


class StoredResult:
    """One result: what was computed, its figures, its arrays."""

    def __init__(self, store: Store, row: tuple[Any, ...]) -> None:
        identity, self.key, self.code, task, self.status, self.error, figures, self.seconds, self.finished = row
        self.task = Record(_document(self.key, "task", task))
        self.figures = None if figures is None else Record(_document(self.key, "figures", figures))
        self.arrays = Arrays(store, identity, self.key)

    @property
    def kind(self) -> str:
        """``"theory"``, ``"experiment"``, ``"thresholds"`` or ``"scaling"``."""
        return str(self.task["kind"])

    def __repr__(self) -> str:
        return f"{self.kind} {self.key} ({self.status})\n{self.task!r}\n{self.figures!r}"


class Store:
    """The results of a study, as ``attnlaw sweep`` keeps them; opened for reading, also while the study runs.

    Parameters
    ----------
    path : str or path
        A file that is no store, or one of a newer version, is a ValueError; one that is not there FileNotFoundError.

    Examples
    --------
    >>> store = attnlaw.Store("study.sqlite")                                # doctest: +SKIP
    >>> store.to_pandas("kind = 'experiment' AND alpha < 1")                 # doctest: +SKIP
    >>> store["3f2a91c0"].arrays["eigenvalues"]                              # doctest: +SKIP
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(fspath(path))
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no store {self.path}")
        self._connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?mode=ro", uri=True, check_same_thread=False
        )
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        try:
            application, version = (self._pragma(name) for name in ("application_id", "user_version"))
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{self.path} is not a store of attnlaw: {error}") from None
        if application != _APPLICATION:
            raise ValueError(f"{self.path} is not a store of attnlaw")
        newest = _core.store_version()
        if version > newest:
            raise ValueError(f"{self.path} is a store of version {version}; this attnlaw reads those up to {newest}")

    def _pragma(self, name: str) -> int:
        row = self._one(f"PRAGMA {name}")
        return 0 if row is None else int(row[0])

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        with closing(self._connection.execute(query, values)) as cursor:
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def to_pandas(self, where: str | None = None, *, figures: bool = False, arrays: bool = False) -> pandas.DataFrame:
        """One row for each result, in the order in which they were computed.

        Parameters
        ----------
        where : str, optional
            An SQL expression on the columns that ``attnlaw results`` has, as "kind = 'theory' AND alpha < 1".
        figures : bool
            Whether every figure is a column as well, with dots for one inside another: "figures.spectrum.zero_mass".
        arrays : bool
            Whether a column "arrays" has the arrays of each result, which are read when they are asked for.

        Returns
        -------
        pandas.DataFrame
            Texts, numbers, and times in UTC; what is not there is missing.
        """
        import pandas

        query = "SELECT * FROM results" + (f" WHERE {where}" if where else "") + " ORDER BY id"
        try:
            with closing(self._connection.execute(query)) as cursor:
                columns = [column[0] for column in cursor.description]
                table = pandas.DataFrame.from_records(cursor.fetchall(), columns=columns)
        except sqlite3.Error as error:
            raise ValueError(
                f"where must be an SQL expression on the columns of results, got {where!r}: {error}"
            ) from None
        table["finished"] = pandas.to_datetime(table["finished"], utc=True)
        keys = table["key"].tolist()
        if figures:
            nested = pandas.json_normalize([self._figures(key) for key in keys])
            table = pandas.concat([table, nested.add_prefix("figures.")], axis=1)
        if arrays:
            lazy = [Arrays(self, identity, key) for identity, key in zip(table["id"], keys, strict=True)]
            table["arrays"] = pandas.Series(lazy, index=table.index, dtype=object)
        return table

    def _figures(self, key: str) -> Any:
        row = self._one("SELECT figures FROM result WHERE key = ?", (key,))
        return _document(key, "figures", row[0]) if row is not None and row[0] is not None else {}

    def __getitem__(self, key: str) -> StoredResult:
        found = self._rows(_RESULT + " WHERE substr(key, 1, ?) = ? LIMIT 2", (len(key), key))
        if not found:
            raise KeyError(f"there is no result {key} in {self.path}")
        if len(found) > 1:
            raise KeyError(f"several results in {self.path} have keys that begin with {key}")
        return StoredResult(self, found[0])

    def __iter__(self) -> Iterator[StoredResult]:
        for (identity,) in self._rows("SELECT id FROM result ORDER BY id"):
            row = self._one(_RESULT + " WHERE id = ?", (identity,))
            if row is not None:
                yield StoredResult(self, row)

    def __len__(self) -> int:
        row = self._one("SELECT count(*) FROM result")
        return 0 if row is None else int(row[0])

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; arrays that were read stay."""
        self._connection.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.path,)


_RESULT = "SELECT id, key, code, task, status, error, figures, seconds, finished FROM result"


def _document(key: str, what: str, text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the {what} of the result {key} cannot be read: {error}") from None
    return document
