"""Options of a call: from keyword arguments to the documents that the library reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import _schema, custom, targets
from attnlaw._errors import OptionError
from attnlaw._schema import Field

_NUMERIC = ("number", "integer", "value")


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
    return not isinstance(value, str | bytes | tuple | dict) and np.ndim(value) > 0


def varying(options: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, NDArray[Any]]:
    """The options with an array where there is one number."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in options.items():
        kind = fields.get(name, {}).get("type")
        if kind in _NUMERIC and is_array(value):
            arrays[name] = _numbers(name, value)
    return arrays


def _numbers(name: str, value: Any) -> NDArray[Any]:
    array = np.asarray(value)
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
