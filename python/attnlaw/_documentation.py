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
    lines = [sentence(about["summary"]), "", "Parameters", "----------"]
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
            f"{sentence(about['result']['doc'])} Where options are arrays: Results, whose attributes are arrays."
        ),
        "",
        "Attributes of the result",
        "------------------------",
    ]
    lines += [line for field in about["result"]["fields"] for line in _entry(field["name"], field, option=False)]
    lines += ["", "Command line", "------------", f"``{about['example']}``", ""]
    return "\n".join(lines)


_PROBLEM = """
One learning problem: what is learned, from how many data, by which student.

The keyword arguments are the options of the command line and the keys of problem files, with ``lambda_`` for
lambda. They are checked when the problem is made. What is left out has the default of the command line, which for
some options depends on others. A problem does not change; ``replace`` makes another one.

Parameters
----------
{options}

Raises
------
OptionError
    For an unknown name, with the nearest known one, and for a value that is not accepted.

Examples
--------
>>> problem = Problem(alpha=0.3, lambda_=0.05)
>>> problem.replace(noise=0.1).noise
0.1
"""


def of_problem() -> str:
    """The docstring of the class of problems."""
    entries = (_entry(name, field, option=True, arrays=False) for name, field in _schema.problem_fields().items())
    return _PROBLEM.format(options="\n".join(line for entry in entries for line in entry)).strip()


def of_record(fields: Mapping[str, Field]) -> str:
    """The docstring of figures that belong together."""
    entries = (_entry(name, field, option=False) for name, field in fields.items())
    lines = [line for entry in entries for line in entry]
    return "\n".join(["Figures that belong together.", "", "Attributes", "----------", *lines, ""])


def _entry(name: str, field: Field, option: bool, arrays: bool = True) -> Iterator[str]:
    kind = type_of(field)
    if option and arrays and field["type"] in ("number", "integer", "value"):
        kind += ", or an array"
    if option and name in ("loss", "penalty"):
        kind += ", or a Loss of one's own" if name == "loss" else ", or a Penalty or Denoiser of one's own"
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


def sentence(text: str) -> str:
    """A text of the library as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
