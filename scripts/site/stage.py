"""Assembles the sources of the documentation site in a folder.

Usage: stage.py FOLDER. The folder has the layout of the repository, so that relative links lead where they lead there:
guides, notebooks and the files they name are copied, and pages are written for the Python package and the C++ headers.
"""

from __future__ import annotations

import itertools
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import formulas

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = ("docs", "examples", "figures")
FILES = ("README.md", "DEVELOPERS.md", "CHANGELOG.md", "LICENSE", "CITATION.cff", "pyproject.toml")

INDEX = """# attnlaw

Exact high-dimensional laws of attention, beside finite-size experiments.

```{toctree}
:caption: Begin
:maxdepth: 1

README
docs/README
docs/guide/first-steps
docs/python
```

```{toctree}
:caption: Notebooks and examples
:maxdepth: 1
:glob:

examples/first_steps
examples/your_own_model
examples/checkpoint_to_spectrum
examples/*/README
```

```{toctree}
:caption: Guides
:maxdepth: 1
:glob:

docs/guide/*
```

```{toctree}
:caption: Commands
:maxdepth: 1
:glob:

docs/commands/README
docs/commands/*
```

```{toctree}
:caption: Theory
:maxdepth: 1
:glob:

docs/theory/*
```

```{toctree}
:caption: Reference
:maxdepth: 1
:glob:

docs/*
reference/python
reference/cpp
```

```{toctree}
:caption: For those who change it
:maxdepth: 1

DEVELOPERS
CHANGELOG
```
"""

PYTHON = """# Python reference

Operations (`attnlaw.solve` and all others) are described by [their commands](../docs/commands/README.md), and by
`help(attnlaw.solve)`; [Python](../docs/python.md) says how they are called. Below is what the package has beside them.
"""

# Modules in the order in which people need them.
MODULES = {
    "attnlaw.problem": "Problems",
    "attnlaw._results": "Results",
    "attnlaw.laws": "Laws",
    "attnlaw.targets": "Targets",
    "attnlaw.custom": "Losses and penalties",
    "attnlaw.plot": "Figures",
    "attnlaw.store": "Stores of studies",
}


def python_page() -> str:
    parts = [PYTHON]
    for module, title in MODULES.items():
        parts.append(f"## {title}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n```\n")
    return "\n".join(parts)


def rooms() -> Iterator[tuple[str, list[Path]]]:
    """The rooms of the library in alphabetical order, each with its headers."""
    source = ROOT / "src" / "attnlaw"
    folders = sorted({header.parent for header in source.rglob("*.h")})
    for folder in folders:
        yield folder.relative_to(source).as_posix(), sorted(folder.glob("*.h"))


def header_section(header: Path) -> str:
    """What a header says of itself, and its declarations as they stand."""
    lines = header.read_text(encoding="utf-8").splitlines()
    lines.remove("#pragma once")
    about = [line.removeprefix("///").removeprefix(" ") for line in itertools.takewhile(is_comment, lines)]
    code = [line for line in lines[len(about) :] if not line.startswith(("#include", "namespace ", "}  // namespace"))]
    declarations = re.sub(r"\n{3,}", "\n\n", "\n".join(code)).strip()
    name = header.relative_to(ROOT / "src").as_posix()
    return f"## {name}\n\n{prose(about)}\n\n````cpp\n{declarations}\n````\n"


def is_comment(line: str) -> bool:
    return line.startswith("///")


def prose(lines: list[str]) -> str:
    """Comments as Markdown: outside of code, signs that would be markup are what they are."""
    result, code = [], False
    for line in lines:
        if line.startswith("```"):
            code = not code
        result.append(line if code or line.startswith("```") else re.sub(r"([\\<*_\[\]#|])", r"\\\1", line))
    return "\n".join(result)


def cpp_pages(folder: Path) -> None:
    names = []
    for room, headers in rooms():
        title = "attnlaw" if room == "." else room
        name = title.replace("/", "-")
        names.append(name)
        text = "\n".join([f"# {title}\n", *map(header_section, headers)])
        (folder / "cpp" / f"{name}.md").write_text(text, encoding="utf-8")
    tree = "\n".join(["```{toctree}", ":maxdepth: 1", "", *(f"cpp/{name}" for name in names), "```"])
    about = "The public headers, room by room; [DEVELOPERS](../DEVELOPERS.md) says what each room is for."
    (folder / "cpp.md").write_text(f"# C++ reference\n\n{about}\n\n{tree}\n", encoding="utf-8")


def main(target: str) -> None:
    folder = Path(target)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "reference" / "cpp").mkdir(parents=True)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    for name in FILES:
        shutil.copy2(ROOT / name, folder / name)
    for page in (folder / "docs" / "theory").glob("*.md"):
        page.write_text(formulas.rendered(page.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "index.md").write_text(INDEX, encoding="utf-8")
    (folder / "reference" / "python.md").write_text(python_page(), encoding="utf-8")
    cpp_pages(folder / "reference")


if __name__ == "__main__":
    main(sys.argv[1])
