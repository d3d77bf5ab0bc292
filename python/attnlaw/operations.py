"""One function for every operation of the library.

The functions are made from what the library says of its operations: a new one is here by itself.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import os
import warnings as _warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import _core, _documentation, _options, _progress, _schema, _threads, _weights
from attnlaw._errors import AttnlawWarning, OptionError, in_python, option_errors
from attnlaw._results import Record, Result, Results
from attnlaw.problem import Problem

Progress = Callable[[str, int, int], None]

# What the library counts threads with.
_MOST_THREADS = 2**31 - 1


def call(operation: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> Result | Results:
    """Runs an operation: once, or where an option is an array once for every entry."""
    fields = _schema.options(operation)
    rest = dict(keywords)
    progress, threads, html = (rest.pop(name, None) for name in ("progress", "threads", "html"))
    options = _with_positional(operation, positional, rest)
    run = _Call(operation, threads, progress, html)
    result: Result | Results
    if operation == "inspect" and any(_weights.are_weights(options.get(name)) for name in ("checkpoint", "q", "k")):
        result = run.of_weights(options)
    elif arrays := _options.varying(options, fields):
        result = run.each(options, arrays, fields)
    else:
        result = run.once(_options.document(options, fields))
    for line in result.warnings:
        # The caller of the operation: beyond this, and the function itself.
        _warnings.warn(in_python(line), AttnlawWarning, stacklevel=3)
    return result


def _with_positional(operation: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The options by name: those of a Problem, then positional ones, then keywords, of which later ones win."""
    fields = _schema.options(operation)
    options: dict[str, Any] = {}
    values = list(positional)
    if values and "problem" in fields:
        values[0] = _as_problem(values[0])
    if values and isinstance(values[0], Problem):
        options |= values.pop(0).options()
    places = [name for name, field in fields.items() if field.get("positional")]
    if not places and "problem" in fields:
        places = ["problem"]
    if len(values) > len(places):
        raise TypeError(f"{operation}() takes options by name, as in {operation}(alpha=...); got {values[0]!r}")
    options |= dict(zip(places, values, strict=False))
    given = _options.named(keywords, fields, operation)
    _require_near(given, fields)
    if "problem" in given:
        given["problem"] = _as_problem(given["problem"])
    if isinstance(given.get("problem"), Problem):
        options |= given.pop("problem").options()
    return options | given


# What every function takes beside the options of the library, which finds the nearest ones of those itself.
_OF_CALLS = ("html", "progress", "threads", "seed")


def _require_near(given: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Refuses a misspelt name of what every function takes."""
    for name, value in given.items():
        near = difflib.get_close_matches(name, [*_OF_CALLS, *fields], 1)
        if name not in fields and near and near[0] in _OF_CALLS:
            raise OptionError(f"unknown key '{name}'; did you mean '{near[0]}'?", _schema.to_keyword(name), value)


def _as_problem(value: Any) -> Any:
    """A problem that is given as a document or by a result; the path of a file as it is."""
    if isinstance(value, Record):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return Problem.from_dict(value)
    if value is not None and not isinstance(value, Problem | str | os.PathLike):
        raise OptionError(
            f"a problem is a Problem, a result, a dictionary, or the path of a file, got {value!r}", "problem", value
        )
    return value


class _Call:
    """One call of an operation, with how it is run."""

    def __init__(self, operation: str, threads: int | None, progress: Any, html: Any) -> None:
        self.operation = operation
        self.name = _schema.operations()[operation]["name"]
        self.threads = _threads.of_a_call() if threads is None else threads
        self.progress = progress
        self.html = html

    def once(self, options: dict[str, Any]) -> Result:
        return self._result(functools.partial(_core.run, self.name, options), options, self._said(options))

    def of_weights(self, options: Mapping[str, Any]) -> Result:
        """`inspect` of weights in memory."""
        rest = dict(options)
        weights, q, k = (rest.pop(name, None) for name in ("checkpoint", "q", "k"))
        config = None
        if weights is not None:
            rest |= {name: names for name, names in (("q", q), ("k", k)) if names is not None}
            tensors, config = _weights.of_model(weights)
        else:
            tensors, rest["heads"] = _weights.of_maps(q, k, rest.get("heads"))
        given = _options.document(rest, _schema.options(self.operation)) | {"checkpoint": "weights in memory"}
        return self._result(functools.partial(_core.inspect, tensors, config, given), given, "attnlaw.inspect(...)")

    def _result(self, compute: Callable[..., Any], options: Mapping[str, Any], said: str) -> Result:
        """What `compute` gives; `said` makes it again, for its page."""
        with option_errors(options), _progress.shown(self.progress) as progress:
            page = "" if self.html is None else str(self.html)
            return Result(self.operation, compute(self._checked_threads(), progress, page, said))

    def each(
        self, options: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], fields: Mapping[str, Any]
    ) -> Results:
        if self.html is not None:
            raise OptionError("a page shows one result: html goes without arrays of options", "html", self.html)
        try:
            grids = dict(zip(arrays, np.broadcast_arrays(*arrays.values()), strict=True))
        except ValueError:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise OptionError(f"arrays of options must have shapes that go together, got {shapes}") from None
        fixed = _options.document({k: v for k, v in options.items() if k not in arrays}, fields)
        flat = {name: grid.ravel().tolist() for name, grid in grids.items()}
        count = next(iter(grids.values())).size
        calls = [
            fixed | _options.document({name: values[i] for name, values in flat.items()}, fields) for i in range(count)
        ]
        with option_errors(options), _progress.shown(self.progress) as progress:
            outcomes = _core.run_each(self.name, calls, self._checked_threads(), progress)
        results = np.empty(count, dtype=object)
        results[:] = [Result(self.operation, outcome) for outcome in outcomes]
        return Results(results.reshape(next(iter(grids.values())).shape), grids)

    def _checked_threads(self) -> int:
        whole = isinstance(self.threads, int | np.integer) and not isinstance(self.threads, bool)
        if not whole or not 0 <= self.threads <= _MOST_THREADS:
            raise OptionError(
                f"threads must be an integer from 0 to {_MOST_THREADS}, got {self.threads!r}", "threads", self.threads
            )
        return int(self.threads)

    def _said(self, options: Mapping[str, Any]) -> str:
        given = ", ".join(f"{_schema.to_keyword(name)}={value!r}" for name, value in options.items())
        return f"attnlaw.{self.operation}({given})"


def _function(operation: str) -> Callable[..., Result | Results]:
    def function(*positional: Any, **keywords: Any) -> Result | Results:
        return call(operation, positional, keywords)

    function.__name__ = function.__qualname__ = operation
    function.__module__ = "attnlaw"
    function.__doc__ = _documentation.of_operation(operation)
    function.__signature__ = _signature(operation)  # type: ignore[attr-defined]
    return function


def _signature(operation: str) -> inspect.Signature:
    parameters = []
    for name, field in _schema.options(operation).items():
        kind: inspect._ParameterKind = inspect.Parameter.KEYWORD_ONLY
        if field.get("positional") or name == "problem":
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        default = (
            inspect.Parameter.empty if field.get("required") and "problem" not in _schema.options(operation) else None
        )
        parameters.append(inspect.Parameter(_schema.to_keyword(name), kind, default=default))
    for name in ("html", "progress"):
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None))
    # Positional ones first.
    parameters.sort(key=lambda parameter: parameter.kind)
    return inspect.Signature(parameters)


@functools.cache
def function(operation: str) -> Callable[..., Result | Results]:
    """The function of an operation, which is made when it is asked for the first time."""
    return _function(operation)


def names() -> list[str]:
    """The names of all operations."""
    return [_schema.to_keyword(name.replace("-", "_")) for name in _core.operation_names()]


def __getattr__(name: str) -> Any:
    if name.startswith("__") or name not in names():
        raise AttributeError(f"module 'attnlaw.operations' has no attribute '{name}'")
    return function(name)
