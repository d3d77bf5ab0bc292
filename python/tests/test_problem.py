"""Problems: made, compared, kept, refused."""

import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import attnlaw
from attnlaw import OptionError, Problem


def test_options_are_attributes_with_their_defaults():
    problem = Problem(alpha=0.3, lambda_=0.05)
    assert problem.alpha == 0.3
    assert problem.lambda_ == 0.05
    assert problem.target == "wishart:0.5"
    assert Problem(alpha=1, lambda_=1, labels="sign").loss == "logistic"


def test_repr_makes_it_again():
    problem = Problem(alpha=0.3, lambda_="0+", tokens=3)
    assert eval(repr(problem)) == problem


def test_replace_leaves_the_first_one():
    problem = Problem(alpha=0.3, lambda_=0.05)
    noisy = problem.replace(noise=0.5)
    assert (problem.noise, noisy.noise, noisy.alpha) == (0, 0.5, 0.3)
    assert noisy.replace(noise=None) == problem


def test_defaults_follow_what_is_replaced():
    assert Problem(alpha=1, lambda_=1).replace(labels="sampled").loss == "cross-entropy"


def test_equal_problems_are_one_key():
    assert Problem(alpha=1, lambda_=0.5) == Problem(alpha=1.0, lambda_=0.5, noise=0)
    assert len({Problem(alpha=1, lambda_=0.5), Problem(alpha=1, lambda_=0.5, beta=1)}) == 1
    assert Problem(alpha=1, lambda_=0.5) != "a problem"


def test_a_problem_does_not_change():
    with pytest.raises(AttributeError, match="replace"):
        Problem(alpha=1, lambda_=1).alpha = 2


@given(
    alpha=st.floats(1e-3, 1e3),
    lambda_=st.one_of(st.floats(1e-6, 10), st.sampled_from(["0+", "optimal"])),
    noise=st.floats(0, 5),
    tokens=st.integers(2, 6),
    head=st.sampled_from(["softmax", "linear"]),
    kappa=st.floats(0.1, 3),
)
def test_documents_and_pickles_keep_every_bit(alpha, lambda_, noise, tokens, head, kappa):
    problem = Problem(alpha=alpha, lambda_=lambda_, noise=noise, tokens=tokens, head=head, target=f"wishart:{kappa!r}")
    for same in (
        pickle.loads(pickle.dumps(problem)),
        copy.deepcopy(problem),
        Problem.from_dict(problem.to_dict()),
        eval(repr(problem)),
    ):
        assert same == problem
        assert hash(same) == hash(problem)
        assert same.alpha == alpha


@pytest.mark.parametrize(
    ("options", "option", "value", "message"),
    [
        ({"alpha": -1, "lambda_": 1}, "alpha", -1, "alpha must be a finite number > 0"),
        ({"alpha": float("nan"), "lambda_": 1}, "alpha", None, "finite"),
        ({"alpha": 1, "lambda_": 0}, "lambda_", 0, "lambda must be a finite number > 0"),
        ({"alpha": 1, "lambda_": "big"}, "lambda_", "big", "0[+], optimal or edge"),
        ({"alpha": "1", "lambda_": 1}, "alpha", "1", "must be a number"),
        ({"alpha": 1, "lambda_": 1, "alpa": 2}, "alpa", 2, "did you mean 'alpha'"),
        ({"alpha": 1, "lambda_": 1, "tokens": 2.5}, "tokens", 2.5, "integer"),
        ({"alpha": 1, "lambda_": 1, "head": "sofmax"}, "head", "sofmax", "softmax"),
        ({"alpha": 1, "lambda_": 1, "width": 0.5, "student": "direct"}, "width", 0.5, "tied student"),
        ({"lambda_": 1}, "alpha", None, "required"),
        ({"alpha": 1 + 2j, "lambda_": 1}, "alpha", None, "complex"),
        ({"alpha": object(), "lambda_": 1}, "alpha", None, "must be a number"),
    ],
)
def test_what_is_not_accepted_is_named(options, option, value, message):
    with pytest.raises(OptionError, match=message) as caught:
        Problem(**options)
    assert caught.value.option == option
    if value is not None:
        assert caught.value.value == value
    assert isinstance(caught.value, ValueError)


def test_errors_can_be_pickled():
    with pytest.raises(OptionError) as caught:
        Problem(alpha=-1, lambda_=1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.option, again.value) == (str(caught.value), "alpha", -1)


def test_messages_write_options_as_python_does():
    with pytest.raises(OptionError, match="d and the other") as caught:
        attnlaw.spectrum(alpha=1, lambda_=1, along="lambda:0.1,1,3", d=50)
    assert "--" not in str(caught.value)


def test_problems_are_given_as_documents_too():
    expected = attnlaw.solve(alpha=0.3, lambda_=0.05)
    document = {"alpha": 0.3, "lambda": 0.05}
    for result in (
        attnlaw.solve(document),
        attnlaw.solve(problem=document),
        attnlaw.solve(expected.problem),
        attnlaw.solve(attnlaw.Problem(alpha=0.3, lambda_=0.05)),
    ):
        assert result.errors.to_dict() == expected.errors.to_dict()


def test_a_misspelt_option_is_named_before_the_one_that_is_missing():
    with pytest.raises(OptionError, match=r"unknown key 'alpah'.*did you mean 'alpha'") as caught:
        attnlaw.solve(alpah=0.3, lambda_=0.05)
    assert caught.value.option == "alpah"


@pytest.mark.parametrize(
    ("misspelt", "meant"), [("progres", "progress"), ("thread", "threads"), ("sed", "seed"), ("htm", "html")]
)
def test_a_misspelt_option_of_every_call_is_named(misspelt, meant):
    with pytest.raises(OptionError, match=f"unknown key '{misspelt}'; did you mean '{meant}'") as caught:
        attnlaw.solve(alpha=0.3, lambda_=0.05, **{misspelt: 1})
    assert caught.value.option == misspelt


def test_functions_as_they_are_are_refused():
    for name, maker in (("loss", "Loss"), ("penalty", "Penalty"), ("penalty", "Denoiser")):
        with pytest.raises(OptionError, match=f"attnlaw.{maker}") as caught:
            attnlaw.solve(alpha=0.3, lambda_=0.05, **{name: lambda *_: 0})
        assert caught.value.option == name


def test_lists_of_several_lengths_are_refused():
    with pytest.raises(OptionError, match="lists of one length") as caught:
        attnlaw.solve(alpha=[[1], [1, 2]], lambda_=0.1)
    assert caught.value.option == "alpha"


def test_a_problem_says_what_its_options_are():
    assert "sequences per squared dimension" in Problem.__doc__
    names = list(inspect.signature(Problem).parameters)
    assert {"alpha", "lambda_", "target"} <= set(names)
    assert "or an array" not in Problem.__doc__


@pytest.mark.parametrize("value", [0.3, 3, [1]])
def test_what_is_no_problem_is_named(value):
    for call in (lambda: attnlaw.solve(value), lambda: attnlaw.solve(problem=value)):
        with pytest.raises(OptionError, match="a problem is a Problem, a result, a dictionary, or the path of a file"):
            call()


@pytest.mark.parametrize("threads", [-1, 2**40, 1.5, True])
def test_threads_are_whole_numbers_in_range(threads):
    with pytest.raises(OptionError, match="threads must be an integer from 0 to"):
        attnlaw.solve(lambda_=0.05, alpha=0.5, threads=threads)
