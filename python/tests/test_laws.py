"""Laws of random matrices: closed forms, agreement of routes, matrices drawn."""

import pickle

import numpy as np
import pytest

import attnlaw
from attnlaw import laws

LAWS = [
    laws.semicircle(1.5),
    laws.marchenko_pastur(0.5),
    laws.marchenko_pastur(2, 0.7),
    laws.product_law(0.5),
    laws.product_law(3),
    laws.query_key_law(4, 16),
    laws.semicircle_sum("wishart:0.5", 0.2),
    laws.semicircle_sum(np.repeat([0, 2.0], [95, 5]), 0.2),
    laws.attention_law(0.5, 2),
    laws.attention_law(0.7, 1, "gaussian", 0.5),
    laws.pooling_law(0.5, 0.25, 0.1),
]
each = pytest.mark.parametrize("law", LAWS, ids=repr)


@each
def test_mass_is_one(law):
    _, weights = law.nodes()
    assert weights.sum() + law.atoms[:, 1].sum() == pytest.approx(1, abs=1e-10)


@each
def test_quantiles_invert_the_distribution(law):
    p = np.linspace(0.02, 0.98, 13)
    at = law.cdf(law.quantile(p))
    inside = ~np.isin(np.round(law.quantile(p), 9), np.round(law.atoms[:, 0], 9))
    assert at[inside] == pytest.approx(p[inside], abs=1e-9)


@each
def test_the_transform_gives_moments_and_density(law):
    far = 1e3 * np.exp(0.7j)
    series = sum(law.moment(n) / far ** (n + 1) for n in range(4))
    assert law.stieltjes(far) == pytest.approx(series, rel=1e-9)
    lower, upper = law.edges[-1]
    x = lower + (upper - lower) * np.array([0.3, 0.8])
    assert -law.stieltjes(x + 1e-7j).imag / np.pi == pytest.approx(law.density(x), rel=1e-4)


def test_semicircle_in_closed_form():
    law = laws.semicircle(1.0)
    x = np.linspace(-3, 3, 101)
    assert law.density(x) == pytest.approx(np.sqrt(np.maximum(0, 4 - x**2)) / (2 * np.pi), abs=1e-12)
    z = np.array([[0.3 + 0.01j], [-2.5 + 1e-6j]])
    g = law.stieltjes(z)
    assert g.shape == z.shape
    assert g + 1 / g == pytest.approx(z, abs=1e-9)
    assert law.edges.tolist() == [[-2, 2]]
    assert law.outlier(2) == pytest.approx(2.5)
    assert law.outlier(-2) == pytest.approx(-2.5)
    assert law.outlier(0.9) is None


def test_marchenko_pastur_in_closed_form():
    law = laws.marchenko_pastur(0.5)
    assert law.atoms.tolist() == [[0, 0.5]]
    assert law.moment(1) == pytest.approx(np.sqrt(0.5))
    assert law.moment(2) == pytest.approx(1.5)


@each
def test_drawn_matrices_follow(law):
    d = 300
    values = law.sample(d, seed=1)
    assert values.shape == (d,)
    assert np.all(np.diff(values) >= 0)
    assert np.array_equal(values, law.sample(d, seed=1))
    assert not np.array_equal(values, law.sample(d))
    # Atoms are met to rounding: the distribution is compared beside them.
    empirical = (np.arange(d) + 0.5) / d
    beside = np.all(np.abs(values[:, None] - law.atoms[:, 0]) > 1e-6, axis=1)
    heavy_tail = 0.06
    assert np.max(np.abs(law.cdf(values) - empirical)[beside]) < heavy_tail


def test_shapes_and_kinds_of_points():
    law = laws.semicircle(1.0)
    assert isinstance(law.density(0), float)
    assert isinstance(law.stieltjes(1j), complex)
    grid = np.arange(6).reshape(2, 3)
    assert law.density(grid).shape == law.cdf(grid).shape == (2, 3)
    assert np.array_equal(law.density(grid[:, ::-1]), law.density(grid)[:, ::-1])
    assert np.array_equal(law.density([0, 1]), law.density(np.float32([0, 1])))
    for wrong in ([np.nan], [1j], ["a"]):
        with pytest.raises(attnlaw.OptionError, match="x must be"):
            law.density(wrong)
    with pytest.raises(attnlaw.OptionError, match="0 < p < 1"):
        law.quantile(1.0)


@each
def test_pickles_are_the_same_law(law):
    again = pickle.loads(pickle.dumps(law))
    assert repr(again) == repr(law)
    assert np.array_equal(again.edges, law.edges)


def test_parameters_are_checked():
    with pytest.raises(attnlaw.OptionError, match="variance"):
        laws.semicircle(-1)
    with pytest.raises(attnlaw.OptionError, match="beta"):
        laws.attention_law(-1)


def test_the_null_of_a_head_is_that_of_inspect():
    """Heads of independent entries of variance 1 have the singular values of the law times d."""
    m, d = 16, 64
    rng = np.random.default_rng(1)
    q, k = rng.standard_normal((2, 8 * m, d))
    law = laws.query_key_law(m, d, scale=d)
    edge = law.edges.max()
    for head in attnlaw.inspect(q=q, k=k, heads=8)["heads"]:
        values = head.singular_values
        assert len(values) == m
        assert values.max() < 1.15 * edge
        # The mean square is the second moment of the law, the zeros of the other directions included.
        assert np.sum(values**2) / d == pytest.approx(law.moment(2), rel=0.1)


def test_spikes_may_be_arrays():
    law = laws.marchenko_pastur(0.5)
    places = law.outlier([[0.1, 3]])
    assert places.shape == (1, 2)
    assert np.isnan(places[0, 0])
    assert places[0, 1] == law.outlier(3)
    assert law.outlier(0.1) is None


def test_laws_with_the_same_parameters_are_equal():
    assert laws.semicircle(1) == laws.semicircle(1.0) != laws.semicircle(2)
    assert len({laws.product_law(0.5), laws.product_law(0.5, 1)}) == 1
    assert laws.semicircle(1) != 1


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (lambda: laws.marchenko_pastur("a"), "kappa"),
        (lambda: laws.marchenko_pastur([1, 2]), "kappa"),
        (lambda: laws.semicircle_sum("wishart:0.5", None), "variance"),
        (lambda: laws.semicircle_sum(abs, 0.1), "target"),
        (lambda: laws.attention_law(float("nan")), "beta"),
        (lambda: laws.query_key_law(4.5, 16), "m"),
        (lambda: laws.semicircle().sample(20.5), "d"),
        (lambda: laws.semicircle().sample(20, seed=-1), "seed"),
        (lambda: laws.semicircle().moment([1, 2]), "n"),
        (lambda: laws.semicircle().outlier(float("nan")), "spike"),
        (lambda: laws.semicircle().density(None), "x"),
    ],
)
def test_what_a_law_does_not_take_is_named(call, option):
    with pytest.raises(attnlaw.OptionError, match=option) as caught:
        call()
    assert caught.value.option == option
