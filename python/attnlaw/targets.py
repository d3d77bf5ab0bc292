"""Targets S* from arrays, matrices and densities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnlaw import _core
from attnlaw._errors import OptionError


def spectrum_target(eigenvalues: ArrayLike) -> str:
    """The specification of a target with these eigenvalues (singular values with ``attention="cross"``).

    Parameters
    ----------
    eigenvalues : array of shape (D,)
        Finite numbers. An experiment at dimension d, a multiple of D, has each of them d/D times.

    Returns
    -------
    str
        For the option ``target``: ``spikes:D,s1,s2,…`` with all digits of the eigenvalues that are not 0.
    """
    values = _finite(eigenvalues, "the eigenvalues of a target")
    if values.ndim != 1 or values.size == 0:
        raise OptionError(
            f"the eigenvalues of a target are an array of shape (D,), got the shape {values.shape}",
            "target",
            eigenvalues,
        )
    return ",".join([f"spikes:{values.size}", *(repr(float(value)) for value in values if value != 0)])


def matrix_target(matrix: ArrayLike, attention: str = "self") -> str:
    """The specification of the target S* = ``matrix``: its eigenvalues, or with cross-attention its singular values.

    It is read as a matrix in a file, ``file:S.npy``, is: values that are equal up to the rounding of the numbers, which
    may be those of single precision, are one; a matrix of one column is a list of eigenvalues.

    Parameters
    ----------
    matrix : array of shape (D, D)
        Symmetric (to 1e-5 of the largest entry) unless attention is ``"cross"``; in units where its entries have
        variance of order 1/D.
    """
    values = _finite(matrix, "the matrix of a target")
    if values.ndim != 2 or values.size == 0:
        raise OptionError(f"the matrix of a target has the shape (D, D), got {values.shape}", "target", matrix)
    try:
        eigenvalues = _core.matrix_values(np.ascontiguousarray(values), attention == "cross")
    except ValueError as error:
        raise OptionError(str(error), "target", matrix) from None
    return spectrum_target(eigenvalues)


def density_target(
    density: Callable[[NDArray[np.float64]], ArrayLike], support: Sequence[float], count: int = 400
) -> str:
    """The specification of a target whose eigenvalues have a density.

    Parameters
    ----------
    density : callable
        Takes an array of points and returns the density there; it need not be normalised.
    support : (lower, upper)
        The interval of the eigenvalues.
    count : int
        So many eigenvalues stand for the density: its quantiles at (i + 1/2)/count.
    """
    lower, upper = (float(end) for end in support)
    if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
        raise OptionError(
            f"the support of a density is (lower, upper) with lower < upper, got {support!r}", "support", support
        )
    if count < 1:
        raise OptionError(f"count must be at least 1, got {count}", "count", count)
    # Points that gather at both ends, where densities of matrices behave like roots.
    panels = max(4096, 16 * count)
    x = lower + (upper - lower) * np.sin(np.linspace(0, np.pi / 2, panels + 1)) ** 2
    middle = (x[1:] + x[:-1]) / 2
    at = _finite(density(middle), "a density", "density")
    if at.shape != middle.shape or np.any(at < 0) or not np.any(at > 0):
        raise OptionError(
            "a density returns numbers >= 0, not all of them 0, in an array of the shape of its points",
            "density",
            density,
        )
    cumulated = np.concatenate([[0.0], np.cumsum(at * np.diff(x))])
    return spectrum_target(np.interp((np.arange(count) + 0.5) / count * cumulated[-1], cumulated, x))


def _finite(values: ArrayLike, what: str, option: str = "target") -> NDArray[np.float64]:
    """Numbers as an array; `what` names them in the message on others, `option` is at fault then."""
    if np.iscomplexobj(values):
        raise OptionError(f"{what} must be real numbers, got complex ones", option, values)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise OptionError(f"{what} must be real numbers: {error}", option, values) from None
    if not np.all(np.isfinite(array)):
        raise OptionError(f"{what} must be finite", option, values)
    return array


def as_target(value: Any, attention: str = "self") -> str:
    """What the option ``target`` takes: a specification as it is, an array of eigenvalues, a matrix."""
    if isinstance(value, str):
        return value
    if callable(value):
        raise OptionError(
            "target does not take a function as it is; attnlaw.targets.density_target makes a target of a density",
            "target",
            value,
        )
    return matrix_target(value, attention) if np.ndim(value) == 2 else spectrum_target(value)
