#include "attnlaw/companion/softmax_law.h"

#include <gtest/gtest.h>

namespace attnlaw::companion {
namespace {

SoftmaxParameters parameters(double beta, double rho, double tau) {
  return {beta, rho, tau > 0 ? TokenModel::gaussian : TokenModel::orthonormal, tau};
}

struct Row {
  double beta, rho, tau;
};
constexpr Row kRows[] = {{.5, 1, 0}, {1, 1, 0}, {1.5, 1, 0}, {1, .5, 0}, {.5, 10, 0}, {.5, 1, 1}, {1, 1, 1}, {1,20,0},{.5, 10, 5}, {2,15,0}};
TEST(A, B) {
  for (const Row& r : kRows) {
    const SoftmaxLaw law(parameters(r.beta, r.rho, r.tau));
    printf("%g %g %g: t+ %.10f lam+ %.10f s+ %.10f ps0 %.8f m %.8f %.8f %.8f\n", r.beta, r.rho, r.tau, law.edge_parameter(), law.edge()*law.edge(), law.edge(),
           law.density_at_zero(), law.moments()[0], law.moments()[1], law.moments()[2]);
    for (auto& b : law.bands()) printf("   band [%.8f, %.8f] mass %g\n", b.support.lower, b.support.upper, b.mass);
    const auto q = law.squared().quadrature();
    printf("   nodes %zu errors %.2g %.2g %.2g\n", q.nodes.size(), q.mass_error, q.mean_error, q.second_moment_error);
    for (double f : {.05, .25, .5, .75, .95}) { const double l = f * law.edge() * law.edge(); printf("   p %.8f F %.8f\n", law.squared().density(l), law.squared().cdf(l)); }
    const auto d = marchenko_pastur_distance(law);
    printf("   KS %.8f W1(l) %.7f W1(s) %.7f\n", d.kolmogorov, d.wasserstein_squared, d.wasserstein);
    const auto o = law.outlier(column_strength(parameters(r.beta, r.rho, r.tau)));
    if (o) printf("   outlier %.7f\n", *o * *o);
  }
}
}  // namespace
}  // namespace attnlaw::companion
