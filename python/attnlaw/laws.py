"""Laws of large random matrices as objects.

Every law is a probability law on the real line: bands with a density, and atoms. Arrays go in and come out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnlaw import _core, _threads, targets
from attnlaw._errors import OptionError, option_errors

__all__ = [
    "Law",
    "attention_law",
    "marchenko_pastur",
    "pooling_law",
    "product_law",
    "query_key_law",
    "semicircle",
    "semicircle_sum",
]

Floats = NDArray[np.float64]


class Law:
    """A law, made by one of the functions of this module.

    All methods take numbers or arrays of any shape and return the same shape.
    """

    def __init__(self, kind: str, parameters: dict[str, Any], core: Any, draw: Callable[[int, Any], Floats]) -> None:
        self._kind = kind
        self._parameters = parameters
        self._core = core
        self._draw = draw

    def density(self, x: ArrayLike) -> Any:
        """The density at x; 0 outside the bands. Atoms are not in it."""
        return _mapped(_on_threads(self._core.density), x, "x")

    def cdf(self, x: ArrayLike) -> Any:
        """P(X <= x)."""
        return _mapped(self._core.cdf, x, "x")

    def quantile(self, p: ArrayLike) -> Any:
        """The least x with P(X <= x) >= p, for 0 < p < 1."""
        values = _reals(p, "p")
        if np.any((values <= 0) | (values >= 1)):
            raise OptionError("quantiles are asked for at 0 < p < 1", "p", p)
        return _mapped(_on_threads(self._core.quantile), values, "p")

    def stieltjes(self, z: ArrayLike) -> Any:
        """∫ μ(dx)/(z - x) at complex z off the support.

        At a real z inside a band it is the limit from above; an ``attention_law`` takes none there.
        """
        values = np.asarray(z, dtype=np.complex128)
        if not np.all(np.isfinite(values)):
            raise OptionError("z must be finite", "z", z)
        with option_errors({"z": z}):
            result = _on_threads(self._core.stieltjes)(np.ascontiguousarray(values).ravel()).reshape(values.shape)
        return result if values.ndim else complex(result)

    def nodes(self, tolerance: float = 1e-13) -> tuple[Floats, Floats]:
        """Points of the bands and their weights: ∫ φ(x) ρ(x) dx ≈ weights @ φ(points); atoms are not in it.

        The weights meet the mass of every band to the relative ``tolerance``.
        """
        points, weights = self._core.nodes(float(tolerance))
        return points, weights

    @property
    def edges(self) -> Floats:
        """The ends of the bands, ascending: an array of shape (bands, 2)."""
        return np.array(self._core.edges, dtype=np.float64).reshape(-1, 2)

    @property
    def atoms(self) -> Floats:
        """The atoms, ascending: an array of shape (atoms, 2) of their places and masses."""
        return np.array(self._core.atoms, dtype=np.float64).reshape(-1, 2)

    def moment(self, n: int) -> float:
        """E Xⁿ, n = 0, 1, 2, …"""
        n = _whole(n, "n", 0)
        points, weights = self.nodes()
        return float(weights @ points**n + sum(mass * x**n for x, mass in self.atoms))

    def outlier(self, spike: ArrayLike) -> Any:
        """Where a spike of this strength shows beside the law; None where it does not, NaN in arrays.

        What a spike is, the function says that made the law.
        """

        def places(spikes: Floats) -> Floats:
            return np.array([self._core.outlier(float(one)) for one in spikes], dtype=np.float64)

        place = _mapped(places, spike, "spike")
        return None if isinstance(place, float) and np.isnan(place) else place

    def sample(self, d: int, seed: int | None = None) -> Floats:
        """The d eigenvalues (or singular values) of one random matrix that has this law, ascending.

        Without a seed every call draws another matrix, in every process.
        """
        d = _whole(d, "d", 1)
        if seed is not None:
            seed = _whole(seed, "seed", 0)
        return np.sort(self._draw(d, np.random.default_rng(seed)))

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Law) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self._kind, tuple(self._parameters.items())

    def __repr__(self) -> str:
        return f"{self._kind}({', '.join(f'{name}={value!r}' for name, value in self._parameters.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._kind, self._parameters)


def _restore(kind: str, parameters: dict[str, Any]) -> Law:
    law: Law = globals()[kind](**parameters)
    return law


def _whole(value: Any, what: str, least: int) -> int:
    """An integer of at least `least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise OptionError(f"{what} must be an integer of at least {least}, got {value!r}", what, value)
    return int(value)


def _real(value: Any, what: str) -> float:
    """One number."""
    array = _reals(value, what)
    if array.ndim:
        raise OptionError(f"{what} must be one number, got an array of the shape {array.shape}", what, value)
    return float(array)


def _reals(values: ArrayLike, what: str) -> Floats:
    if np.iscomplexobj(values):
        raise OptionError(f"{what} must be real numbers, got complex ones", what, values)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"{what} must be real numbers, got {values!r}", what, values) from None
    if np.any(np.isnan(array)):
        given = "None" if values is None else "nan"
        raise OptionError(f"{what} must be a number, or numbers, got {given}", what, values)
    return array


def _on_threads(function: Callable[[Any, int], Any]) -> Callable[[Any], Any]:
    """A method of the module that is told how many threads it may take."""
    return lambda values: function(values, _threads.of_a_call())


def _mapped(function: Callable[[Floats], Floats], values: ArrayLike, what: str) -> Any:
    array = _reals(values, what)
    result = function(np.ascontiguousarray(array).ravel()).reshape(array.shape)
    return result if array.ndim else float(result)


def _goe(d: int, rng: np.random.Generator) -> Floats:
    """A symmetric matrix whose off-diagonal entries have variance 1/d."""
    z = rng.standard_normal((d, d))
    return np.asarray((z + z.T) / np.sqrt(2 * d))


def semicircle(variance: float = 1.0) -> Law:
    """The semicircle of this variance around 0, on [-2√variance, 2√variance].

    A spike is a rank-one term of that strength.
    """
    variance = _real(variance, "variance")
    with option_errors({"variance": variance}):
        core = _core.semicircle(variance)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        return np.linalg.eigvalsh(np.sqrt(variance) * _goe(d, rng))

    return Law("semicircle", {"variance": variance}, core, draw)


def semicircle_sum(target: str | ArrayLike, variance: float) -> Law:
    """The law of S + aZ, a² = variance, Z a GOE matrix with off-diagonal variance 1/d.

    Parameters
    ----------
    target : str or array
        The law of S: a specification as the option ``target`` takes it, an array of eigenvalues, or a symmetric matrix.
    variance : float
        > 0.

    A spike is one more eigenvalue of S beyond the largest or the smallest of the others; in gaps between them
    nothing is said (None).
    """
    specification, variance = targets.as_target(target), _real(variance, "variance")
    with option_errors({"target": target, "variance": variance}):
        core = _core.semicircle_sum(specification, variance)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        values = np.asarray(_core.target_eigenvalues(specification, d, int(rng.integers(2**63))))
        return np.linalg.eigvalsh(np.diag(values) + np.sqrt(variance) * _goe(d, rng))

    return Law("semicircle_sum", {"target": specification, "variance": variance}, core, draw)


def marchenko_pastur(kappa: float, scale: float = 1.0) -> Law:
    """The law of scale W Wᵀ/(√kappa d), W of shape (d, kappa d) with N(0, 1) entries; an atom at 0 if kappa < 1.

    A spike is a rank-one term of that strength.
    """
    kappa, scale = _real(kappa, "kappa"), _real(scale, "scale")
    with option_errors({"kappa": kappa, "scale": scale}):
        core = _core.marchenko_pastur(kappa, scale)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        w = rng.standard_normal((d, max(1, round(kappa * d))))
        return np.linalg.eigvalsh(scale * (w @ w.T) / (np.sqrt(kappa) * d))

    return Law("marchenko_pastur", {"kappa": kappa, "scale": scale}, core, draw)


def product_law(kappa: float, scale: float = 1.0) -> Law:
    """The law of the singular values of scale W_Q W_Kᵀ/(√kappa d) and of their negatives, half of the mass each.

    W_Q and W_K have the shape (d, kappa d) and N(0, 1) entries; for kappa < 1 there is an atom at 0. A spike is a
    rank-one term of that strength.
    """
    kappa, scale = _real(kappa, "kappa"), _real(scale, "scale")
    with option_errors({"kappa": kappa, "scale": scale}):
        core = _core.product_law(kappa, scale)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        q, k = rng.standard_normal((2, d, max(1, round(kappa * d))))
        values = np.linalg.svd(scale * (q @ k.T) / (np.sqrt(kappa) * d), compute_uv=False)
        return np.asarray(values * rng.choice([-1.0, 1.0], d))

    return Law("product_law", {"kappa": kappa, "scale": scale}, core, draw)


def query_key_law(m: int, d: int, scale: float = 1.0) -> Law:
    """The law of a head that has learned nothing (null N1 of ``inspect``): singular values of scale W_Q W_Kᵀ/d.

    W_Q and W_K have the shape (d, m), m the dimension of the head and d that of the model, and independent entries of
    variance 1; entries of other variances multiply ``scale`` by the product of their standard deviations. The law has
    both signs of each singular value, and for m < d an atom at 0. A spike is a rank-one term of that strength.

    Source: docs/theory/query_key_nulls.md.
    """
    m, d, scale = _whole(m, "m", 1), _whole(d, "d", 1), _real(scale, "scale")
    law = product_law(m / d, scale * float(np.sqrt(m / d)))
    return Law("query_key_law", {"m": m, "d": d, "scale": scale}, law._core, law._draw)


def attention_law(beta: float, rho: float = 1.0, tokens: str = "orthonormal", tau: float = 0.0) -> Law:
    """The law of the singular values of √T (A - 1 1ᵀ/T), A a T×T softmax attention matrix of random weights.

    Parameters
    ----------
    beta : float
        Inverse temperature, the standard deviation of the logits, in (0, 10].
    rho : float
        T/m > 0, tokens over head dimension.
    tokens : str
        "orthonormal" or "gaussian".
    tau : float
        T/d, tokens over embedding dimension: > 0 for Gaussian tokens, in [0, 1] for orthonormal ones.

    A spike is a rank-one term of that singular value. The operation ``softmax_law`` says more of the same matrices.
    """
    beta, rho, tau = _real(beta, "beta"), _real(rho, "rho"), _real(tau, "tau")
    parameters = {"beta": beta, "rho": rho, "tokens": tokens, "tau": tau}
    with option_errors(parameters):
        core = _core.softmax_law(beta, rho, tokens, tau)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        m = max(1, round(d / rho))
        q, k = rng.standard_normal((2, d, m))
        if tokens == "gaussian":
            embedding = max(1, round(d / tau))
            x = rng.standard_normal((d, embedding))
            w_q, w_k = rng.standard_normal((2, embedding, m))
            q, k = x @ w_q / np.sqrt(embedding), x @ w_k / np.sqrt(embedding)
        logits = beta * (q @ k.T) / np.sqrt(m)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        attention = weights / weights.sum(axis=1, keepdims=True)
        return np.linalg.svd(np.sqrt(d) * (attention - 1 / d), compute_uv=False)

    return Law("attention_law", parameters, core, draw)


def pooling_law(delta: float, gamma: float, kappa: float = 1.0) -> Law:
    """The law kappa (MP_delta ⊠ MP_gamma) of the covariance of pooled sequences.

    Parameters
    ----------
    delta, gamma : float
        d/V and d/N > 0, dimension over vocabulary and over sequences.
    kappa : float
        Squared norm of the weights of pooling, > 0.

    A spike is the strength of the direction in the covariance of the vocabulary, less delta.
    """
    delta, gamma, kappa = _real(delta, "delta"), _real(gamma, "gamma"), _real(kappa, "kappa")
    parameters = {"delta": delta, "gamma": gamma, "kappa": kappa}
    with option_errors(parameters):
        core = _core.pooling_law(delta, gamma, kappa)

    def draw(d: int, rng: np.random.Generator) -> Floats:
        vocabulary, sequences = max(1, round(d / delta)), max(1, round(d / gamma))
        table = rng.standard_normal((d, vocabulary)) / np.sqrt(vocabulary)
        pooled = np.sqrt(kappa) * table @ rng.standard_normal((vocabulary, sequences)) / np.sqrt(sequences)
        return np.linalg.eigvalsh(pooled @ pooled.T)

    return Law("pooling_law", parameters, core, draw)
