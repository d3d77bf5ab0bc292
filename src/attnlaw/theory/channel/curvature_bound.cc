#include "attnlaw/theory/channel/curvature_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace attnlaw::theory {
namespace {

constexpr int kCells = 64;       ///< of labels, and of residuals
constexpr int kIntervals = 256;  ///< of s

/// φ(s; y) = p ((2 + 2y) s − 3s² − y), which is linear in y.
double half_curvature(double s, double y) { return s * (1 - s) * ((2 + 2 * y) * s - 3 * s * s - y); }

/// For every cell of labels the bound over growing intervals of s around it.
class Table {
 public:
  Table() {
    for (int i = 0; i < kCells; ++i) fill(i);
  }

  double operator()(double label, double residual) const {
    // Not a number is as bad as the largest residual.
    const auto cell = [](double x) { return x < 1 ? static_cast<int>(std::max(x, 0.0) * kCells) : kCells - 1; };
    return bounds_[static_cast<std::size_t>(cell(label) * kCells + cell(residual))];
  }

 private:
  void fill(int cell) {
    // |φ″| ≤ 12 for s, y ∈ [0, 1]: φ = p r with |p| ≤ 1/4, |p′| ≤ 1, |p″| = 2, |r| ≤ 1, |r′| ≤ 4, |r″| = 6. A function
    // lies above its chord on an interval of length δ by no less than −12 δ²/8.
    constexpr double kBelowChord = 12.0 / 8 / (kIntervals * kIntervals);
    const double y0 = static_cast<double>(cell) / kCells, y1 = static_cast<double>(cell + 1) / kCells;
    const auto lower_end = [&](int k) {
      const double s = static_cast<double>(k) / kIntervals;
      return std::min(half_curvature(s, y0), half_curvature(s, y1));
    };
    std::vector<double> below;  // over each interval of s
    for (int k = 0; k < kIntervals; ++k) below.push_back(std::min(lower_end(k), lower_end(k + 1)) - kBelowChord);
    for (int j = 0; j < kCells; ++j) {
      const double reach = static_cast<double>(j + 1) / kCells;
      const int first = std::max(0, static_cast<int>(std::floor((y0 - reach) * kIntervals)));
      const int last = std::min(kIntervals, static_cast<int>(std::ceil((y1 + reach) * kIntervals)));
      bounds_[static_cast<std::size_t>(cell * kCells + j)] =
          *std::min_element(below.begin() + first, below.begin() + last);
    }
  }

  std::array<double, static_cast<std::size_t>(kCells* kCells)> bounds_{};
};

}  // namespace

double least_logistic_curvature(double label, double residual) {
  static const Table table;
  return table(label, residual);
}

}  // namespace attnlaw::theory
