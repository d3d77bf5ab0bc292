"""header_weight.py ROOT: what the headers of ROOT/src/attnlaw make everyone parse who includes them.

Headers name JSON by <nlohmann/json_fwd.hpp>; none includes CLI11 or <filesystem>; and those that only declare options and results
reach no Eigen, by whatever path. Headers that are not installed (cmake/internal_headers.txt) are included by none that is.
Prints the faults and ends with 1 if there are any.
"""
import functools
import pathlib
import re
import sys

# A struct that holds a JSON value needs to know its size, and so do the builders of descriptions and who uses them.
HOLD_JSON = {
    "base/toml.h", "base/fields/fields.h", "report/chart.h", "study/outcome.h", "study/study.h", "study/file/keys.h",
    "view/plan.h", "view/result.h", "operations/operation.h", "operations/problem_options.h",
    "operations/problem_grid.h", "view/figure/curve.h",
}
NEVER = ("nlohmann/json.hpp", "CLI/", "filesystem")
# What declares options and results; they reach none of HEAVY.
LIGHT = ("model/*.h", "checkpoint/model.h", "checkpoint/open.h", "experiment/experiment.h", "theory/sol*.h", "theory/thresholds.h", "study/task.h", "study/comparison.h")
# Functions of arrays, which only those include who write them.
ARRAYS = {"model/custom_loss.h"}
HEAVY = ("Eigen/", "boost/", "nlohmann/json.hpp")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)
source = pathlib.Path(sys.argv[1]) / "src"
rooms = source / "attnlaw"


@functools.cache
def included(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def path_to(header, unwanted, seen):
    """The chain of includes from a header to a name that starts with `unwanted`; None if there is none."""
    for name in included(header):
        if name.startswith(unwanted):
            return [name]
        below = source / name
        if below.is_file() and below not in seen:
            seen.add(below)
            chain = path_to(below, unwanted, seen)
            if chain:
                return [name] + chain
    return None


faults = []
headers = [h for h in sorted(rooms.rglob("*.h")) if "node_modules" not in h.parts]
for header in headers:
    name = header.relative_to(rooms).as_posix()
    for other in included(header):
        if other.startswith(NEVER) and not (other == "nlohmann/json.hpp" and name in HOLD_JSON):
            faults.append(f"{name} includes {other}")
for header in sorted({h for pattern in LIGHT for h in rooms.glob(pattern)}):
    for unwanted in HEAVY if header.relative_to(rooms).as_posix() not in ARRAYS else ():
        chain = path_to(header, unwanted, set())
        if chain:
            route = " -> ".join(chain)
            faults.append(f"{header.relative_to(rooms).as_posix()} reaches {unwanted} by {route}")

internal = (source.parent / "cmake" / "internal_headers.txt").read_text(encoding="utf-8").split()
for name in internal:
    if not (rooms / name).is_file():
        faults.append(f"cmake/internal_headers.txt has {name}, which there is not")
for header in headers:
    for name in internal if header.relative_to(rooms).as_posix() not in internal else ():
        if f"attnlaw/{name}" in included(header):
            faults.append(f"{header.relative_to(rooms).as_posix()} is installed and includes {name}, which is not")

print("\n".join(faults) if faults else f"{len(headers)} headers carry no weight")
sys.exit(1 if faults or not headers else 0)
