#include "attnlaw/theory/channel/bayes_channel.h"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "attnlaw/base/normal.h"

namespace attnlaw::theory {
namespace {

using base::normal_cdf;
using base::normal_density;
using std::numbers::pi;

/// Correlation of the two differences u₁ = h₁₁ − h₁₂ and u₂ = h₂₂ − h₁₂ that the positions of the maxima depend on:
/// covariance 3V R, R = [[1, 1/3], [1/3, 1]].
constexpr double kCorrelation = 1.0 / 3;

/// Nodes and weights of ∫ over [from, to].
template <class Body>
void for_each_node(double from, double to, Body&& body) {
  using Gauss = boost::math::quadrature::gauss<double, 12>;
  const double half = 0.5 * (to - from), centre = 0.5 * (to + from);
  for (std::size_t i = 0; i < Gauss::abscissa().size(); ++i)
    for (const double side : {-1.0, 1.0}) body(centre + side * half * Gauss::abscissa()[i], half * Gauss::weights()[i]);
}

/// P(x₁ < a, x₂ < b) for standard normals of correlation r, |r| ≤ 1/3, by Plackett's integral over the angle asin r
/// (Drezner and Wesolowsky, J. Stat. Comput. Simul. 35 (1990) 101). Absolute error below 1e-15.
double orthant_probability(double a, double b, double r) {
  double sum = 0;
  for_each_node(0, std::asin(r), [&](double angle, double weight) {
    const double cosine = std::cos(angle);
    sum += weight * std::exp(-(a * a + b * b - 2 * a * b * std::sin(angle)) / (2 * cosine * cosine));
  });
  return normal_cdf(a) * normal_cdf(b) + sum / (2 * pi);
}

/// Information of the two signs about the means a of unit normals of correlation 1/3, in the metric of that
/// correlation: Σ_s (∇P_s)ᵀ R (∇P_s)/P_s.
double sign_information(double a, double b) {
  const double across = std::sqrt(1 - kCorrelation * kCorrelation);
  double sum = 0;
  for (const double s : {-1.0, 1.0})
    for (const double t : {-1.0, 1.0}) {
      const double probability = orthant_probability(s * a, t * b, s * t * kCorrelation);
      // Below rounding of the probability. As the gradient vanishes with it, nothing beyond 1e-12 is lost.
      constexpr double kLeastProbability = 1e-15;
      if (probability < kLeastProbability) continue;
      const double da = s * normal_density(a) * normal_cdf(t * (b - kCorrelation * a) / across);
      const double db = t * normal_density(b) * normal_cdf(s * (a - kCorrelation * b) / across);
      sum += (da * da + db * db + 2 * kCorrelation * da * db) / probability;
    }
  return sum;
}

/// E of sign_information over (a, b) normal with covariance γ [[1, 1/3], [1/3, 1]]. By symmetry (exchange, inversion)
/// four times the wedge |a| < b.
class ExpectedSignInformation {
 public:
  ExpectedSignInformation() {
    constexpr int kPanels = static_cast<int>(kReach);  // of length 1: the information varies on the scale 1
    for (int panel = 0; panel < kPanels; ++panel)
      for_each_node(panel, panel + 1, [&](double b, double weight_b) {
        const int across = 2 * (panel + 1);
        for (int k = 0; k < across; ++k)
          for_each_node(b * (2.0 * k / across - 1), b * (2.0 * (k + 1) / across - 1), [&](double a, double weight_a) {
            wedge_.push_back({a, b, weight_a * weight_b * sign_information(a, b)});
          });
      });
    for (int panel = -kPanels; panel < kPanels; ++panel)
      for_each_node(panel, panel + 1, [&](double a, double weight) {
        const double density = normal_density(a);
        strip_.push_back({a, 0, weight * density * density / (normal_cdf(a) * normal_cdf(-a))});
      });
  }

  double operator()(double gamma) const { return gamma < kNarrow ? narrow(gamma) : wide(gamma); }

 private:
  struct Node {
    double a, b, weight;
  };

  /// Beyond it one sign is certain to e^{-kReach²/2}: what is left is the information of the other alone, a strip.
  static constexpr double kReach = 9;
  /// Panels of length 1 resolve a Gaussian of this variance to 1e-12; a narrower one gets panels of its own.
  static constexpr double kNarrow = 0.25;

  double wide(double gamma) const {
    const double determinant = 1 - kCorrelation * kCorrelation;
    double inside = 0;
    for (const auto& [a, b, weight] : wedge_)
      inside += weight * std::exp(-(a * a + b * b - 2 * kCorrelation * a * b) / (2 * gamma * determinant));
    inside /= 2 * pi * gamma * std::sqrt(determinant);
    double beyond = 0;
    for (const auto& [a, unused, weight] : strip_)
      beyond += weight * normal_density(a / std::sqrt(gamma)) / std::sqrt(gamma) *
                normal_cdf((kCorrelation * a - kReach) / std::sqrt(gamma * determinant));
    return 4 * (inside + beyond);
  }

  static double narrow(double gamma) {
    // (a, b) = √γ (x, r x + √(1 − r²) y), x and y on [−8, 8] in panels of length 2.
    constexpr int kReachOfPanels = 8;
    double sum = 0;
    for (int i = -kReachOfPanels; i < kReachOfPanels; i += 2)
      for (int j = -kReachOfPanels; j < kReachOfPanels; j += 2)
        for_each_node(i, i + 2, [&](double x, double weight_x) {
          for_each_node(j, j + 2, [&](double y, double weight_y) {
            const double a = std::sqrt(gamma) * x;
            const double b = kCorrelation * a + std::sqrt(gamma * (1 - kCorrelation * kCorrelation)) * y;
            sum += weight_x * normal_density(x) * weight_y * normal_density(y) * sign_information(a, b);
          });
        });
    return sum;
  }

  std::vector<Node> wedge_, strip_;
};

}  // namespace

double label_information(const model::Problem& problem, double Q_star, double V) {
  if (problem.head != model::Head::hardmax) return problem.observed_score_count() / (V + problem.noise);
  static const ExpectedSignInformation expected;
  // u has the mean √(3V) a and the covariance 3V R: the threes cancel.
  return expected(std::max(0.0, Q_star - V) / V) / V;
}

}  // namespace attnlaw::theory
