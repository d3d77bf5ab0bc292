"""Losses, labels and penalties of your own, as functions over NumPy arrays."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlaw import _core

Floats = NDArray[np.float64]

# A name that no other object of this process has: documents name losses and penalties by it.
_numbers = itertools.count(1)


def _name(function: Callable[..., Any], name: str | None) -> str:
    return f"custom:{name or getattr(function, '__name__', 'function').strip('<>')}-{next(_numbers)}"


def named(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the names of losses and penalties, which documents have behind one another: LOSS+PENALTY."""
    result = dict(options)
    loss, penalty = result.get("loss"), result.get("penalty")
    if isinstance(loss, Loss):
        result["loss"] = loss.name
    if isinstance(penalty, Penalty):
        del result["penalty"]
        result["loss"] = f"{result.get('loss') or ''}+{penalty.name}"
    return result


def objects(options: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a document with the losses and penalties themselves, which live as long as somebody holds them."""
    result = dict(document)
    if isinstance(options.get("penalty"), Penalty):
        result["penalty"] = options["penalty"]
        del result["loss"]
    if options.get("loss") is not None:
        result["loss"] = options["loss"]
    return result


def _floats(given: Any, shape: tuple[int, ...], what: str) -> Floats:
    """An array of the given shape. One of so many numbers may have other axes."""
    array = np.ascontiguousarray(given)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what} must be an array of real numbers, got one of {array.dtype}")
    array = array.astype(np.float64, copy=False)
    if array.shape == shape:
        return array
    if array.size == int(np.prod(shape)) and array.shape[:1] == shape[:1]:
        return array.reshape(shape)
    raise ValueError(f"{what} must have the shape {shape}, got {array.shape}")


class _Derivatives:
    """Finds out, once for every number of coordinates, whether a function of real numbers takes complex steps."""

    # No difference is taken: the step may be as small as there are numbers.
    _STEP = 1e-30
    _DIFFERENCE = 1e-5
    _ACCEPTED = 1e-6

    def __init__(self, values: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self._values = values

    def by_complex_steps(self, at: Floats) -> Floats | None:
        gradient = np.empty(at.shape)
        for k in range(at.shape[1]):
            moved = at.astype(np.complex128)
            moved[:, k] += 1j * self._STEP
            with np.errstate(all="ignore"):
                try:
                    values = np.asarray(self._values(moved))
                except (TypeError, ValueError, NotImplementedError):
                    return None
            if values.dtype.kind != "c" or values.shape[:1] != at.shape[:1]:
                return None
            gradient[:, k] = values.reshape(at.shape[0]).imag / self._STEP
        return gradient

    def agree_with_differences(self, at: Floats) -> bool:
        steps = self.by_complex_steps(at)
        if steps is None or not np.isfinite(steps).all():
            return False
        for k in range(at.shape[1]):
            shift = self._DIFFERENCE * np.eye(at.shape[1])[k]
            difference = (self._values(at + shift) - self._values(at - shift)) / (2 * self._DIFFERENCE)
            scale = 1e-3 + np.abs(difference).mean()
            # A kink within the difference is no disagreement.
            if np.quantile(np.abs(difference.reshape(-1) - steps[:, k]), 0.9) > self._ACCEPTED * scale:
                return False
        return True


class _LossFunction:
    """What the library calls: (values, gradient or None, Hessian or None) of (labels, coordinates)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._complex: dict[int, bool] = {}

    def __call__(self, labels: Floats, at: Floats) -> tuple[Floats, Floats | None, Floats | None]:
        samples, k = at.shape
        given = self._function(labels, at)
        parts = given if isinstance(given, tuple) else (given,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"a loss returns its values, or (values, gradient) or (values, gradient, hessian); "
                f"got {len(parts)} arrays"
            )
        value = _floats(parts[0], (samples,), "the values of the loss")
        if len(parts) == 1:
            return value, self._gradient(labels, at), None
        gradient = _floats(parts[1], (samples, k), "the gradient of the loss")
        hessian = _floats(parts[2], (samples, k * k), "the Hessian of the loss") if len(parts) == 3 else None
        return value, gradient, hessian

    def _gradient(self, labels: Floats, at: Floats) -> Floats | None:
        derivatives = _Derivatives(lambda moved: self._function(labels, moved))
        k = at.shape[1]
        if k not in self._complex:
            self._complex[k] = derivatives.agree_with_differences(at)
        return derivatives.by_complex_steps(at) if self._complex[k] else None


class _LabelFunction:
    """Labels as an array of samples × numbers."""

    def __init__(self, function: Callable[[Floats], Any]) -> None:
        self._function = function

    def __call__(self, scores: Floats) -> Floats:
        labels = np.asarray(self._function(scores))
        columns = 1 if labels.ndim < 2 else int(np.prod(labels.shape[1:]))
        return _floats(labels, (scores.shape[0], columns), "the labels")


class Loss:
    """A loss, and labels, given as functions.

    Parameters
    ----------
    function
        ``function(y, u)`` of labels ``y`` (n, l) and coordinates ``u`` (n, k) of n samples. It returns the n values,
        or ``(values, gradient)`` with a gradient (n, k) in u, or ``(values, gradient, hessian)`` with a Hessian
        (n, k, k). Without a gradient complex steps are taken where they agree with differences, else differences.
    coordinates
        What u is: ``"row"``, the first row of the softmax (k = T probabilities); ``"rows"``, all rows (T²);
        ``"row-scores"`` and ``"scores"``, the scores themselves; ``"score"``, one combination of scores.
    labels
        ``"outputs"``: the coordinates of the target, noise on its scores included; ``"sampled"``: one-hot rows drawn
        with these probabilities; ``"sign"``: ±1, of the score; or a function of the noisy scores of the target (n, s),
        those of ``"row-scores"`` for a row, of ``"scores"`` for all rows.
    convex
        Whether the loss is known to be convex in the scores: then proximal points need one search.
    name
        How results name it.

    Examples
    --------
    >>> import numpy as np
    >>> def huber(y, p, width=0.2):
    ...     r = p - y
    ...     return np.where(abs(r) < width, r**2 / 2, width * (abs(r) - width / 2)).sum(1), np.clip(r, -width, width)
    >>> loss = Loss(huber, coordinates="row")

    Source: docs/theory/custom.md.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        coordinates: str = "row",
        labels: str | Callable[[Floats], Any] = "outputs",
        *,
        convex: bool = False,
        name: str | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a loss needs a function of labels and coordinates, got {function!r}")
        if not (isinstance(labels, str) or callable(labels)):
            raise TypeError(f"labels must be a word or a function of scores, got {labels!r}")
        self.function, self.coordinates, self.labels, self.convex = function, coordinates, labels, convex
        self._given_name = name
        self.name = _name(function, name)
        word, label_function = (labels, None) if isinstance(labels, str) else ("function", _LabelFunction(labels))
        # It lives as long as this: problems name it.
        self._held = _core.CustomLoss(
            self.name, coordinates.replace("_", "-"), _LossFunction(function), word, label_function, convex
        )

    def _key(self) -> tuple[Any, ...]:
        """What losses that are the same have in common, pickled or not."""
        return ("Loss", self.function, self.coordinates, self.labels, self.convex)

    def __repr__(self) -> str:
        return f"Loss({self.name!r}, coordinates={self.coordinates!r}, labels={self.labels!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _loss_again, (self.function, self.coordinates, self.labels, self.convex, self._given_name)


def _loss_again(function: Any, coordinates: str, labels: Any, convex: bool, name: str | None) -> Loss:
    return Loss(function, coordinates, labels, convex=convex, name=name)


class _PenaltyFunction:
    """What the library calls: (values, slopes or None) of eigenvalues."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._complex: bool | None = None

    def __call__(self, s: Floats) -> tuple[Floats, Floats | None]:
        given = self._function(s)
        if isinstance(given, tuple):
            if len(given) != 2:
                raise ValueError(f"a penalty returns its values, or (values, slopes); got {len(given)} arrays")
            return (
                _floats(given[0], s.shape, "the values of the penalty"),
                _floats(given[1], s.shape, "the slopes of the penalty"),
            )
        return _floats(given, s.shape, "the values of the penalty"), self._slopes(s)

    def _slopes(self, s: Floats) -> Floats | None:
        derivatives = _Derivatives(lambda moved: self._function(moved[:, 0]))
        if self._complex is None:
            # Eigenvalues that cannot be negative are tried where differences stay inside.
            self._complex = derivatives.agree_with_differences(np.linspace(0.05, 3, 60).reshape(-1, 1))
        slopes = derivatives.by_complex_steps(s.reshape(-1, 1)) if self._complex else None
        return None if slopes is None or not np.isfinite(slopes).all() else slopes[:, 0]


class Penalty:
    """A penalty of eigenvalues, given as a function: λ d Σ p(s) over the eigenvalues s of S.

    Parameters
    ----------
    function
        ``function(s)`` of an array of eigenvalues (singular values with cross-attention), all ≥ 0 but for the student
        direct. It returns p(s), or ``(p(s), p′(s))``. It need not be convex or differentiable.
    kinks
        Eigenvalues other than 0 where p or a derivative jumps.
    name
        How results name it.

    Examples
    --------
    The elastic trace λ Tr S + μ Tr S² at μ = λ/2:

    >>> elastic = Penalty(lambda s: (s + 0.5 * s**2, 1 + s))

    Source: docs/theory/custom.md, section 3.
    """

    _WHAT = "a penalty needs a function of eigenvalues"

    def __init__(self, function: Callable[..., Any], kinks: Iterable[float] = (), *, name: str | None = None) -> None:
        if not callable(function):
            raise TypeError(f"{self._WHAT}, got {function!r}")
        self.function, self.kinks = function, tuple(float(kink) for kink in kinks)
        self._given_name = name
        self.name = _name(function, name)
        self._held = self._made()

    def _made(self) -> Any:
        return _core.CustomPenalty(self.name, _PenaltyFunction(self.function), list(self.kinks))

    def _key(self) -> tuple[Any, ...]:
        """What penalties that are the same have in common, pickled or not."""
        return (type(self).__name__, self.function, self.kinks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _penalty_again, (type(self), self.function, self.kinks, self._given_name)


def _penalty_again(kind: type[Penalty], function: Any, kinks: tuple[float, ...], name: str | None) -> Penalty:
    return kind(function, kinks, name=name)


class _DenoiserFunction:
    """What the library calls: eigenvalues of numbers and a time."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, x: Floats, t: float) -> Floats:
        return _floats(self._function(x, t), x.shape, "the eigenvalues of the denoiser")


class Denoiser(Penalty):
    """A penalty of eigenvalues, given by what it makes of noisy ones: its proximal map.

    It goes where a ``Penalty`` goes, as the option ``penalty``. The theory takes the function itself as its prior
    channel, and FISTA as its step.

    Parameters
    ----------
    function
        ``function(x, t)`` of an array of numbers of either sign and a time t > 0. It returns, for each x, the s that
        makes t p(s) + (s - x)²/2 least. Where eigenvalues are >= 0, those < 0 that it returns count as 0.
        It must be the map of one penalty at all times, which is checked: what x is taken to at t is what
        s + (t'/t) (x - s) is taken to at t' < t.
    kinks
        Eigenvalues other than 0 where p or a derivative jumps: many x are taken to them.
    name
        How results name it.

    Examples
    --------
    That of the trace, and that of the elastic trace λ Tr S + μ Tr S² at μ = λ/2:

    >>> import numpy as np
    >>> trace = Denoiser(lambda x, t: np.maximum(x - t, 0))
    >>> elastic = Denoiser(lambda x, t: np.maximum(x - t, 0) / (1 + t))

    Source: docs/theory/custom.md, section 4.
    """

    _WHAT = "a denoiser needs a function of numbers and a time"

    def _made(self) -> Any:
        return _core.CustomDenoiser(self.name, _DenoiserFunction(self.function), list(self.kinks))
