"""same_numbers.py FOLDER FOLDER: the JSON documents of the same names in both, whose numbers agree to rounding."""
import json
import math
import sys
from pathlib import Path

# A fixed point is solved for, and a student trained, to a tolerance: rounding moves where that is met.
RELATIVE = 1e-7
# Of numbers that are zero but for rounding.
ABSOLUTE = 1e-10
# What is measured of the run itself, or is an estimate of an error and no result.
OWN = {"seconds", "iterations", "residual", "law_error", "sampling_error", "kkt_residual", "mass_error"}


def differences(one, other, where):
    """Yields what differs, as sentences."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            if key not in OWN:
                yield from differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{index}]")
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            yield f"{where}: {one!r} and {other!r}"
    elif one != other:
        yield f"{where}: {one!r} and {other!r}"


def main(first, second):
    names = sorted(path.name for path in first.iterdir())
    if not names or names != sorted(path.name for path in second.iterdir()):
        sys.exit(f"{first} and {second} have not the same documents")
    found = [
        difference
        for name in names
        for difference in differences(*(json.loads((folder / name).read_text()) for folder in (first, second)), name)
    ]
    print("\n".join(found[:20]))
    sys.exit(1 if found else 0)


main(*map(Path, sys.argv[1:]))
