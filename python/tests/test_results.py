"""Results: figures, arrays of them, tables, warnings."""

import errno
import pickle
import warnings

import numpy as np
import pytest

import attnlaw
from attnlaw import AttnlawWarning, OptionError, Problem

ALPHAS = np.geomspace(0.05, 2, 7)


@pytest.fixture(scope="module")
def solution():
    return attnlaw.solve(alpha=0.3, lambda_=0.05)


@pytest.fixture(scope="module")
def curve():
    return attnlaw.solve(alpha=ALPHAS, lambda_=0.05)


def without_time(document):
    document = dict(document)
    document["diagnostics"] = {k: v for k, v in document["diagnostics"].items() if k != "seconds"}
    return document


def test_figures_are_attributes_and_items(solution):
    assert solution.errors.test == solution["errors"]["test"] == pytest.approx(0.0551593, rel=1e-5)
    assert solution.problem.lambda_ == 0.05
    assert solution.spectrum.edges.shape == (1, 2)
    assert solution.ridgeless is None
    assert solution.converged


def test_an_unknown_figure_names_the_nearest(solution):
    with pytest.raises(AttributeError, match="did you mean 'errors'"):
        _ = solution.error


def test_printed_as_tables(solution):
    assert "estimation" in repr(solution)
    assert solution._repr_html_().startswith("<table")


def test_rows_are_those_of_the_csv(solution):
    frame = solution.to_pandas()
    assert frame.shape[0] == 1
    assert frame.alpha[0] == 0.3


def test_a_curve_is_each_point_to_the_last_bit(curve):
    assert curve.shape == (7,)
    for i in (0, 3, 6):
        alone = attnlaw.solve(alpha=ALPHAS[i], lambda_=0.05)
        assert without_time(alone.to_dict()) == without_time(curve[i].to_dict())
        assert curve.errors.test[i] == alone.errors.test
    assert np.all(np.diff(curve.errors.test) < 0)


def test_curves_do_not_depend_on_threads(curve):
    one = attnlaw.solve(alpha=ALPHAS, lambda_=0.05, threads=1)
    assert np.array_equal(one.errors.test, curve.errors.test)


def test_arrays_broadcast():
    grid = attnlaw.solve(alpha=ALPHAS[:3, None], lambda_=[0.05, 0.5], noise=0.1)
    assert grid.shape == grid.errors.test.shape == (3, 2)
    assert grid.options["lambda"].shape == (3, 2)
    assert grid[1].shape == (2,)
    assert grid[1, 1].problem.lambda_ == 0.5
    assert len(grid.to_pandas()) == 6
    assert set(grid.to_pandas().columns) >= {"alpha", "lambda", "test"}


def test_numbers_and_words_in_one_array():
    rules = attnlaw.solve(alpha=0.3, lambda_=["0+", 0.05])
    assert rules[0].problem.lambda_ == "0+"
    assert rules[1].problem.lambda_ == 0.05


def test_arrays_of_other_kinds():
    whole = attnlaw.solve(alpha=np.array([1, 2]), lambda_=np.float32(0.5))
    backwards = attnlaw.solve(alpha=np.array([2, 7, 1, 7])[::-2], lambda_=0.5)
    assert whole.shape == backwards.shape == (2,)
    with pytest.raises(OptionError, match="array of numbers"):
        attnlaw.solve(alpha=np.array([1 + 1j, 2]), lambda_=0.5)
    with pytest.raises(OptionError, match="finite number > 0, got nan") as caught:
        attnlaw.solve(alpha=np.array([1, np.nan]), lambda_=0.5)
    assert caught.value.option == "alpha"
    with pytest.raises(OptionError, match="shapes"):
        attnlaw.solve(alpha=np.ones(2), lambda_=np.ones(3))


def test_curves_print_their_figures():
    measured = attnlaw.simulate(alpha=[0.3, 0.5], lambda_=0.1, d=16, instances=2, head="linear")
    lines = repr(measured).splitlines()
    assert len(lines) == 3
    assert {"alpha", "test", "train", "converged"} <= set(lines[0].split())
    places = attnlaw.thresholds(noise=[0.1, 0.2], head="linear")
    assert "recovery" in repr(places) or "interpolation" in repr(places)


def test_long_curves_print_their_ends():
    curve = attnlaw.solve(alpha=np.geomspace(0.1, 2, 50), lambda_=0.1, head="linear")
    lines = repr(curve).splitlines()
    assert len(lines) == 22 and "…" in lines[11]
    assert lines[1].split()[0] == "0.1" and lines[-1].split()[0] == "2"
    assert curve._repr_html_().count("<tr>") == 22


def test_rows_of_a_curve_are_those_of_its_results():
    curve = attnlaw.solve(alpha=[0.2, 0.4], lambda_=[0.1, 0.2], student="tied", head="linear")
    frame = curve.to_pandas()
    assert len(frame) == 2
    for i, result in enumerate(curve):
        row = result.to_pandas()
        assert list(row.columns) == [name for name in frame.columns if name in row.columns]
        assert frame.loc[i, row.columns].tolist() == pytest.approx(row.loc[0].tolist(), nan_ok=True)
    assert frame["alpha"].tolist() == [0.2, 0.4]


def test_spans_are_grids_as_on_the_command_line():
    curve = attnlaw.solve(alpha="0.1:1:4:log", lambda_=0.1, head="linear")
    assert curve.options["alpha"] == pytest.approx(np.geomspace(0.1, 1, 4))
    assert curve.options["alpha"][-1] == 1
    grid = attnlaw.solve(alpha=[[0.2], [0.4]], lambda_="0.1:0.3:3", head="linear")
    assert grid.shape == (2, 3)
    assert grid.options["lambda"][1] == pytest.approx([0.1, 0.2, 0.3])
    with pytest.raises(OptionError, match="up to a larger one") as caught:
        attnlaw.solve(alpha="2:1:3", lambda_=0.1)
    assert caught.value.option == "alpha"


def test_arrays_are_those_of_the_library():
    trained = attnlaw.spectrum(alpha=0.5, lambda_=0.1, head="linear")
    density = trained.density.density
    assert density is trained.density.density
    assert trained.spectrum.edges.shape[1:] == (2,)
    for array in (density, trained.spectrum.edges, pickle.loads(pickle.dumps(trained)).density.density):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert trained.to_dict()["density"]["density"] == density.tolist()
    del trained
    assert np.isfinite(density).all()


def test_tables_have_numbers_where_figures_are_absent(solution, curve):
    for frame in (solution.to_pandas(), curve.to_pandas()):
        assert not [name for name in frame if frame[name].dtype == object]


def test_figures_have_their_documentation(solution):
    assert "noiseless loss per fresh sequence" in solution.errors.__doc__
    assert "noiseless loss per fresh sequence" in type(solution.errors).test.__doc__
    assert "V_hat" in solution.conjugates.__doc__
    assert type(pickle.loads(pickle.dumps(solution.errors))) is type(solution.errors)


def test_empty_arrays():
    nothing = attnlaw.solve(alpha=np.empty(0), lambda_=0.5)
    assert nothing.shape == (0,)
    assert repr(nothing) == "no results"


def test_pickles(solution, curve):
    again = pickle.loads(pickle.dumps(solution))
    assert again.to_dict() == solution.to_dict()
    assert repr(again) == repr(solution)
    assert again.to_pandas().equals(solution.to_pandas())
    assert np.array_equal(pickle.loads(pickle.dumps(curve)).errors.test, curve.errors.test)


def test_a_problem_and_what_overrides_it():
    problem = Problem(alpha=0.3, lambda_=0.05)
    assert attnlaw.solve(problem).problem.to_dict() == problem.to_dict()
    assert attnlaw.solve(problem, noise=0.1).problem.noise == 0.1
    assert attnlaw.solve(problem=problem, alpha=ALPHAS).shape == (7,)
    assert attnlaw.solve(problem.to_dict()).problem.to_dict() == problem.to_dict()


def test_problem_files(tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text("alpha = 0.3\nlambda = 0.05\n")
    assert attnlaw.solve(path).errors.test == attnlaw.solve(alpha=0.3, lambda_=0.05).errors.test
    with pytest.raises(FileNotFoundError, match="absent") as caught:
        attnlaw.solve("absent.toml")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "absent.toml")
    with pytest.raises(IsADirectoryError):
        attnlaw.solve(tmp_path)


def test_warnings_are_those_of_the_document():
    with pytest.warns(AttnlawWarning, match="Without effect here: seed") as caught:
        result = attnlaw.solve(alpha=0.3, lambda_=0.05, seed=3)
    assert caught[0].filename == __file__
    assert result.warnings == ["Without effect here: --seed."]
    with pytest.warns(AttnlawWarning, match="Without effect here: seed") as caught:
        curve = attnlaw.solve(alpha=[0.3, 0.4], lambda_=0.05, seed=3)
    assert [warning.filename for warning in caught] == [__file__]
    assert curve.warnings == ["Without effect here: --seed."]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attnlaw.solve(alpha=0.3, lambda_=0.05)


def test_targets_from_arrays():
    values = np.array([3.0, 0, 0, 1.5, -0.25])
    spec = attnlaw.targets.spectrum_target(values)
    assert spec == "spikes:5,3.0,1.5,-0.25"
    by_array = attnlaw.solve(alpha=0.3, lambda_=0.05, target=values)
    by_matrix = attnlaw.solve(alpha=0.3, lambda_=0.05, target=np.diag(values))
    assert by_array.problem.target == by_matrix.problem.target or np.isclose(
        by_array.errors.test, by_matrix.errors.test
    )
    with pytest.raises(OptionError, match="density_target"):
        attnlaw.solve(alpha=0.3, lambda_=0.05, target=lambda s: s)
    with pytest.raises(OptionError, match="symmetric"):
        attnlaw.solve(alpha=0.3, lambda_=0.05, target=np.triu(np.ones((3, 3))))
    with pytest.raises(OptionError, match="finite") as caught:
        attnlaw.solve(alpha=0.3, lambda_=0.05, target=[1.0, np.inf])
    assert caught.value.option == "target"


@pytest.mark.parametrize("attention", ["self", "cross"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_matrix_is_the_target_that_its_file_is(tmp_path, attention, kind):
    # Half of the eigenvalues 1, half 0, but for rounding.
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 6)))[0]
    matrix = (basis @ basis.T).astype(kind)
    if attention == "cross":
        matrix = np.roll(matrix, 1, axis=0)
    np.save(tmp_path / "S.npy", matrix)
    options = {"alpha": 0.3, "lambda_": 0.05, "head": "linear", "attention": attention}
    by_matrix = attnlaw.solve(target=matrix.T, **options)
    by_file = attnlaw.solve(target=f"file:{tmp_path / 'S.npy'}", **options)
    assert by_matrix.errors.test == pytest.approx(by_file.errors.test, rel=1e-6)
    assert by_matrix.problem.target.count(",") == 6, "those that are 0 up to rounding are 0"


def test_a_density_as_a_target_has_its_moments():
    spec = attnlaw.targets.density_target(lambda x: np.sqrt(4 - x**2), (-2, 2), count=1000)
    values = np.array([float(part) for part in spec.split(",")[1:]])
    assert np.mean(values**2) == pytest.approx(1, rel=2e-3)


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (lambda x: x * np.nan, "finite"),
        (lambda x: x + 0j, "complex"),
        (lambda x: ["much"] * len(x), "real numbers"),
        (lambda x: -x, ">= 0"),
    ],
)
def test_what_is_no_density_is_named(density, message):
    with pytest.raises(OptionError, match=message) as caught:
        attnlaw.targets.density_target(density, (0.5, 1))
    assert caught.value.option == "density"


def test_progress_is_called():
    seen = []
    attnlaw.solve(alpha=ALPHAS, lambda_=0.05, progress=lambda *call: seen.append(call))
    assert seen[-1] == ("solve", 7, 7)

    class Enough(Exception):
        pass

    def stop(*_):
        raise Enough

    with pytest.raises(Enough):
        attnlaw.solve(alpha=ALPHAS, lambda_=0.05, progress=stop)
