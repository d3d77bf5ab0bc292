"""Figures: what is drawn is the data."""

import builtins
import warnings

import numpy as np
import pytest

import attnlaw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
plot = attnlaw.plot

QUADRATIC = {"tokens": 1, "head": "linear", "lambda_": 0.1, "noise": 0.1}
ALPHAS = np.array([0.2, 0.5, 1.0])


@pytest.fixture(autouse=True)
def quiet():
    """No figure warns or stays open, and none changes what is global."""
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    plt.close("all")
    assert dict(matplotlib.rcParams) == before


@pytest.fixture(scope="module")
def theory():
    return attnlaw.solve(alpha=ALPHAS, **QUADRATIC)


@pytest.fixture(scope="module")
def experiments():
    return attnlaw.simulate(alpha=ALPHAS[[2, 0]], d=12, instances=3, **QUADRATIC)


@pytest.fixture(scope="module")
def trained():
    return attnlaw.spectrum(alpha=0.5, d=30, target="wishart:0.2", **QUADRATIC)


@pytest.fixture(scope="module")
def diagram():
    return attnlaw.thresholds(head="linear", lambda_=0.01, alpha_range=(0.05, 1, 6), kappa_range=(0.1, 1, 5))


@pytest.fixture(scope="module")
def inspection():
    rng = np.random.default_rng(0)
    q, k = rng.standard_normal((2, 48, 32))
    return attnlaw.inspect(q=q, k=k, heads=4)


def line(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


def test_a_learning_curve_is_the_theory(theory):
    axes = plot.learning_curve(theory)
    drawn = line(axes, "test error")
    assert np.array_equal(drawn.get_xdata(), ALPHAS)
    assert np.array_equal(drawn.get_ydata(), theory.errors.test)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_ylabel() == "test error"
    assert axes.get_figure().get_size_inches()[0] == pytest.approx(3.4)


def test_experiments_are_means_with_errors_and_their_own_theory(theory, experiments):
    axes = plot.learning_curve(theory, experiments)
    ((points, _, (bars,)),) = axes.containers
    assert np.array_equal(points.get_xdata(), ALPHAS[[0, 2]])
    assert np.array_equal(points.get_ydata(), experiments.mean.test[::-1])
    heights = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
    assert heights == pytest.approx(2 * experiments.standard_error.test[::-1])
    squares = next(drawn for drawn in axes.get_lines() if drawn.get_marker() == "s")
    own = [np.mean([instance.theory.test for instance in result["instances"]]) for result in experiments]
    assert squares.get_ydata() == pytest.approx(own[::-1])
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["theory", "experiment, $d = 12$", "theory of its targets"]


def test_several_errors_and_axes_from_outside(theory):
    _, ax = plt.subplots()
    assert plot.learning_curve(theory, errors=["train", "test"], ax=ax) is ax
    assert np.array_equal(line(ax, "training error").get_ydata(), theory.errors.train)
    assert line(ax, "training error").get_color() == plot.COLORS[0]
    assert line(ax, "test error").get_color() == plot.COLORS[1]


def test_along_another_option_and_without_one():
    results = attnlaw.solve(lambda_=[0.1, 0.5], alpha=0.5, tokens=1, head="linear")
    drawn = line(plot.learning_curve(results, x="lambda"), "test error")
    assert np.array_equal(drawn.get_xdata(), [0.1, 0.5])
    with pytest.raises(TypeError, match="needs the results"):
        plot.learning_curve()
    with pytest.raises(ValueError, match="one array"):
        plot.learning_curve(attnlaw.solve(alpha=np.full((2, 1), 0.5), tokens=1, head="linear", lambda_=0.1))


def test_a_spectrum_is_density_atom_and_histogram(trained):
    axes = plot.spectrum(trained)
    drawn = line(axes, "theory")
    finite = np.isfinite(drawn.get_xdata())
    assert np.array_equal(drawn.get_xdata()[finite], trained.density.s)
    assert np.array_equal(drawn.get_ydata()[finite], trained.density.density)
    masses = next(twin for twin in axes.get_figure().axes if twin.get_ylabel() == "mass of the atom")
    (bar,) = masses.patches
    assert bar.get_height() == trained.spectrum.zero_mass
    (share,) = masses.get_lines()
    assert share.get_ydata()[0] == pytest.approx(trained.experiment.zero_mass)
    counts, edges, _ = next(patch for patch in axes.patches if hasattr(patch, "get_data")).get_data()
    assert np.sum(counts * np.diff(edges)) == pytest.approx(1 - trained.experiment.zero_mass)


def test_the_inset_compares_distribution_functions(trained):
    axes = plot.spectrum(trained)
    (inset,) = axes.child_axes
    measured, predicted = inset.get_lines()
    assert np.array_equal(measured.get_xdata(), np.sort(trained.experiment.eigenvalues))
    x, y = predicted.get_data()
    assert np.all(np.diff(x) >= 0)
    assert np.all(np.diff(y) >= 0)
    assert y[-1] == pytest.approx(1)
    assert y[np.flatnonzero(x == 0)[-1]] == pytest.approx(trained.spectrum.zero_mass)
    assert not plot.spectrum(trained, inset=False).child_axes


def test_a_law_over_a_sample():
    law = attnlaw.marchenko_pastur(0.5)
    axes = plot.spectrum(law, eigenvalues=law.sample(60, seed=1), bins=12)
    s, density = line(axes, "theory").get_data()
    assert density == pytest.approx(law.density(s))
    inside = (s > 0.2) & (s < 3)
    x, y = axes.child_axes[0].get_lines()[1].get_data()
    assert np.interp(s[inside], x, y) == pytest.approx(law.cdf(s[inside]), abs=2e-3)
    with pytest.raises(ValueError, match="no density"):
        plot.spectrum(attnlaw.solve(alpha=0.5, **QUADRATIC))


def test_a_ridge_stands_row_on_row():
    laws = [attnlaw.semicircle(variance) for variance in (0.5, 1.0, 2.0)]
    axes = plot.ridge(laws, values=[0.5, 1.0, 2.0], overlap=2)
    lowest, _, highest = axes.get_lines()
    highest_density = laws[0].density(0.0)
    s = highest.get_xdata()
    assert highest.get_ydata() == pytest.approx(2 + 2 / highest_density * laws[2].density(s), rel=1e-4)
    assert lowest.get_ydata().max() == pytest.approx(2)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0.5", "1", "2"]


def test_a_ridge_of_results_is_labelled_by_what_varies():
    axes = plot.ridge(attnlaw.spectrum(alpha=ALPHAS, **QUADRATIC))
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0.2", "0.5", "1"]
    assert "alpha" in axes.get_ylabel()


def test_a_ridge_along_an_option_is_that_of_an_array():
    values = (0.2, 0.5, 1.25)
    along = plot.ridge(attnlaw.spectrum(along=("alpha", values[0], values[-1], 3), **QUADRATIC))
    over = plot.ridge(attnlaw.spectrum(alpha=np.array(values), **QUADRATIC))
    assert along.get_ylabel() == over.get_ylabel()
    assert [tick.get_text() for tick in along.get_yticklabels()] == ["0.2", "0.5", "1.25"]
    for one, other in zip(along.get_lines(), over.get_lines(), strict=True):
        assert np.asarray(one.get_xdata()) == pytest.approx(np.asarray(other.get_xdata()), rel=1e-6, nan_ok=True)
        assert np.asarray(one.get_ydata()) == pytest.approx(np.asarray(other.get_ydata()), rel=1e-6, nan_ok=True)


def test_a_phase_diagram_has_its_lines_and_names(diagram):
    axes = plot.phase_diagram(diagram)
    (mesh,) = axes.collections
    assert mesh.get_array().shape == (6, 5)
    assert np.ma.allclose(mesh.get_array(), np.array(diagram.diagram.test).T)
    recovery = line(axes, "recovery")
    assert np.array_equal(recovery.get_xdata(), diagram.diagram["values"])
    assert np.array_equal(recovery.get_ydata(), diagram.diagram.lines.recovery)
    assert {text.get_text() for text in axes.texts} >= {"recovered", "not recovered"}
    assert axes.get_yscale() == "log"
    with pytest.raises(ValueError, match="alpha_range"):
        plot.phase_diagram(attnlaw.thresholds(head="linear"))


def test_scaling_has_the_predicted_slopes():
    result = attnlaw.scaling(head="linear", noise=1, target="powerlaw:1.25,1000", n=(1e5, 1e6, 4))
    axes = plot.scaling(result)
    points = line(axes, "estimation error")
    assert np.array_equal(points.get_xdata(), [point.n for point in result.scaling.points])
    assert np.array_equal(points.get_ydata(), [point.estimation for point in result.scaling.points])
    slopes = [drawn for drawn in axes.get_lines() if "$n^{" in str(drawn.get_label())]
    for drawn in slopes:
        name = drawn.get_label().split(":")[0]
        slope = np.diff(np.log(drawn.get_ydata())) / np.diff(np.log(drawn.get_xdata()))
        assert slope == pytest.approx(result.scaling.exponents[name].predicted)
    assert slopes


def test_a_map_of_heads(inspection):
    axes = plot.heads(inspection, "product.score", significant="product_holm")
    (image,) = axes.get_images()
    scores = [head.product.score for head in inspection["heads"]]
    assert np.asarray(image.get_array()).ravel() == pytest.approx(scores)
    assert axes.get_xlabel() == "head"
    with pytest.raises(ValueError, match="no block 'decoder'"):
        plot.heads(inspection, block="decoder")


def test_saved_letters_are_letters(theory, tmp_path):
    axes = plot.learning_curve(theory)
    plot.save(axes, tmp_path / "curve.svg")
    plot.save(axes.get_figure(), tmp_path / "curve.pdf")
    assert "test error</text>" in (tmp_path / "curve.svg").read_text()
    assert b"/Type3" not in (tmp_path / "curve.pdf").read_bytes()


def test_without_matplotlib_it_says_what_to_install(theory, monkeypatch):
    find = builtins.__import__

    def absent(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return find(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r"pip install 'attnlaw\[plots\]'"):
        plot.learning_curve(theory)
    monkeypatch.undo()


def test_importing_the_package_leaves_matplotlib_alone(python):
    python("import sys, attnlaw; attnlaw.plot; assert 'matplotlib' not in sys.modules and 'pandas' not in sys.modules")


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(TypeError, match=r"theory must be what attnlaw\.solve"):
        plot.learning_curve(3)
    with pytest.raises(ValueError, match=r"one spectrum"):
        plot.ridge(attnlaw.spectrum(alpha=0.5, **QUADRATIC))
