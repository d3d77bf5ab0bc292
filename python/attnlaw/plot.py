"""Figures of results: learning curves, spectra, phase diagrams, scaling laws, maps of heads.

Every function draws into the axes ``ax``, or into a new figure of one column, and returns the axes. Nothing global
changes: sizes, fonts and colours hold for what is drawn here. Needs matplotlib (``pip install 'attnlaw[plots]'``).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLORS", "heads", "learning_curve", "phase_diagram", "ridge", "save", "scaling", "spectrum", "style"]

Floats = NDArray[np.float64]

# The palette of Okabe and Ito, which the colour-blind tell apart: blue, vermilion, green, purple, orange, sky, black.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

# One column of a journal of two, in inches.
COLUMN = 3.4
_HEIGHT = 2.5

_STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.linewidth": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 2,
    "savefig.dpi": 300,
    # Letters stay letters: TrueType in PDF and PostScript, text in SVG.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}

_AXIS_LABELS = {
    "alpha": r"$\alpha = n/d^2$",
    "lambda": r"$\lambda$",
    "kappa": r"$\kappa^*$",
    "noise": r"$\Delta$",
    "beta": r"$\beta$",
    "d": r"$d$",
    "n": r"$n$",
    "width": r"$\kappa$",
}
_FIGURE_LABELS = {
    "train": "training error",
    "test": "test error",
    "estimation": "estimation error",
    "objective": "objective",
    "replicon": "replicon",
}
_LINE_LABELS = {"recovery": "recovery", "interpolation": "interpolation", "bayes_recovery": "Bayes recovery"}


def style() -> contextlib.AbstractContextManager[None]:
    """A context with the sizes and fonts of these figures, for what is drawn beside them."""
    return _matplotlib().rc_context(_STYLE)  # type: ignore[no-any-return]


def save(figure: Figure | Axes, path: str | PathLike[str], **options: Any) -> None:
    """Writes a figure, or that of axes, to a file; PDF, PS and SVG with letters as letters.

    Parameters
    ----------
    figure : Figure or Axes
    path : str or path
        The ending names the format.
    **options
        What ``Figure.savefig`` takes.
    """
    with style():
        drawn: Any = figure.get_figure() if hasattr(figure, "get_figure") and not hasattr(figure, "savefig") else figure
        drawn.savefig(path, **({"bbox_inches": "tight"} | options))


def learning_curve(
    theory: Any = None,
    experiments: Any = None,
    *,
    x: str = "alpha",
    errors: str | Sequence[str] = "test",
    own_theory: bool = True,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Errors along an option: theory as a line, experiments as points.

    Parameters
    ----------
    theory : Results, optional
        ``solve`` over a 1-d array of the option: a line, and a band of two standard errors to both sides.
    experiments : Results or Result, optional
        ``simulate`` over an array of the option, or once: means with standard errors.
    x : str
        The option along the axis.
    errors : str or sequence of str
        "train", "test", "estimation", "objective": one colour each.
    own_theory : bool
        Whether hollow squares show the theory of the very targets that the experiments drew, averaged over instances.
    labels : sequence of str, optional
        One for each of the errors, in place of its name.
    ax : Axes, optional

    Returns
    -------
    Axes
        With logarithmic axes where all numbers are positive.
    """
    if theory is None and experiments is None:
        raise TypeError("learning_curve() needs the results of solve, of simulate, or both")
    for what, results in (("theory", theory), ("experiments", experiments)):
        if results is not None and not hasattr(results, "converged"):
            raise TypeError(f"{what} must be what attnlaw.solve or attnlaw.simulate returned, got {results!r}")
    names = [errors] if isinstance(errors, str) else list(errors)
    texts = [_FIGURE_LABELS.get(name, name) for name in names] if labels is None else list(labels)
    if len(texts) != len(names):
        raise ValueError(f"labels must be as many as errors, {len(names)}, got {len(texts)}")
    with _axes(ax) as (axes, _):
        for name, text, color in zip(names, texts, _colors(len(names)), strict=True):
            if theory is not None:
                _theory_line(axes, theory, x, name, text, color)
            if experiments is not None:
                _experiment_points(axes, experiments, x, name, text if theory is None else None, color, own_theory)
        axes.set_xlabel(_AXIS_LABELS.get(x, x))
        axes.set_ylabel(texts[0] if len(names) == 1 else "error")
        _logarithmic_where_positive(axes)
        if len(names) > 1 or (theory is not None and experiments is not None):
            _legend(axes, theory, experiments, own_theory)
    return axes


def spectrum(
    result: Any,
    *,
    eigenvalues: ArrayLike | None = None,
    bins: int = 40,
    inset: bool = True,
    points: int = 1000,
    ax: Axes | None = None,
) -> Axes:
    """A spectral law over the eigenvalues of an experiment.

    The line is the density, the steps are the histogram of the eigenvalues away from the atom, with the area of their
    share. An atom is a bar whose height is its mass, on the axis to the right; a diamond is the measured share.
    Triangles on the axis are predicted outliers.

    Parameters
    ----------
    result : Result or Law
        Of ``spectrum``, with the eigenvalues of its experiment if it has one, or a law.
    eigenvalues : array, optional
        In place of those of the experiment.
    bins : int
        Of the histogram.
    inset : bool
        Whether a small plot compares the distribution functions; where there are eigenvalues.
    points : int
        At how many points of each band the density of a law is taken.
    ax : Axes, optional
    """
    law = _as_spectrum(result, points)
    values = law.eigenvalues if eigenvalues is None else np.sort(np.asarray(eigenvalues, dtype=np.float64).ravel())
    with _axes(ax) as (axes, _):
        away = _away_from_atoms(values, law)
        if values.size:
            _histogram(axes, away, values.size, bins)
        axes.plot(*_with_gaps(law), color=COLORS[0], label="theory", zorder=3)
        _set_limits(axes, law, away)
        if law.outliers.size:
            axes.plot(
                law.outliers,
                np.zeros(law.outliers.size),
                "^",
                color=COLORS[1],
                clip_on=False,
                zorder=4,
                label="outliers",
            )
        if law.atoms.size:
            _atoms(axes, law, values, away)
        axes.set_xlabel(law.variable)
        axes.set_ylabel("density")
        if values.size and inset:
            _cdf_inset(axes, law, values)
    return axes


def ridge(
    results: Any,
    *,
    x: str | None = None,
    values: Sequence[float] | None = None,
    overlap: float = 1.5,
    points: int = 400,
    ax: Axes | None = None,
) -> Axes:
    """Spectral densities above one another, along an option.

    Parameters
    ----------
    results : Results, Result or sequence of Law or Result
        ``spectrum`` over a 1-d array of an option or ``along`` one, or laws in order.
    x : str, optional
        The option; by default the one that varies.
    values : sequence of float, optional
        What the densities are labelled by, where they are laws.
    overlap : float
        How many steps high the highest density is.
    points : int
        At how many points of each band the density of a law is taken.
    ax : Axes, optional

    Returns
    -------
    Axes
        The density of row i stands on the height i. A vertical bar is an atom, one step high if it has the whole mass;
        triangles are outliers.
    """
    options = getattr(results, "options", {})
    if not options and hasattr(results, "keys"):
        if "along" not in results:
            raise ValueError("there is one spectrum here: a ridge takes attnlaw.spectrum over an array, or along=...")
        along = results["along"]
        results, options = along.solutions, {along.variable: along["values"]}
    laws = [_as_spectrum(result, points) for result in results]
    if not laws:
        raise ValueError("a ridge needs at least one spectrum")
    name = x or (next(iter(options)) if options else "")
    rows = (
        list(options[name])
        if name in options and values is None
        else list(values if values is not None else range(len(laws)))
    )
    if len(rows) != len(laws):
        raise ValueError(f"values must be as many as spectra, {len(laws)}, got {len(rows)}")
    highest = max((float(law.density.max()) for law in laws if law.density.size), default=1.0)
    scale = overlap / highest if highest > 0 else 1.0
    with _axes(ax, height=_HEIGHT + 0.15 * len(laws)) as (axes, plt):
        shades = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(laws)))
        for i, (law, shade) in enumerate(zip(laws, shades, strict=True)):
            # What stands lower is in front.
            depth = 2.0 + len(laws) - i
            s, density = _with_gaps(law)
            axes.fill_between(s, i, i + scale * density, facecolor=shade, edgecolor="none", alpha=0.75, zorder=depth)
            axes.plot(s, i + scale * density, color="black", linewidth=0.6, zorder=depth)
            for place, mass in law.atoms:
                axes.plot(
                    [place, place], [i, i + mass], color=COLORS[1], linewidth=2.5, solid_capstyle="butt", zorder=depth
                )
            if law.outliers.size:
                axes.plot(law.outliers, np.full(law.outliers.size, i), "^", color=COLORS[1], zorder=depth)
        axes.set_yticks(
            range(len(laws)),
            [f"{value:.3g}" if isinstance(value, float | np.floating) else str(value) for value in rows],
        )
        axes.set_xlabel(laws[0].variable)
        axes.set_ylabel(_AXIS_LABELS.get(name, name))
    return axes


def phase_diagram(
    result: Any,
    *,
    figure: str = "test",
    lines: Iterable[str] | None = None,
    regions: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """A figure over alpha and the noise or the rank of the target, with thresholds and the names of what is between.

    Parameters
    ----------
    result : Result
        Of ``thresholds`` with ``alpha_range`` and ``kappa_range`` or ``noise_range``.
    figure : str
        "test", "train", "estimation" or "replicon"; the colour is logarithmic where all are positive.
    lines : iterable of str, optional
        Of "recovery", "interpolation", "bayes_recovery"; by default all that there are.
    regions : bool
        Whether the regions between the lines are named.
    ax : Axes, optional

    Returns
    -------
    Axes
        alpha upwards. Points that did not converge are left out.
    """
    diagram = result.diagram
    if diagram is None:
        raise ValueError("there is no phase diagram here: thresholds needs alpha_range with kappa_range or noise_range")
    across, alpha = _floats(diagram.values), _floats(diagram.alpha)
    colors = np.where(np.asarray(diagram["converged"], dtype=bool), _floats(diagram[figure]), np.nan)
    drawn = {
        name: _floats(diagram.lines[name])
        for name in (_LINE_LABELS if lines is None else lines)
        if name in diagram.lines
    }
    drawn = {name: line for name, line in drawn.items() if np.isfinite(line).any()}
    with _axes(ax) as (axes, _):
        from matplotlib.colors import LogNorm

        finite = colors[np.isfinite(colors)]
        norm = LogNorm(finite.min(), finite.max()) if finite.size and finite.min() > 0 else None
        mesh = axes.pcolormesh(
            across, alpha, np.ma.masked_invalid(colors.T), norm=norm, cmap="cividis", shading="nearest", rasterized=True
        )
        limits = axes.get_xlim(), axes.get_ylim()
        for (name, line), dash in zip(drawn.items(), ("-", "--", ":"), strict=False):
            # A white rim shows a dark line on dark ground.
            axes.plot(across, line, dash, color="black", label=_LINE_LABELS[name], path_effects=_rim(2.4))
        axes.set(xlim=limits[0], ylim=limits[1])
        if _equal_ratios(alpha):
            axes.set_yscale("log")
        if _equal_ratios(across):
            axes.set_xscale("log")
        axes.set_xlabel(_AXIS_LABELS.get(diagram.variable, diagram.variable))
        axes.set_ylabel(_AXIS_LABELS["alpha"])
        if regions:
            for text, i, j in _regions(across, alpha, drawn):
                side = _inwards(i / (across.size - 1)) if across.size > 1 else "center"
                axes.text(across[i], alpha[j], text, ha=side, va="center", fontsize=7, path_effects=_rim(1.8))
        if drawn:
            axes.legend(
                loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=len(drawn), handlelength=1.6, columnspacing=1
            )
        _figure_of(axes).colorbar(mesh, ax=axes, label=_FIGURE_LABELS.get(figure, figure))
    return axes


def scaling(
    result: Any, *, figures: str | Sequence[str] = "estimation", slopes: bool = True, ax: Axes | None = None
) -> Axes:
    """A learning curve over the number of sequences, with the power laws it follows.

    Parameters
    ----------
    result : Result
        Of ``scaling``.
    figures : str or sequence of str
        "estimation", "test", "train", or a part of the estimation error ("unlearned", "shrinkage", "misalignment").
    slopes : bool
        Whether dashed lines have the predicted exponents, each over the points of its regime and through the geometric
        mean of their estimation errors.
    ax : Axes, optional
    """
    curve = result.scaling
    points = curve.points
    names = [figures] if isinstance(figures, str) else list(figures)
    n = np.array([point.n for point in points], dtype=np.float64)
    with _axes(ax) as (axes, _):
        for name, color in zip(names, _colors(len(names)), strict=True):
            axes.plot(
                n,
                [_scaling_figure(point, name) for point in points],
                "o-",
                color=color,
                markersize=3,
                label=_FIGURE_LABELS.get(name, name),
            )
        if slopes and "estimation" in names:
            _slopes(axes, curve)
        for crossover in curve.crossovers if isinstance(curve.crossovers, list) else ():
            if crossover.n is not None:
                axes.axvline(crossover.n, color="0.6", linewidth=0.6, linestyle=":")
        axes.set(xscale="log", yscale="log", xlabel=_AXIS_LABELS["n"])
        axes.set_ylabel(_FIGURE_LABELS.get(names[0], names[0]) if len(names) == 1 else "error")
        axes.legend()
    return axes


def heads(
    inspection: Any,
    figure: str = "stable_rank",
    *,
    significant: str | None = None,
    block: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A map of the heads of a model: layers upwards, heads to the right.

    Parameters
    ----------
    inspection : Result
        Of ``inspect``.
    figure : str
        A figure of heads, with dots for one inside another, as "stable_rank", "symmetry", "product.score".
    significant : str, optional
        A p-value of heads, as "product_holm": heads below the level of the inspection have a dot.
    block : str, optional
        Of a model with several kinds of attention, the one to show; by default that of the first head.
    ax : Axes, optional

    Returns
    -------
    Axes
        Colours diverge from white at 0 where the figure has both signs. Heads without the figure are grey.
    """
    records = list(inspection["heads"])
    if not records:
        raise ValueError("there are no heads in this inspection")
    chosen = records[0].block if block is None else block
    records = [head for head in records if head.block == chosen]
    if not records:
        known = ", ".join(sorted({repr(head.block) for head in inspection["heads"]}))
        raise ValueError(f"there is no block {chosen!r} in this inspection; there are {known}")
    layers = sorted({head.layer for head in records})
    places = [(layers.index(head.layer), head.head) for head in records]
    grid = np.full((len(layers), 1 + max(head.head for head in records)), np.nan)
    for place, head in zip(places, records, strict=True):
        grid[place] = _number(head, figure)
    with _axes(ax) as (axes, plt):
        most = float(np.nanmax(np.abs(grid), initial=0))
        signed = bool(np.nanmin(grid, initial=0) < 0 < np.nanmax(grid, initial=0))
        colors = plt.get_cmap("PuOr_r" if signed else "cividis").with_extremes(bad="0.8")
        image = axes.imshow(
            np.ma.masked_invalid(grid),
            origin="lower",
            aspect="auto",
            cmap=colors,
            interpolation="nearest",
            vmin=-most if signed else None,
            vmax=most if signed else None,
        )
        if significant is not None:
            below = [
                place
                for place, head in zip(places, records, strict=True)
                if _number(head, significant) < inspection.level
            ]
            axes.plot(
                [head for _, head in below],
                [layer for layer, _ in below],
                "o",
                color="white",
                markersize=3,
                markeredgecolor="black",
                markeredgewidth=0.5,
                linestyle="none",
                label=f"{significant} < {inspection.level:g}",
            )
        axes.set_xlabel("head")
        axes.set_ylabel("layer")
        axes.locator_params(axis="x", integer=True)
        axes.set_yticks(range(len(layers)), [str(layer) for layer in layers])
        _figure_of(axes).colorbar(image, ax=axes, label=figure.replace("_", " "))
    return axes


# What the functions above share.


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("attnlaw.plot needs matplotlib: pip install 'attnlaw[plots]'") from error
    return matplotlib


@contextlib.contextmanager
def _axes(ax: Axes | None, height: float = _HEIGHT) -> Iterator[tuple[Axes, Any]]:
    """The axes to draw into, with pyplot, while the style holds."""
    with style():
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(COLUMN, height), layout="constrained")
        yield ax, plt


def _figure_of(axes: Any) -> Any:
    return axes.get_figure(root=True)


def _colors(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]


def _rim(width: float) -> list[Any]:
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width, foreground="white")]


def _floats(values: Any) -> Floats:
    """Numbers of a document as an array, with nan for what is not there."""
    nested = np.asarray(values, dtype=object)
    if nested.ndim == 1 and nested.size and isinstance(nested[0], list | np.ndarray):
        return np.array([_floats(row) for row in nested])
    return np.where(nested == None, np.nan, nested).astype(np.float64)  # noqa: E711


def _number(record: Any, name: str) -> float:
    """A figure by its dotted name; nan where it is not there."""
    value = record
    for part in name.split("."):
        value = getattr(value, part)
        if value is None:
            return math.nan
    return float(value)


def _equal_ratios(values: Floats) -> bool:
    """Whether steps grow with the values."""
    if values.size < 3 or values.min() <= 0:
        return False
    steps = np.diff(values)
    return bool(steps[-1] > 1.5 * steps[0])


def _logarithmic_where_positive(axes: Any) -> None:
    for log, which in ((axes.set_xscale, 0), (axes.set_yscale, 1)):
        drawn = np.concatenate(
            [np.asarray(line.get_data()[which], dtype=np.float64).ravel() for line in axes.get_lines()]
        )
        finite = drawn[np.isfinite(drawn)]
        if finite.size and finite.min() > 0:
            log("log")


# Learning curves.


def _along(results: Any, x: str) -> tuple[list[Any], Floats]:
    """The results one by one and the option, ascending; one result is a curve of one point."""
    if not hasattr(results, "options"):
        return [results], np.array([_option(results, x)])
    if len(results.shape) != 1:
        raise ValueError(f"a curve needs results over one array, got the shape {results.shape}")
    each = list(results)
    values = _floats(results.options[x]) if x in results.options else np.array([_option(result, x) for result in each])
    order = np.argsort(values, kind="stable")
    return [each[i] for i in order], values[order]


def _option(result: Any, x: str) -> float:
    value = result[x] if x in result else result["problem"][x]
    if isinstance(value, str) or value is None:
        raise ValueError(f"{x} is {value!r} here, no number to draw along")
    return float(value)


# Two standard errors to both sides, as most people read a band.
_BAND = 2.0


def _theory_line(axes: Any, theory: Any, x: str, name: str, label: str, color: str) -> None:
    each, places = _along(theory, x)
    values = np.array([_number(result, f"errors.{name}") for result in each])
    axes.plot(places, values, color=color, label=label, zorder=2)
    width = _BAND * np.array([_number(result, f"diagnostics.sampling_error.{name}") for result in each])
    if np.isfinite(width).any():
        axes.fill_between(places, values - width, values + width, color=color, alpha=0.25, linewidth=0, zorder=1)


def _experiment_points(
    axes: Any, experiments: Any, x: str, name: str, label: str | None, color: str, own_theory: bool
) -> None:
    each, places = _along(experiments, x)
    mean = np.array([_number(result, f"mean.{name}") for result in each])
    # One instance has no standard error.
    error = np.nan_to_num([_number(result, f"standard_error.{name}") for result in each])
    axes.errorbar(places, mean, error, fmt="o", color=color, label=label, zorder=3)
    if own_theory:
        axes.plot(
            places,
            [_own_theory(result, name) for result in each],
            "s",
            color=color,
            markerfacecolor="none",
            markersize=5.5,
            markeredgewidth=0.7,
            zorder=2,
        )


def _own_theory(result: Any, name: str) -> float:
    instances = [instance for instance in result["instances"] if instance.theory is not None]
    return float(np.mean([_number(instance.theory, name) for instance in instances])) if instances else math.nan


def _legend(axes: Any, theory: Any, experiments: Any, own_theory: bool) -> None:
    from matplotlib.lines import Line2D

    handles, labels = axes.get_legend_handles_labels()
    if len(handles) == 1:
        handles, labels = [], []
        if theory is not None:
            handles, labels = [Line2D([], [], color="0.3")], ["theory"]
    if experiments is not None:
        each = list(experiments) if hasattr(experiments, "options") else [experiments]
        sizes = sorted({result.d for result in each if "d" in result})
        handles.append(Line2D([], [], color="0.3", marker="o", linestyle="none"))
        labels.append("experiment" + (f", $d = {sizes[0]}$" if len(sizes) == 1 else ""))
        if own_theory:
            handles.append(Line2D([], [], color="0.3", marker="s", markerfacecolor="none", linestyle="none"))
            labels.append("theory of its targets")
    axes.legend(handles, labels)


# Spectra.


class _Spectrum(NamedTuple):
    """A law and what was measured: points of each band with the density, atoms (place, mass), outliers, eigenvalues."""

    bands: list[tuple[Floats, Floats]]
    atoms: Floats
    outliers: Floats
    eigenvalues: Floats
    zero: float
    variable: str

    @property
    def density(self) -> Floats:
        return np.concatenate([density for _, density in self.bands]) if self.bands else np.empty(0)


def _as_spectrum(result: Any, points: int) -> _Spectrum:
    if hasattr(result, "quantile"):
        return _spectrum_of_law(result, points)
    if getattr(result, "density", None) is None:
        raise ValueError("there is no density here: take the result of attnlaw.spectrum, or a law")
    s, density = _floats(result.density.s), _floats(result.density.density)
    edges = _floats(result.spectrum.edges).reshape(-1, 2)
    bands = [(s[inside], density[inside]) for low, high in edges if (inside := (s >= low) & (s <= high)).any()]
    mass = _number(result.spectrum, "zero_mass")
    experiment = getattr(result, "experiment", None)
    return _Spectrum(
        bands,
        np.array([[0.0, mass]]) if mass > 0 else np.empty((0, 2)),
        np.array([outlier.eigenvalue for outlier in _records(result.spectrum.outliers)]),
        np.sort(_floats(experiment.eigenvalues)) if experiment is not None else np.empty(0),
        _number(experiment, "zero_tolerance") if experiment is not None else 0.0,
        "singular value" if result["problem"].attention == "cross" else "eigenvalue",
    )


def _records(values: Any) -> list[Any]:
    """A list of records; an empty one of a document is an array."""
    return values if isinstance(values, list) else []


def _spectrum_of_law(law: Any, points: int) -> _Spectrum:
    # Chebyshev points are dense where densities are steep.
    shape = (1 - np.cos(np.pi * (np.arange(points) + 0.5) / points)) / 2
    places = [low + (high - low) * shape for low, high in law.edges]
    return _Spectrum(
        [(s, np.asarray(law.density(s))) for s in places],
        np.asarray(law.atoms).reshape(-1, 2),
        np.empty(0),
        np.empty(0),
        0.0,
        "eigenvalue",
    )


def _with_gaps(law: _Spectrum) -> tuple[Floats, Floats]:
    """All bands as one line that is interrupted between them."""
    gap = np.array([np.nan])
    s = [part for band in law.bands for part in (band[0], gap)][:-1]
    density = [part for band in law.bands for part in (band[1], gap)][:-1]
    return (np.concatenate(s), np.concatenate(density)) if s else (np.empty(0), np.empty(0))


# Eigenvalues at an atom are equal to it up to rounding.
_AT_ATOM = 1e-8


def _away_from_atoms(values: Floats, law: _Spectrum) -> Floats:
    away = np.ones(values.size, dtype=bool)
    for place, _ in law.atoms:
        away &= np.abs(values - place) > max(law.zero if place == 0 else 0, _AT_ATOM * max(1, abs(place)))
    return values[away]


def _histogram(axes: Any, away: Floats, total: int, bins: int) -> None:
    if away.size:
        counts, edges = np.histogram(away, bins)
        axes.stairs(counts / (total * np.diff(edges)), edges, fill=True, color="0.8", label="experiment", zorder=1)


def _set_limits(axes: Any, law: _Spectrum, away: Floats) -> None:
    """What is drawn with some room; a density that grows without bounds at an edge is cut."""
    everything = np.concatenate([*(s for s, _ in law.bands), law.outliers, law.atoms[:, 0], away])
    if everything.size:
        room = 0.05 * (np.ptp(everything) or 1)
        axes.set_xlim(everything.min() - room, everything.max() + room)
    if law.density.size:
        highest, typical = float(law.density.max()), float(np.quantile(law.density, 0.9))
        axes.set_ylim(0, 1.15 * (highest if highest < 5 * typical else 2 * typical))


def _atoms(axes: Any, law: _Spectrum, values: Floats, away: Floats) -> None:
    masses = axes.twinx()
    low, high = axes.get_xlim()
    masses.bar(law.atoms[:, 0], law.atoms[:, 1], width=0.02 * (high - low), color=COLORS[0], alpha=0.5, label="atom")
    if values.size and len(law.atoms) == 1:
        masses.plot(
            [law.atoms[0, 0]], [1 - away.size / values.size], "D", color="black", markersize=3.5, label="measured share"
        )
    masses.set_ylim(0, 1)
    masses.set_ylabel("mass of the atom")


def _cdf(law: _Spectrum) -> tuple[Floats, Floats]:
    """The distribution function at the points of the bands and on both sides of atoms; outliers have no mass."""
    continuous = 1 - float(law.atoms[:, 1].sum())
    pieces = [
        np.concatenate([[0.0], np.cumsum(np.diff(s) * (density[1:] + density[:-1]) / 2)]) for s, density in law.bands
    ]
    area = sum(float(piece[-1]) for piece in pieces)
    # The rule of trapezia misses a little at the edges: the bands have the mass that atoms leave.
    scale = continuous / area if area > 0 else 0.0
    places, mass, before = [], [], 0.0
    for (s, _), piece in zip(law.bands, pieces, strict=True):
        places.append(s)
        mass.append(before + scale * piece)
        before += scale * float(piece[-1])
    x = np.concatenate([*places, np.repeat(law.atoms[:, 0], 2)])
    y = np.interp(x, np.concatenate(places), np.concatenate(mass), left=0.0) if places else np.zeros(x.size)
    after = np.concatenate([np.zeros(x.size - 2 * len(law.atoms)), np.tile([0.0, 1.0], len(law.atoms))])
    order = np.lexsort((after, x))
    x, y, after = x[order], y[order], after[order]
    for place, weight in law.atoms:
        y = y + weight * ((x > place) | ((x == place) & (after > 0)))
    return x, np.maximum.accumulate(y)


def _cdf_inset(axes: Any, law: _Spectrum, values: Floats) -> None:
    inset = axes.inset_axes((0.6, 0.5, 0.36, 0.42))
    inset.step(values, np.arange(1, values.size + 1) / values.size, where="post", color="0.5", linewidth=1)
    inset.plot(*_cdf(law), color=COLORS[0], linewidth=0.8)
    inset.set_ylim(0, 1.02)
    inset.tick_params(labelsize=6)
    inset.set_title("distribution function", fontsize=6, pad=2)


# Phase diagrams and scaling laws.


def _regions(across: Floats, alpha: Floats, lines: dict[str, Floats]) -> list[tuple[str, int, int]]:
    """The names of the regions between the lines, each with the cell that lies deepest inside."""
    names = np.array(
        [[_region(a, {name: line[i] for name, line in lines.items()}) for a in alpha] for i in range(across.size)],
        dtype=object,
    )
    cells = np.argwhere(np.ones(names.shape, dtype=bool))
    # Distances in shares of the axes; the frame of the diagram is a border as well.
    scaled = (cells + 0.5) / names.shape
    frame = np.minimum(scaled, 1 - scaled).min(axis=1)
    flat = names.ravel()
    found = []
    for name in sorted(set(flat) - {""}):
        inside, outside = np.flatnonzero(flat == name), np.flatnonzero(flat != name)
        depth = frame[inside]
        if outside.size:
            apart = np.linalg.norm(scaled[inside, None, :] - scaled[None, outside, :], axis=2).min(axis=1)
            depth = np.minimum(depth, apart)
        i, j = cells[inside[int(np.argmax(depth))]]
        found.append((name, int(i), int(j)))
    return found


def _inwards(place: float) -> str:
    """How a word is aligned so that it stays inside the axes, by its place as a share of their width."""
    if place < 0.25:
        return "left"
    return "right" if place > 0.75 else "center"


def _region(alpha: float, at: dict[str, float]) -> str:
    """What happens at alpha between these thresholds; comparisons with nan are false."""
    parts = []
    recovery, bayes = at.get("recovery", math.nan), at.get("bayes_recovery", math.nan)
    if alpha >= recovery:
        parts.append("recovered")
    elif alpha >= bayes:
        parts.append("Bayes alone")
    elif alpha < bayes or alpha < recovery:
        parts.append("not recovered")
    interpolation = at.get("interpolation", math.nan)
    if alpha <= interpolation:
        parts.append("labels fitted")
    elif alpha > interpolation:
        parts.append("labels not fitted")
    return "\n".join(parts)


def _scaling_figure(point: Any, name: str) -> float:
    value = point[name] if name in point else point["parts"][name]
    return math.nan if value is None else float(value)


def _slopes(axes: Any, curve: Any) -> None:
    for color, name in zip(COLORS[1:], curve.exponents, strict=False):
        predicted = curve.exponents[name]["predicted"]
        inside = [point for point in curve.points if point.regime == name and point.estimation]
        if predicted is None or len(inside) < 2:
            continue
        n = np.array([inside[0].n, inside[-1].n], dtype=np.float64)
        center = np.exp(np.mean([np.log([point.n, point.estimation]) for point in inside], axis=0))
        axes.plot(
            n,
            center[1] * (n / center[0]) ** predicted,
            "--",
            color=color,
            linewidth=1,
            label=rf"{name}: $n^{{{predicted:.3g}}}$",
        )
