"""What operations return."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import _documentation, _schema
from attnlaw._schema import Field

if TYPE_CHECKING:
    import pandas

    from attnlaw.laws import Law

__all__ = ["Record", "Result", "Results"]


class Record:
    """Figures that belong together, as attributes and as items.

    Lists of numbers are NumPy arrays, which cannot be written to: they are what the library has computed. What a result
    may have and this one has not is None.
    """

    __slots__ = ("_document", "_fields", "_wrapped")

    def __init__(self, document: Mapping[str, Any], fields: Mapping[str, Field] | None = None) -> None:
        self._document = document
        self._fields = fields or {}
        self._wrapped: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        key = _schema.from_keyword(name)
        if key in self._document:
            return self[key]
        if key in self._fields:
            return None
        near = difflib.get_close_matches(key, [*self._document, *self._fields], 1)
        raise AttributeError(f"there is no '{name}' here" + (f"; did you mean '{near[0]}'?" if near else ""))

    def __getitem__(self, name: str) -> Any:
        if name not in self._wrapped:
            self._wrapped[name] = _wrap(self._document[name], self._fields.get(name))
        value = self._wrapped[name]
        # A list may be changed by who has it.
        return list(value) if isinstance(value, list) else value

    def __contains__(self, name: object) -> bool:
        return name in self._document

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)

    def keys(self) -> Iterator[str]:
        """The names of what is there."""
        return iter(self._document)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(_schema.to_keyword(name) for name in self._document)]

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Record) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """The document as JSON has it: plain dicts, lists, numbers; None for what is not a number."""
        document: dict[str, Any] = _plain(self._document)
        return document

    def __repr__(self) -> str:
        return _lines(self._document)

    def __reduce__(self) -> tuple[Any, ...]:
        return _record, (dict(self._document), dict(self._fields))


class Head(Record):
    """A head of ``inspect``, with its null as a law."""

    __slots__ = ()

    @property
    def null(self) -> Law | None:
        """The law of the singular values of a random product of as much energy: what null N1 says of this head.

        None where N1 is not asked of it: then ``product.p`` is NaN. None as well where its norm leaves the range of
        numbers.
        """
        from attnlaw.laws import query_key_law

        if not (math.isfinite(self.product.p) and 0 < self.frobenius_norm < math.inf):
            return None
        return query_key_law(self.rows, self.dimension, self.frobenius_norm / math.sqrt(self.rows))


# The classes of records, by names and texts of their fields.
_kinds: dict[tuple[Any, ...], type[Record]] = {}


def _kind(fields: Mapping[str, Field]) -> type[Record]:
    """The class of the records with these fields, each a property with its text as documentation."""
    key = (*fields, *(field.get("doc") for field in fields.values()))
    if key not in _kinds:
        _kinds[key] = _made(fields)
    return _kinds[key]


def _made(fields: Mapping[str, Field]) -> type[Record]:
    base = Head if _schema.is_head(fields) else Record
    members: dict[str, Any] = {
        _schema.to_keyword(name): _property(name, _schema.says(field))
        for name, field in fields.items()
        if not hasattr(base, _schema.to_keyword(name))
    }
    doc = _documentation.of_record(fields)
    return type("Record", (base,), members | {"__slots__": (), "__doc__": doc, "__module__": __name__})


def _property(name: str, text: str) -> property:
    def value(self: Record) -> Any:
        return self[name] if name in self._document else None

    return property(value, doc=text)


def _record(document: Mapping[str, Any], fields: Mapping[str, Field]) -> Record:
    """A record of the class of its fields."""
    return _kind(fields)(document, fields) if fields else Record(document)


class Result(Record):
    """The result of an operation: its document as attributes, and its tables when it is printed."""

    __slots__ = ("_operation", "_outcome", "_shown")

    def __init__(self, operation: str, outcome: Any, shown: Mapping[str, Any] | None = None) -> None:
        super().__init__(
            outcome if shown is not None else outcome.document,
            _schema.fields_of(_schema.operations()[operation]["result"]),
        )
        self._operation = operation
        self._outcome = None if shown is not None else outcome
        self._shown = shown

    def _shows(self, what: str) -> Any:
        return self._shown[what] if self._shown is not None else getattr(self._outcome, what)

    @property
    def operation(self) -> str:
        """The operation that gave it."""
        return self._operation

    @property
    def converged(self) -> bool:
        """Whether the figures can be used."""
        return bool(self._shows("converged"))

    @property
    def warnings(self) -> list[str]:
        """What was warned of."""
        return list(self._document.get("warnings", ()))

    def to_pandas(self) -> pandas.DataFrame:
        """The rows that the command line writes with ``--format csv``, as a pandas DataFrame."""
        import pandas

        columns, rows = self._shows("rows")
        return _without_objects(pandas.DataFrame.from_records(rows, columns=columns))

    def __repr__(self) -> str:
        text = self._shows("text")
        return text.rstrip("\n") if text else _lines(self._document)

    def _repr_html_(self) -> str | None:
        return self._shows("html") or None

    def __reduce__(self) -> tuple[Any, ...]:
        shown = {what: self._shows(what) for what in ("rows", "text", "html", "converged")}
        return Result, (self._operation, dict(self._document), shown)


class _Stack:
    """Records of one kind, whose attributes are arrays of theirs."""

    __slots__ = ("_records",)

    def __init__(self, records: NDArray[Any]) -> None:
        self._records = records

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the arrays of options."""
        return self._records.shape

    def __len__(self) -> int:
        return len(self._records)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _stacked(self._records, [getattr(record, name, None) for record in _flat(self._records)], name)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return getattr(self, _schema.to_keyword(index))
        chosen = self._records[index]
        return type(self)._of(self, chosen, index) if isinstance(chosen, np.ndarray) else chosen

    def _of(self, records: NDArray[Any], index: Any) -> _Stack:
        return _Stack(records)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __dir__(self) -> list[str]:
        names = {name for record in _flat(self._records) for name in record}
        return [*super().__dir__(), *map(_schema.to_keyword, names)]

    def __repr__(self) -> str:
        names = sorted({name for record in _flat(self._records) for name in record})
        return f"arrays of the shape {self.shape}: {', '.join(names)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._records,)


class Results(_Stack):
    """The results of one operation over arrays of options: a curve, or a grid of any shape.

    Attributes are arrays of that shape, as ``curve.errors.test``; ``curve[3]`` is the result at one place.
    """

    __slots__ = ("_options",)

    def __init__(self, records: NDArray[Any], options: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(records)
        self._options = dict(options)

    @property
    def options(self) -> dict[str, NDArray[Any]]:
        """The options that vary, each with the shape of the results."""
        return dict(self._options)

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether the figures can be used, for each result."""
        return np.array([result.converged for result in _flat(self._records)], dtype=bool).reshape(self.shape)

    @property
    def warnings(self) -> list[str]:
        """What was warned of, at any place."""
        return list(dict.fromkeys(line for result in _flat(self._records) for line in result.warnings))

    def _of(self, records: NDArray[Any], index: Any) -> Results:
        return Results(records, {name: values[index] for name, values in self._options.items()})

    def to_dict(self) -> dict[str, Any]:
        """The options that vary and the documents of all results, as flat lists."""
        return {
            "options": {name: _plain(values.ravel().tolist()) for name, values in self._options.items()},
            "results": [result.to_dict() for result in _flat(self._records)],
        }

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of all results, with the options that vary as columns."""
        import pandas

        # One frame from all rows: what results have different columns of has gaps.
        rows: list[dict[str, Any]] = []
        varying = [(name, values.ravel().tolist()) for name, values in self._options.items()]
        for i, result in enumerate(_flat(self._records)):
            columns, entries = result._shows("rows")
            options = {name: values[i] for name, values in varying if name not in columns}
            rows += [options | dict(zip(columns, entry, strict=True)) for entry in entries]
        return _without_objects(pandas.DataFrame(rows))

    def _columns(self) -> dict[str, list[str]]:
        """What is printed: the options that vary, the figures of every result, and whether all can be used."""
        columns: dict[str, NDArray[Any]] = {name: values.ravel() for name, values in self._options.items()}
        results = _flat(self._records)
        for part in ("errors", "mean"):
            figures = [result._document.get(part) for result in results]
            if all(isinstance(figure, Mapping) for figure in figures):
                every = dict.fromkeys(name for figure in figures for name in figure)
                names = [name for name in every if any(_is_figure(figure.get(name)) for figure in figures)]
                columns |= {name: np.array([figure.get(name) for figure in figures], dtype=object) for name in names}
                break
        else:
            columns |= self._varying_columns()
        columns["converged"] = self.converged.ravel()
        return {name: [_short(value) for value in _ends(values)] for name, values in columns.items()}

    def _varying_columns(self) -> dict[str, NDArray[Any]]:
        """The first figures that differ between the results, those of records named as ``record.figure``."""
        most = 8
        asked = ("problem", "model", "parameters", "diagnostics")
        documents = []
        for result in _flat(self._records):
            document: dict[str, Any] = {}
            for name, value in result._document.items():
                inner = value if isinstance(value, Mapping) and name not in asked else {}
                document |= {f"{name}.{key}": figure for key, figure in inner.items() if _is_figure(figure)}
                document |= {name: value} if _is_figure(value) else {}
            documents.append(document)
        names = [name for name in dict.fromkeys(name for document in documents for name in document)]
        columns = {name: [document.get(name) for document in documents] for name in names if name not in self._options}
        differing = [name for name, values in columns.items() if any(value != values[0] for value in values)]
        return {name: np.array(columns[name], dtype=object) for name in differing[:most]}

    def __repr__(self) -> str:
        if not self._records.size:
            return "no results"
        table = [[name, *values] for name, values in self._columns().items()]
        widths = [max(map(len, column)) for column in table]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in zip(*table, strict=True)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns = self._columns()
        head = "".join(f"<th>{name}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{value}</td>" for value in row) + "</tr>"
            for row in zip(*columns.values(), strict=True)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Results, (self._records, self._options)


def _without_objects(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Columns of numbers that are absent here and there, or everywhere, as floats with NaN."""
    for name in [name for name in frame if frame[name].dtype == np.dtype(object)]:
        if all(_is_figure(value) for value in frame[name].dropna()):
            frame[name] = frame[name].astype(float)
    return frame


# A table that is printed has no more rows: the first and the last ones of many.
_MOST_ROWS = 20


def _ends(values: NDArray[Any]) -> list[Any]:
    if len(values) <= _MOST_ROWS:
        return list(values)
    half = _MOST_ROWS // 2
    return [*values[:half], "…", *values[-half:]]


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flat(records: NDArray[Any]) -> list[Any]:
    return list(records.ravel())


def _stacked(records: NDArray[Any], values: Sequence[Any], name: str) -> Any:
    """The values of one attribute in the shape of the records: arrays of numbers where they are numbers."""
    there = [value for value in values if value is not None]
    if not there:
        if not any(_schema.from_keyword(name) in record._fields for record in _flat(records)):
            raise AttributeError(f"there is no '{name}' in these results")
        return np.full(records.shape, None, dtype=object)
    if all(isinstance(value, Record) for value in there) and len(there) == len(values):
        stack = np.empty(len(values), dtype=object)
        stack[:] = values
        return _Stack(stack.reshape(records.shape))
    if all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=bool).reshape(records.shape)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return np.array(values).reshape(records.shape)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return np.array([math.nan if value is None else value for value in values]).reshape(records.shape)
    if all(isinstance(value, np.ndarray) and value.shape == there[0].shape for value in values):
        return np.stack(values).reshape(*records.shape, *there[0].shape)
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects.reshape(records.shape)


def _wrap(value: Any, field: Field | None) -> Any:
    if isinstance(value, dict):
        return _record(value, _schema.fields_of(field))
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            fields = _schema.fields_of(field)
            return [_record(item, fields) for item in value]
        value = _array(value)
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


def _array(values: list[Any]) -> Any:
    """An empty list as an empty array, numbers as an array; any other list as it is."""
    if not values:
        return np.empty(0)
    try:
        array = np.array(values)
    except ValueError:
        return values
    return array if array.dtype.kind in "biuf" else values


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind != "f" or np.isfinite(value).all() else _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _lines(document: Mapping[str, Any]) -> str:
    """A document with one line for each entry, long ones shortened."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list | np.ndarray):
            text = f"[{len(value)} of them]" if len(value) > 3 else "[" + ", ".join(map(_inner, value)) + "]"
        else:
            text = _inner(value)
        lines.append(f"{name}: {text}")
    return "\n".join(lines)


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_inner(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | np.ndarray):
        return f"[{len(value)} of them]" if len(value) > 3 else "[" + ", ".join(map(_inner, value)) + "]"
    return _short(value)
