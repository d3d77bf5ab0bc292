"""Options of a call: from keyword arguments to the documents that the library reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import _core, _schema, custom, targets
from attnlaw._errors import OptionError, option_errors
from attnlaw._schema import Field

_NUMERIC = ("number", "integer", "value")

# What makes an option of a function.
_OF_FUNCTIONS = {
    "loss": "attnlaw.Loss makes a loss of it",
    "penalty": "attnlaw.Penalty makes a penalty of it, attnlaw.Denoiser one of a proximal map",
}

# FROM:TO:N[:log], as on the command line.
_SPAN = re.compile(r"[^:,]+:[^:,]+:[0-9]+(:log)?")


def named(keywords: Mapping[str, Any], fields: Mapping[str, Field], what: str) -> dict[str, Any]:
    """Options by their names in documents. Names that there are not are left for the library to refuse."""
    options: dict[str, Any] = {}
    for keyword, value in keywords.items():
        name = _schema.from_keyword(keyword)
        if name in options:
            raise OptionError(f"{name} is given twice to {what}", keyword, value)
        options[name] = value
    return options


def is_array(value: Any) -> bool:
    """Whether a value stands for many: an array or a list, but not a tuple, which is one value of several numbers."""
    return isinstance(value, list) or (not isinstance(value, str | bytes | tuple | dict) and np.ndim(value) > 0)


def varying(options: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, NDArray[Any]]:
    """The options with an array, or a span FROM:TO:N[:log], where there is one number."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in options.items():
        if fields.get(name, {}).get("type") not in _NUMERIC:
            continue
        if isinstance(value, str) and _SPAN.fullmatch(value):
            with option_errors(options):
                arrays[name] = _numbers(name, _core.items_of("--" + name, value))
        elif is_array(value):
            arrays[name] = _numbers(name, value)
    return arrays


def _numbers(name: str, value: Any) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:
        raise OptionError(f"{name} must be numbers, in lists of one length", _schema.to_keyword(name), value) from None
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind in "OU":
        # A list of numbers and words, as for lambda.
        return np.asarray(value, dtype=object)
    raise OptionError(f"{name} must be an array of numbers, got one of {array.dtype}", _schema.to_keyword(name), value)


def document(options: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The options as the library reads them: those that are None are left out."""
    return {
        name: _value(value, fields.get(name, {}), name, options)
        for name, value in custom.named(options).items()
        if value is not None
    }


def _value(value: Any, field: Field, name: str, options: Mapping[str, Any]) -> Any:
    kind = field.get("type")
    if callable(value) and not isinstance(value, type) and name in _OF_FUNCTIONS:
        raise OptionError(
            f"{name} does not take a function as it is; {_OF_FUNCTIONS[name]}", _schema.to_keyword(name), value
        )
    if name == "target" and not isinstance(value, str) and kind == "text":
        return targets.as_target(value, options.get("attention", "self"))
    if kind in ("text", "value") and not isinstance(value, str) and np.ndim(value) > 0:
        return _joined(value)
    if isinstance(value, np.generic) and np.issubdtype(value.dtype, np.integer):
        return int(value)
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _joined(value: Any) -> str:
    """Texts with several parts, as FROM,TO,N, from a tuple: ("lambda", 0.01, 1, 20) is lambda:0.01,1,20."""
    parts = [
        part if isinstance(part, str) else repr(part.item() if isinstance(part, np.generic) else part) for part in value
    ]
    if len(parts) > 1 and isinstance(value[0], str) and not isinstance(value[1], str):
        return parts[0] + ":" + ",".join(parts[1:])
    return ",".join(parts)
