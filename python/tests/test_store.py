"""Stores of studies: as pandas, as records, arrays when they are asked for."""

import pickle
import shutil
import sqlite3

import numpy as np
import pytest

import attnlaw

pandas = pytest.importorskip("pandas")

STUDY = """
theory = true
axes = [{alpha = [0.5, 1.0]}]
[problem]
lambda = 0.1
tokens = 1
head = "linear"
noise = 0.1
[experiment]
d = [12]
instances = 2
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    study = tmp_path_factory.mktemp("study") / "ä study.toml"
    study.write_text(STUDY)
    store = study.with_suffix(".sqlite")
    attnlaw.sweep(study, store=store)
    return store


@pytest.fixture
def store(path):
    with attnlaw.Store(path) as opened:
        yield opened


def test_rows_are_those_of_results(store, path):
    table = store.to_pandas()
    assert len(table) == len(store)
    expected = attnlaw.operations.results(path).to_pandas()
    assert set(table.key) == set(expected.key)
    assert set(table.columns) >= set(expected.columns)
    assert table.set_index("key").test.to_dict() == pytest.approx(
        expected.set_index("key").test.astype(float).to_dict()
    )
    assert str(table.finished.dtype).endswith("UTC]")


def test_where_chooses_rows(store):
    table = store.to_pandas("kind = 'experiment' AND alpha < 0.7")
    assert len(table) == 2
    assert set(table.kind) == {"experiment"}
    assert len(store.to_pandas("alpha > 99", figures=True, arrays=True)) == 0
    with pytest.raises(ValueError, match=r"'alhpa < 1'.*alhpa"):
        store.to_pandas("alhpa < 1")
    with pytest.raises(ValueError, match="where must be"):
        store.to_pandas("1; DROP TABLE result")


def test_figures_are_nested_columns(store):
    table = store.to_pandas("kind = 'theory'", figures=True)
    assert np.array_equal(table["figures.errors.test"], table.test)
    assert table["figures.spectrum.collapse.stable_rank"].between(0, 1).all()


def test_arrays_are_read_when_they_are_asked_for(store):
    table = store.to_pandas("kind = 'experiment'", arrays=True)
    arrays = table.arrays[0]
    assert "eigenvalues" in arrays
    values = arrays["eigenvalues"]
    assert values.shape == (12,)
    assert np.all(np.diff(values) <= 0)
    with pytest.raises(KeyError, match="no array 'density'; it has eigenvalues"):
        arrays["density"]


def test_one_result_by_the_beginning_of_its_key(store):
    key = store.to_pandas("kind = 'theory'").key[0]
    result = store[key[:12]]
    assert result.key == key
    assert result.kind == "theory"
    assert result.task.problem.lambda_ == 0.1
    assert result.figures.errors.test == pytest.approx(attnlaw.solve(result.task["problem"].to_dict()).errors.test)
    with pytest.raises(KeyError, match="several results"):
        store[""]
    with pytest.raises(KeyError, match="no result xyz"):
        store["xyz"]


def test_all_results_in_order(store):
    assert [result.key for result in store] == store.to_pandas().key.tolist()


def test_reads_only(store, path):
    before = path.read_bytes()
    store.to_pandas(figures=True, arrays=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("DELETE FROM result")
    assert path.read_bytes() == before


def test_pickles(store):
    again = pickle.loads(pickle.dumps(store))
    assert len(again) == len(store)


def test_other_files_are_refused(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="no store"):
        attnlaw.Store(tmp_path / "absent.sqlite")
    (tmp_path / "text").write_text("no store at all" * 100)
    with pytest.raises(ValueError, match="not a store of attnlaw"):
        attnlaw.Store(tmp_path / "text")
    newer = tmp_path / "newer.sqlite"
    shutil.copy(path, newer)
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ValueError, match="version 99; this attnlaw reads those up to"):
        attnlaw.Store(newer)
