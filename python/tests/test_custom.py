"""Losses, labels and penalties that are functions of Python."""

from __future__ import annotations

import gc
import pickle
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import attnlaw

RELATIVE = 2e-3  # the accuracy that both are solved to, twice


def square(y: Any, p: Any) -> Any:
    return ((p - y) ** 2).sum(axis=1), 2 * (p - y)


def values_alone(y: Any, p: Any) -> Any:
    return ((p - y) ** 2).sum(axis=1)


def no_complex_numbers(y: Any, p: Any) -> Any:
    return (np.abs(p - y) ** 2).sum(axis=1)


def with_hessian(y: Any, p: Any) -> Any:
    n, k = p.shape
    return ((p - y) ** 2).sum(axis=1), 2 * (p - y), np.broadcast_to(2 * np.eye(k), (n, k, k))


def elastic(s: Any) -> Any:
    return s + s**2, 1 + 2 * s


@pytest.mark.parametrize("function", [square, values_alone, no_complex_numbers, with_hessian])
def test_a_built_in_loss_written_anew_has_its_errors(function: Callable[..., Any]) -> None:
    known = attnlaw.solve(alpha=0.3, lambda_=0.05)
    begin = time.process_time()
    custom = attnlaw.solve(alpha=0.3, lambda_=0.05, loss=attnlaw.Loss(function, "rows"))
    assert time.process_time() - begin < 3
    assert custom.converged
    for figure in ("train", "test", "estimation"):
        assert getattr(custom.errors, figure) == pytest.approx(getattr(known.errors, figure), rel=RELATIVE)


def test_it_trains_at_finite_dimension() -> None:
    options = {"alpha": 0.5, "lambda_": 0.05, "d": 20, "instances": 2, "precision": "double"}
    known = attnlaw.simulate(**options)
    custom = attnlaw.simulate(**options, loss=attnlaw.Loss(square, "rows"))
    assert custom.mean.estimation == pytest.approx(known.mean.estimation, rel=1e-3)


def test_a_penalty_is_solved_and_trained() -> None:
    penalty = attnlaw.Penalty(lambda s: s)
    known, custom = (attnlaw.solve(alpha=0.3, lambda_=0.05, **more) for more in ({}, {"penalty": penalty}))
    assert custom.errors.estimation == pytest.approx(known.errors.estimation, rel=1e-6)
    trained = attnlaw.simulate(alpha=0.3, lambda_=0.05, penalty=attnlaw.Penalty(elastic), d=20, instances=2)
    assert trained.mean.estimation > 0


def test_a_penalty_that_is_not_convex_has_a_gap_in_its_spectrum() -> None:
    """Above a threshold eigenvalues go unpunished: none is between 0 and the first that is kept."""
    rank = attnlaw.Penalty(lambda s: ((s > 0).astype(float), np.zeros_like(s)))
    with pytest.warns(attnlaw.AttnlawWarning, match="not convex"):
        trained = attnlaw.spectrum(alpha=0.5, lambda_=0.3, noise=0.5, head="linear", penalty=rank)
    s, density = trained.density.s, trained.density.density
    conjugates = trained.conjugates
    first = np.sqrt(4 * 0.3 * conjugates.V_hat) / conjugates.V_hat
    assert s[0] == pytest.approx(first, rel=1e-3)
    noisy = attnlaw.semicircle_sum("wishart:0.5", conjugates.q_hat / conjugates.m_hat**2)
    unit = conjugates.m_hat / conjugates.V_hat
    assert density[1:-1] == pytest.approx(noisy.density(s[1:-1] / unit) / unit, rel=1e-3)
    assert trained.spectrum.zero_mass == pytest.approx(noisy.cdf(first / unit), abs=1e-4)


def soft(x: Any, t: float) -> Any:
    return np.maximum(x - t, 0)


def elastic_map(x: Any, t: float) -> Any:
    return np.maximum(x - t, 0) / (1 + 2 * t)


def test_a_denoiser_is_the_penalty_whose_proximal_map_it_is() -> None:
    options = {"alpha": 0.3, "lambda_": 0.05}
    begin = time.process_time()
    denoised = attnlaw.solve(**options, penalty=attnlaw.Denoiser(elastic_map))
    assert time.process_time() - begin < 3
    penalised = attnlaw.solve(**options, penalty=attnlaw.Penalty(elastic))
    for figure in ("train", "test", "estimation", "objective"):
        assert getattr(denoised.errors, figure) == pytest.approx(getattr(penalised.errors, figure), rel=1e-5)
    assert denoised.diagnostics.replicon == pytest.approx(penalised.diagnostics.replicon, rel=1e-2)
    assert denoised.spectrum.zero_mass == pytest.approx(penalised.spectrum.zero_mass, rel=1e-5)
    trained = [
        attnlaw.simulate(**options, penalty=penalty, d=20, instances=2, precision="double").mean.estimation
        for penalty in (attnlaw.Denoiser(elastic_map), attnlaw.Penalty(elastic))
    ]
    assert trained[0] == pytest.approx(trained[1], rel=1e-3)


def test_theory_and_experiment_of_a_denoiser_agree() -> None:
    options = {"alpha": 1.0, "lambda_": 0.05, "noise": 0.2, "penalty": attnlaw.Denoiser(soft)}
    theory, experiment = attnlaw.solve(**options), attnlaw.simulate(**options, d=40, instances=4)
    for figure in ("train", "test", "estimation"):
        error = 4 * getattr(experiment.standard_error, figure) + 0.1 * getattr(theory.errors, figure)
        assert abs(getattr(experiment.mean, figure) - getattr(theory.errors, figure)) < error


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, t: x / 2, "the proximal map of no penalty"),
        (lambda x, t: np.maximum(x - t**2, 0), "the proximal map of no penalty"),
        (lambda x, t: -x, "a denoiser that falls"),
        (lambda x, t: np.full_like(x, np.nan), "must be finite"),
        (lambda x, t: x[:1], "must have the shape"),
    ],
)
def test_what_is_no_proximal_map_is_refused(function: Callable[..., Any], message: str) -> None:
    denoiser = attnlaw.Denoiser(function)
    for call in (
        lambda: attnlaw.solve(alpha=0.3, lambda_=0.05, penalty=denoiser),
        lambda: attnlaw.simulate(alpha=0.3, lambda_=0.05, penalty=denoiser, d=10, instances=1),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_penalty_that_falls_for_ever_is_refused() -> None:
    for call in (
        lambda: attnlaw.solve(alpha=0.3, lambda_=0.05, penalty=attnlaw.Penalty(lambda s: -(s**4))),
        lambda: attnlaw.simulate(
            alpha=0.3, lambda_=0.05, penalty=attnlaw.Penalty(lambda s: -(s**4)), d=10, instances=1
        ),
    ):
        with pytest.raises(ValueError, match="must be bounded below"):
            call()


def test_problems_with_the_same_functions_are_equal() -> None:
    def problem() -> attnlaw.Problem:
        return attnlaw.Problem(
            alpha=0.3, lambda_=0.05, loss=attnlaw.Loss(square, "rows"), penalty=attnlaw.Denoiser(soft)
        )

    first = problem()
    assert first == problem() == pickle.loads(pickle.dumps(first))
    assert hash(first) == hash(problem())
    assert first != first.replace(penalty=attnlaw.Denoiser(elastic_map))
    assert first != first.replace(loss=None)
    assert first.replace(loss="square", head="linear") != first.replace(loss="logistic", labels="sign", head="linear")


def test_problems_carry_losses_and_penalties() -> None:
    problem = attnlaw.Problem(
        alpha=0.3, lambda_=0.05, loss=attnlaw.Loss(square, "rows"), penalty=attnlaw.Penalty(elastic)
    )
    gc.collect()
    assert "custom:square" in problem.loss
    first = attnlaw.solve(problem)
    again = attnlaw.solve(pickle.loads(pickle.dumps(problem)))
    assert again.errors.test == first.errors.test
    assert attnlaw.solve(problem.replace(alpha=0.4)).errors.test < first.errors.test


def test_curves_take_them() -> None:
    curve = attnlaw.solve(alpha=np.array([0.2, 0.4]), lambda_=0.05, loss=attnlaw.Loss(square, "rows"))
    assert curve.errors.test[1] < curve.errors.test[0]


def test_labels_may_be_a_function_of_scores() -> None:
    def noisy_sign(scores: Any) -> Any:
        return np.tanh(3 * scores)

    def residual(y: Any, u: Any) -> Any:
        return ((u - y) ** 2).sum(axis=1), 2 * (u - y)

    options = {"alpha": 1.0, "lambda_": 0.1, "loss": attnlaw.Loss(residual, "score", noisy_sign)}
    theory, experiment = attnlaw.solve(**options), attnlaw.simulate(**options, d=40, instances=4)
    for figure in ("train", "test"):
        error = 4 * getattr(experiment.standard_error, figure) + 0.08 * getattr(theory.errors, figure)
        assert abs(getattr(experiment.mean, figure) - getattr(theory.errors, figure)) < error


class MineError(Exception):
    pass


@pytest.mark.parametrize("error", [MineError, ValueError, KeyError])
def test_exceptions_come_out_as_they_are(error: type[Exception]) -> None:
    def fails(y: Any, p: Any) -> Any:
        raise error("of my own")

    loss = attnlaw.Loss(fails)
    for call in (
        lambda: attnlaw.solve(alpha=0.3, lambda_=0.05, loss=loss),
        lambda: attnlaw.simulate(alpha=0.3, lambda_=0.05, loss=loss, d=10, instances=1),
    ):
        with pytest.raises(error, match="of my own") as caught:
            call()
        assert type(caught.value) is error


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda y, p: (square(y, p)[0], 1.01 * square(y, p)[1]), "gradient of the loss does not agree"),
        (lambda y, p: p, r"values of the loss must have the shape \(\d+,\)"),
        (lambda y, p: (square(y, p)[0], p[:, :1]), "gradient of the loss must have the shape"),
        (lambda y, p: np.full(len(p), np.nan), "must be finite"),
        (lambda y, p: np.array(["a"] * len(p)), "real numbers"),
    ],
)
def test_what_is_no_loss_is_refused(function: Callable[..., Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        attnlaw.solve(alpha=0.3, lambda_=0.05, loss=attnlaw.Loss(function))


def test_what_does_not_go_together_is_refused() -> None:
    loss = attnlaw.Loss(square, "rows")
    with pytest.raises(attnlaw.OptionError, match="0\\+"):
        attnlaw.solve(alpha=0.3, lambda_="0+", loss=loss)
    with pytest.raises(attnlaw.OptionError, match="student"):
        attnlaw.solve(alpha=0.3, lambda_=0.1, loss=loss, student="direct-general")
    with pytest.raises(ValueError, match="coordinates"):
        attnlaw.Loss(square, "columns")


def test_functions_are_let_go() -> None:
    def once(y: Any, p: Any) -> Any:
        return square(y, p)

    loss, alive = attnlaw.Loss(once, "rows"), weakref.ref(once)
    attnlaw.solve(alpha=0.3, lambda_=0.05, loss=loss)
    del loss, once
    gc.collect()
    assert alive() is None
