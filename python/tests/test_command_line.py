"""Every operation gives the document of the command line, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attnlaw

# Figures of the machine and of the clock, not of the problem.
OF_THE_RUN = ("seconds", "cpu_seconds")

CALLS = {
    "solve": [
        {"alpha": 0.3, "lambda_": 0.05},
        {"alpha": 0.3, "lambda_": "optimal", "head": "linear", "noise": 0.5, "sensitivities": True},
        {"alpha": 0.3, "lambda_": 0.05, "attention": "cross", "tokens": (2, 3)},
        {"alpha": 1, "student": "bayes", "noise": 0.1, "head": "linear"},
    ],
    "simulate": [
        {"alpha": 0.5, "lambda_": 0.05, "d": [20, 30], "instances": 2, "seed": 7},
        {"alpha": 0.5, "lambda_": 0.05, "d": 20, "instances": 2, "seed": 7, "outputs": "sequences"},
    ],
    "spectrum": [
        {"alpha": 0.3, "lambda_": 0.05, "d": 30, "instances": 2},
        {"alpha": 0.3, "along": ("lambda", 0.01, 0.5, 3)},
    ],
    "thresholds": [
        {"head": "linear", "lambda_": 0.01, "alpha_range": (0.2, 0.6, 3)},
        {"head": "linear", "lambda_": 0.01, "noise": 0.25, "target": "wishart:0.2", "detachment": True},
    ],
    "limits": [{"head": "linear", "tokens": 1, "alpha": 1, "noise": 0.1, "lambda_": 0.1}],
    "scaling": [{"head": "linear", "noise": 1, "target": "powerlaw:1.25,200", "n": (1e4, 1e5, 3)}],
    "softmax_law": [{"beta": 0.5, "rho": 1}, {"beta": 1, "rho": 2, "simulate": 64, "instances": 1}],
    "pooling": [{"delta": 0.5, "gamma": 0.5, "mu2": 1, "profile": "power:0.9,0.5", "length": 16}],
    "icl": [
        {"context": [2, 10], "tasks": "0.5:2:3:log", "sequences": 3, "noise": 0.1, "lambda_": "optimal"},
        {"context": 2, "tasks": math.inf, "sequences": 2, "d": [6, 9], "instances": 2, "seed": 7},
    ],
    "lora": [{"head": "linear", "tokens": 1, "alpha_ft": 6, "e_pre": 0.4}],
    "lofi": [{"target": "sine:8,1.5", "d": 20, "n": 500, "test": 500}],
    "figure": [{"list": True}],
    "conventions": [{}],
    "version": [{}],
    "completion": [{"shell": "bash"}],
    "schema": [{}],
    "manual": [{"command": "solve"}],
}
# These need files (a study, a store, weights): their tests are below and in test_inspect.py; demo takes half a minute.
ELSEWHERE = {"sweep", "results", "inspect", "demo", "explore"}


def arguments(options):
    """The options as the command line takes them."""
    words = []
    for name, value in options.items():
        if name in ("shell", "command"):
            words.append(value)
            continue
        words.append("--" + name.rstrip("_").replace("_", "-"))
        if value is True:
            continue
        if name == "along":
            value = f"{value[0]}:{','.join(map(str, value[1:]))}"
        words.append(",".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return words


def timeless(value):
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name not in OF_THE_RUN}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def test_every_operation_is_a_function():
    assert all(callable(getattr(attnlaw, name)) for name in attnlaw.operations.names())


def test_every_operation_is_compared():
    assert set(CALLS) | ELSEWHERE == set(attnlaw.operations.names())


@pytest.mark.parametrize(("operation", "options"), [(name, one) for name, calls in CALLS.items() for one in calls])
@pytest.mark.filterwarnings("ignore::attnlaw.AttnlawWarning")
def test_documents_are_equal(program, operation, options):
    document = program(operation.replace("_", "-"), *arguments(options))
    assert timeless(getattr(attnlaw, operation)(**options).to_dict()) == timeless(document)


@pytest.mark.filterwarnings("ignore::attnlaw.AttnlawWarning")
def test_studies_and_their_store(program, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text('axes = [{alpha = [0.5, 1.0]}]\n[problem]\nlambda = 0.05\nhead = "linear"\n')
    assert attnlaw.sweep(study, check=True).total.tasks == program("sweep", str(study), "--check")["total"]["tasks"]
    store = tmp_path / "results.sqlite"
    done = attnlaw.sweep(study, store=store)
    assert (done.complete, done.computed) == (True, 2)
    rows = attnlaw.results(store)
    assert timeless(rows.to_dict()) == timeless(program("results", str(store)))
    assert sorted(rows.to_pandas().alpha) == [0.5, 1.0]


@settings(max_examples=15)
@given(
    alpha=st.floats(0.05, 5),
    lambda_=st.floats(1e-3, 1),
    noise=st.floats(0, 2),
    tokens=st.integers(1, 4),
    student=st.sampled_from(["tied", "direct"]),
)
def test_random_problems_are_equal(program, alpha, lambda_, noise, tokens, student):
    options = {
        "alpha": alpha,
        "lambda_": lambda_,
        "noise": noise,
        "tokens": tokens,
        "student": student,
        "head": "linear",
    }
    document = program("solve", *arguments(options))
    result = attnlaw.solve(**options)
    assert timeless(result.to_dict()) == timeless(document)
    assert all(math.isfinite(value) and value >= 0 for value in result.errors.to_dict().values())


def test_seeds_and_threads(program):
    options = {"alpha": 0.5, "lambda_": 0.05, "d": 20, "instances": 3, "seed": 5}
    document = timeless(program("simulate", *arguments(options), "--threads", "1"))
    assert timeless(attnlaw.simulate(**options, threads=2).to_dict()) == document
    grid = attnlaw.simulate(**options | {"alpha": np.array([0.5, 1.0])})
    assert timeless(grid[0].to_dict()) == document
