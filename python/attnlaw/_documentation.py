"""Docstrings, made from what the library says of its options and results."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from attnlaw import _schema
from attnlaw._schema import Field

_WIDTH = 100
_TYPES = {
    "number": "float",
    "integer": "int",
    "flag": "bool",
    "text": "str",
    "choice": "str",
    "value": "int, float or str",
    "list": "list",
    "object": "Record",
}


def type_of(field: Field) -> str:
    """The type of a field in words."""
    if field["type"] == "list" and "item" in field:
        item = _TYPES[field["item"]["type"]]
        return "array" if field["item"]["type"] in ("number", "integer") else f"list of {item}"
    return _TYPES[field["type"]]


def of_operation(operation: str) -> str:
    """The docstring of the function of an operation."""
    about = _schema.operations()[operation]
    options = _schema.options(operation)
    lines = [_sentence(about["summary"]), "", "Parameters", "----------"]
    lines += [line for name, field in options.items() for line in _entry(name, field, option=True)]
    lines += [
        "html : str, optional",
        "    write the page with charts to this file, where the operation has one",
        "progress : callable or bool, optional",
        "    called as progress(label, done, total); True shows a bar",
        "",
        "Returns",
        "-------",
        "Result",
        *_wrapped(
            f"{_sentence(about['result']['doc'])} Where options are arrays: Results, whose attributes are arrays."
        ),
        "",
        "Attributes of the result",
        "------------------------",
    ]
    lines += [line for field in about["result"]["fields"] for line in _entry(field["name"], field, option=False)]
    lines += ["", "Command line", "------------", f"``{about['example']}``", ""]
    return "\n".join(lines)


def of_problem() -> str:
    """The options of a problem, as a part of a docstring."""
    entries = (_entry(name, field, option=True) for name, field in _schema.problem_fields().items())
    return "\n".join(line for entry in entries for line in entry)


def _entry(name: str, field: Field, option: bool) -> Iterator[str]:
    kind = type_of(field)
    if option and field["type"] in ("number", "integer", "value"):
        kind += ", or an array"
    if option and name in ("loss", "penalty"):
        kind += f", or a {name.capitalize()} of one's own"
    yield f"{_schema.to_keyword(name)} : {kind}" + (_default(field) if option else "")
    yield from _wrapped(_schema.says(field))


def _default(field: Mapping[str, Any]) -> str:
    if field.get("required"):
        return ""
    if "otherwise" in field:
        return f", default {field['otherwise']}" if field["otherwise"] != "required" else ""
    return f", default {field['default']}" if field.get("default") not in (None, "", []) else ", optional"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
