"""Writes the type stubs of the package from what the module says of its operations.

Usage: stubs.py MODULE FOLDER. Runs while the package is built, with nothing but the module itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Field = Mapping[str, Any]

HEAD = '''"""Made by python/stubs.py."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from attnlaw.custom import Denoiser, Loss, Penalty
from attnlaw.laws import Law
from attnlaw.problem import Problem
from attnlaw._results import Record, Result, Results

type_Numbers = Sequence[float] | NDArray[np.number[Any]]
type_Progress = Callable[[str, int, int], object] | bool | None
'''

PROBLEM = '''"""Made by python/stubs.py."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from attnlaw.custom import Denoiser, Loss, Penalty

class Problem:
{doc}

    def __init__(
        self,
        *,
{options}
    ) -> None: ...
{properties}
    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Problem: ...
    def to_dict(self) -> dict[str, Any]: ...
    def options(self) -> dict[str, Any]: ...
    def replace(
        self,
        *,
{options}
    ) -> Problem: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...
'''

SCALARS = {
    "number": "float",
    "integer": "int",
    "flag": "bool",
    "text": "str",
    "value": "float | str",
    "object": "Record",
}


def load(path: str) -> Any:
    """The module, and with it those files of the package that say what its options are; they need nothing else."""
    spec = importlib.util.spec_from_file_location("_core", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The sources may be read-only.
    sys.dont_write_bytecode = True
    package = types.ModuleType("attnlaw")
    package.__path__ = [str(Path(__file__).parent / "attnlaw")]
    package._core = module  # type: ignore[attr-defined]
    sys.modules["attnlaw"] = package
    return module


def part(name: str) -> Any:
    """A file of the package, after `load`."""
    return importlib.import_module(f"attnlaw.{name}")


def to_keyword(name: str) -> str:
    return str(part("_schema").to_keyword(name))


def docstring(text: str, indent: str) -> list[str]:
    """A docstring in a stub, line by line."""
    lines = text.strip().replace("\\", "\\\\").replace('"', "'").splitlines()
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(indent + line if line else "" for line in lines[1:]), f'{indent}"""']


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))


def choice(field: Field) -> str:
    return "Literal[" + ", ".join(f'"{word}"' for word in field["choices"]) + "]"


def option_type(field: Field) -> str:
    """What an option takes as one value."""
    if field["name"] == "target":
        return "str | Sequence[float] | NDArray[np.number[Any]]"
    if field["type"] == "choice":
        return choice(field)
    if field["type"] == "list":
        item = SCALARS.get(field["item"]["type"], "str")
        return f"{item} | Sequence[{item}] | NDArray[np.number[Any]]"
    if field["type"] == "text":
        return "str | PathLike[str] | tuple[float | str, ...]"
    if field["type"] == "value":
        return "float | str | tuple[int, ...]"
    return SCALARS[field["type"]]


def option(field: Field, arrays: bool) -> str:
    kind = option_type(field)
    if arrays and field["type"] in ("number", "integer", "value"):
        kind += " | type_Numbers"
    kind += {"loss": " | Loss", "penalty": " | Penalty | Denoiser"}.get(field["name"], "")
    return f"{to_keyword(field['name'])}: {kind} | None = None"


def documented_property(field: Field, kind: str) -> Iterator[str]:
    text = part("_schema").says(field)
    yield "    @property"
    yield f"    def {to_keyword(field['name'])}(self) -> {kind}:" + ("" if text else " ...")
    if text:
        yield from docstring(text, "        ")


class Classes:
    """The classes of structs in results; structs that are described alike are one class."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: dict[str, str] = {}

    def name_of(self, struct: Field, name: str) -> str:
        key = repr((struct.get("doc"), struct["fields"]))
        if key not in self._known:
            self._known[key] = name
            self.write(name, "Record", struct)
        return self._known[key]

    def write(self, name: str, base: str, struct: Field) -> None:
        properties = [line for field in struct["fields"] for line in self._property(name, field)]
        if part("_schema").is_head(field["name"] for field in struct["fields"]):
            properties += ["    @property", "    def null(self) -> Law | None:"]
            law = "The law of the singular values of a random product of as much energy; None where N1 is not asked."
            properties += [f'        """{law}"""']
        about = docstring(part("_documentation").sentence(struct["doc"]), "    ") if struct.get("doc") else []
        self.lines += [f"class {name}({base}):", *(about + properties or ["    ..."]), ""]

    def _property(self, owner: str, field: Field) -> Iterator[str]:
        if owner.endswith("Result") and field["name"] in ("converged", "warnings", "operation"):
            return
        kind = self.type_of(owner.removesuffix("Result"), field)
        yield from documented_property(field, kind)

    def type_of(self, owner: str, field: Field) -> str:
        kind = self._type(owner + camel(field["name"]), field)
        return kind + " | None" if field.get("optional") else kind

    def _type(self, name: str, field: Field) -> str:
        if field.get("fields"):
            return self.name_of(field, name)
        if field["type"] == "choice":
            return choice(field)
        if field["type"] == "value":
            return "Any"
        if field["type"] != "list":
            return SCALARS[field["type"]]
        item = field["item"]
        if item.get("fields"):
            return f"list[{self.name_of(item, name)}]"
        return {"number": "NDArray[np.float64]", "integer": "NDArray[np.int64]"}.get(item["type"], "Any")


def function(operation: Mapping[str, Any], result: str, common: list[Field]) -> list[str]:
    fields = [*operation["options"]["fields"], *common]
    name = to_keyword(operation["name"].replace("-", "_"))
    first = [field for field in fields if field.get("positional")]
    rest = [field for field in fields if field not in first and field["name"] != "problem"]
    has_problem = any(field["name"] == "problem" for field in fields)

    def signature(arrays: bool) -> list[str]:
        lines = [option(field, arrays) for field in first]
        if has_problem:
            lines.append("problem: Problem | Mapping[str, Any] | str | PathLike[str] | None = None")
        lines += ["*", *(option(field, arrays) for field in rest)]
        lines += ["html: str | PathLike[str] | None = None", "progress: type_Progress = None"]
        if operation["name"] == "inspect":
            lines[0] = "checkpoint: str | PathLike[str] | Mapping[str, Any] | None = None"
            lines = [
                line.replace("q: str", "q: NDArray[Any] | str").replace("k: str", "k: NDArray[Any] | str")
                for line in lines
            ]
        return lines

    about = docstring(part("_documentation").of_operation(name), "    ")

    def head(arrays: bool, returned: str) -> list[str]:
        return [f"def {name}(", *(f"    {line}," for line in signature(arrays)), f") -> {returned}:", *about]

    if not any(field["type"] in ("number", "integer", "value") for field in operation["options"]["fields"]):
        return head(False, result)
    return ["@overload", *head(False, result), "@overload", *head(True, "Results")]


def operations_stub(core: Any) -> tuple[str, list[str]]:
    schema = core.schema()
    common = [field for field in schema["common"]["fields"] if field["name"] in ("threads", "seed")]
    classes, functions, names = Classes(), [], []
    for operation in schema["operations"]:
        result = camel(operation["name"]) + "Result"
        classes.write(result, "Result", operation["result"])
        functions += [*function(operation, result, common), ""]
        names.append(to_keyword(operation["name"].replace("-", "_")))
    tail = ["def names() -> list[str]: ...", "def function(operation: str) -> Callable[..., Result | Results]: ..."]
    return "\n".join([HEAD, *classes.lines, *functions, *tail, ""]), names


def problem_stub(core: Any) -> str:
    fields = core.problem_schema()["fields"]
    options = "\n".join(f"        {option(field, False)}," for field in fields)
    properties = []
    for field in fields:
        words = field["type"] == "choice" and field["name"] != "loss"  # a loss of one's own has any name
        kind = choice(field) if words else SCALARS.get(field["type"], "str")
        properties += documented_property(field, kind)
    about = "\n".join(docstring(part("_documentation").of_problem(), "    "))
    return PROBLEM.format(options=options, properties="\n".join(properties), doc=about)


def package_stub(source: str, names: list[str]) -> str:
    """The package's own source, with the operations by name where it finds them by __getattr__."""
    head, rest = source.split("__all__ = [", 1)
    listed = rest.split("*operations.names(),", 1)[0]
    imports = "".join(f"from attnlaw.operations import {name} as {name}\n" for name in names)
    quoted = "".join(f'    "{name}",\n' for name in names)
    return f"{head}{imports}\n__all__ = [{listed}{quoted.lstrip()}]\n"


def main(module: str, folder: str) -> None:
    core = load(module)
    out = Path(folder)
    operations, names = operations_stub(core)
    source = (Path(__file__).parent / "attnlaw" / "__init__.py").read_text(encoding="utf-8")
    for name, text in {
        "operations.pyi": operations.replace("type_", "_"),
        "problem.pyi": problem_stub(core),
        "__init__.pyi": package_stub(source, names),
    }.items():
        (out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
