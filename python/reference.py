"""Writes the reference of docs/python.md from the docstrings of the package; --check tells whether it is up to date.

Usage: reference.py [--check]. The package must be importable.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attnlaw
from attnlaw import _schema

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
BEGIN, END = "<!-- reference: python/reference.py writes this part -->\n", "<!-- end of the reference -->\n"
# Beside the operations, in the order of the page.
SECTIONS = {
    "Problems and results": [attnlaw.Problem, attnlaw.Record, attnlaw.Result, attnlaw.Results],
    "Laws": [attnlaw.Law, *(getattr(attnlaw.laws, name) for name in attnlaw.laws.__all__ if name != "Law")],
    "Targets": [
        attnlaw.targets.spectrum_target,
        attnlaw.targets.matrix_target,
        attnlaw.targets.density_target,
    ],
    "Threads, errors, warnings": [
        attnlaw.set_threads,
        attnlaw.get_threads,
        attnlaw.OptionError,
        attnlaw.AttnlawWarning,
    ],
}


def operation(name: str) -> Iterator[str]:
    about = _schema.operations()[name]
    options = ", ".join(f"`{_schema.to_keyword(option)}`" for option in _schema.options(name))
    figures = ", ".join(f"`{_schema.to_keyword(field['name'])}`" for field in about["result"]["fields"])
    page = Path("commands") / f"{about['name']}.md"
    yield f"### `attnlaw.{name}`\n\n"
    yield about["summary"][:1].upper() + about["summary"][1:] + ".\n\n"
    yield f"Options: {options}.\n\n"
    yield f"Result: {figures}.\n\n"
    if (PAGE.parent / page).exists():
        yield f"[What each of them is]({page}).\n\n"


def docstring(of: Any) -> str:
    """Its text; parameters and other parts with a rule under their name as blocks."""
    text = inspect.getdoc(of) or ""
    lines, block = [], False
    for line in text.splitlines():
        rule = line.startswith("---")
        if rule and not block:
            lines.insert(len(lines) - 1, "```text")
            block = True
        lines.append(line)
    return "\n".join([*lines, "```"] if block else lines) + "\n\n"


def entry(of: Any) -> Iterator[str]:
    module = "attnlaw.targets." if of.__module__ == "attnlaw.targets" else "attnlaw."
    signature = "" if inspect.isclass(of) else str(inspect.signature(of))
    yield f"### `{module}{of.__name__}{signature}`\n\n{docstring(of)}"
    if not inspect.isclass(of):
        return
    for name, member in vars(of).items():
        if name.startswith("_") or not inspect.getdoc(member):
            continue
        if isinstance(member, property):
            yield f"* `{name}`: {inspect.cleandoc(member.__doc__ or '').splitlines()[0]}\n"
        elif inspect.isfunction(member) or isinstance(member, classmethod):
            function = member.__func__ if isinstance(member, classmethod) else member
            parameters = list(inspect.signature(function).parameters.values())[1:]
            shown = ", ".join(str(parameter.replace(annotation=inspect.Parameter.empty)) for parameter in parameters)
            yield f"* `{name}({shown})`: {inspect.cleandoc(member.__doc__ or '').splitlines()[0]}\n"
    yield "\n"


def reference() -> str:
    parts = ["## Operations\n\n"]
    for name in attnlaw.operations.names():
        parts += operation(name)
    for title, members in SECTIONS.items():
        parts.append(f"## {title}\n\n")
        for member in members:
            parts += entry(member)
    return "".join(parts)


def main(arguments: list[str]) -> int:
    old = PAGE.read_text(encoding="utf-8")
    before, rest = old.split(BEGIN)
    _, after = rest.split(END)
    new = before + BEGIN + "\n" + reference() + END + after
    if new == old:
        return 0
    if "--check" in arguments:
        print("docs/python.md is out of date: python/reference.py writes it", file=sys.stderr)
        return 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
