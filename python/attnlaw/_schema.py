"""What the library says of its operations: names, options, results, documentation."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Iterable, Mapping
from typing import Any

from attnlaw import _core

Field = Mapping[str, Any]


@functools.cache
def document() -> Mapping[str, Any]:
    """The whole schema, as ``attnlaw schema`` prints it."""
    schema: Mapping[str, Any] = _core.schema()
    return schema


@functools.cache
def operations() -> dict[str, Mapping[str, Any]]:
    """Every operation under its name in Python."""
    return {to_keyword(operation["name"].replace("-", "_")): operation for operation in document()["operations"]}


@functools.cache
def options(operation: str) -> dict[str, Field]:
    """The options of an operation, by their names in documents; those that every operation takes come last."""
    own = {field["name"]: field for field in operations()[operation]["options"]["fields"]}
    return own | {
        field["name"]: field for field in document()["common"]["fields"] if field["name"] in ("threads", "seed")
    }


@functools.cache
def problem_fields() -> dict[str, Field]:
    """The fields of a problem."""
    return {field["name"]: field for field in _core.problem_schema()["fields"]}


def fields_of(description: Mapping[str, Any] | None) -> dict[str, Field]:
    """The fields of a struct, or of the items of a list of structs, by name."""
    if not description:
        return {}
    if description.get("type") == "list":
        return fields_of(description.get("item"))
    return {field["name"]: field for field in description.get("fields", ())}


def is_head(names: Iterable[str]) -> bool:
    """Whether a struct with fields of these names is a head of ``inspect``."""
    return {"rows", "dimension", "frobenius_norm", "singular_values"}.issubset(names)


def to_keyword(name: str) -> str:
    """A name as Python can write it: ``lambda_`` for ``lambda``."""
    return name + "_" if keyword.iskeyword(name) else name


def from_keyword(name: str) -> str:
    """The name of an option for a keyword argument."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def says(field: Field) -> str:
    """What the documentation says of a field: what it is, its symbol and unit, and what it accepts."""
    text = str(field.get("doc", ""))
    unit = ", ".join(part for part in (field.get("symbol", ""), field.get("unit", "")) if part)
    if unit:
        text += f" ({unit})"
    if accepts := accepted(field):
        text += f"; {accepts}"
    return text


def accepted(field: Field) -> str:
    """The values that a field takes, in words; empty where its type says all."""
    if "accepts" in field:
        return str(field["accepts"])
    if "choices" in field:
        return "one of " + ", ".join(field["choices"])
    bounds = field.get("range", {})
    parts = []
    if "least" in bounds:
        parts.append(f"{'>' if bounds.get('open') else '>='} {bounds['least']:g}")
    if "most" in bounds:
        parts.append(f"<= {bounds['most']:g}")
    return " and ".join(parts)
