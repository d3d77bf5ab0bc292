#include <cstdio>

#include "attnlaw/theory/solve.h"

int main() {
  attnlaw::model::Problem problem;
  problem.alpha = 0.5;
  problem.lambda = 0.1;
  problem.head = attnlaw::model::Head::linear;
  const attnlaw::theory::Solution solution = attnlaw::theory::solve(problem);
  std::printf("estimation %.4f, mass at zero %.4f\n", solution.errors.estimation, solution.spectrum.zero_mass);
}
