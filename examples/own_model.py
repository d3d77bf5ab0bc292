"""A loss and a penalty of your own: theory and experiment, side by side.

Run as ``python examples/own_model.py``; takes about a minute on two cores.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

import attnlaw

Floats = NDArray[np.float64]

D = int(sys.argv[1]) if len(sys.argv) > 1 else 80
WIDTH = 0.1


def huber(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return Huber's loss of a softmax row p against the row y, quadratic up to WIDTH, and its gradient."""
    r = p - y
    small = abs(r) <= WIDTH
    value = np.where(small, r**2 / 2, WIDTH * (abs(r) - WIDTH / 2)).sum(axis=1)
    return value, np.clip(r, -WIDTH, WIDTH)


def elastic(s: Floats) -> tuple[Floats, Floats]:
    """Return the elastic trace, with lambda in front λ Tr S + λ Tr S², and its slopes."""
    return s + s**2, 1 + 2 * s


def compare(title: str, **model: Any) -> None:
    """Print what the theory predicts, what is measured, and how far that is from the theory of the targets drawn."""
    theory = attnlaw.solve(**model)
    experiment = attnlaw.simulate(**model, d=D, instances=4)
    print(f"{title}: theory, d = {D}, difference")
    for name in ("train", "test", "estimation"):
        measured = getattr(experiment.mean, name)
        error = getattr(experiment.standard_error, name)
        difference = getattr(experiment.difference, name)
        print(
            f"  {name:<11}{getattr(theory.errors, name):.5f}   {measured:.5f} ± {error:.5f}   "
            f"{100 * difference.value:+.1f} ± {100 * difference.standard_error:.1f} %"
        )


if __name__ == "__main__":
    noisy = {"lambda_": 0.02, "noise": 0.2}
    compare("Huber's loss of one row", loss=attnlaw.Loss(huber, coordinates="row"), alpha=1.0, **noisy)
    compare("Elastic trace", penalty=attnlaw.Penalty(elastic), alpha=0.5, **noisy)
