"""What people write first, as a type checker sees it."""

import numpy as np

import attnlaw
from attnlaw import Law, Problem, laws

problem: Problem = Problem(alpha=0.3, lambda_=0.05, tokens=2, head="softmax")
alpha: float = problem.alpha
noisy: Problem = problem.replace(noise=0.1)

solution = attnlaw.solve(problem)
test_error: float = solution.errors.test
bands = solution.spectrum.edges
print(test_error, bands, solution.converged, solution.to_dict()["errors"])

curve = attnlaw.solve(alpha=np.geomspace(0.05, 2, 5), lambda_=0.05)
print(curve.errors.test, curve.shape, curve.to_pandas())

experiment = attnlaw.simulate(alpha=0.5, lambda_=0.05, d=20, instances=2)
print(experiment.n)

law: Law = laws.marchenko_pastur(0.5)
print(law.density(np.linspace(0, 4, 5)), law.edges, law.outlier(3.0))
