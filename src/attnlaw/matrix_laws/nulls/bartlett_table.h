#pragma once
/// The exact law at finite m and d of what a null query-key map is tested by, as a table of draws.

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace attnlaw::matrix_laws {

/// What N1 is tested by; all three are free of the scales of the factors.
struct HeadStatistics {
  double largest = 0;  ///< T = s₁²/(σ̂_Q² σ̂_K²), σ̂² = ‖W‖²/(m d)
  double share = 0;    ///< s₁²/Σ s², one over the stable rank
  double shape = 0;    ///< Kolmogorov distance of s²/mean(s²) from FactorProductLaw
};

/// Returns the Kolmogorov distance of s²/mean(s²) from FactorProductLaw(β); squares in descending order.
double shape_distance(std::span<const double> squares, double beta);

/// p = (1 + number of draws that reach the value)/(draws + 1).
double monte_carlo_p_value(std::size_t reached, std::size_t draws);

/// Counts draws that reach a value. Where none of the first `draws` does, counting goes on until one does or there are
/// `most`: p stays valid (the stage that goes on has p ≤ 1/(draws + 1) in any case), and can be as small as a
/// correction for many heads asks.
struct Exceedances {
  std::size_t draws = 0, most = 0;
  std::size_t drawn = 0, reached = 0;

  bool open() const { return drawn < draws || (reached == 0 && drawn < most); }
  void add(bool reaches) {
    ++drawn;
    reached += reaches;
  }
  double p() const { return monte_carlo_p_value(reached, drawn); }
};

/// One table serves all heads of m rows in a model of d: the singular values of a null map are those of L_Qᵀ L_K with
/// two Bartlett factors, work of order m³ whatever d.
class BartlettTable {
 public:
  /// Draws the table; 2 ≤ m ≤ d, draws ≥ 1 (std::invalid_argument). The same numbers for any number of threads (0:
  /// all).
  BartlettTable(int m, int d, int draws, std::uint64_t seed, int threads,
                const std::function<void(int, int)>& progress = {});

  int draws() const { return static_cast<int>(largest_.size()); }
  /// Returns the p-value of each statistic; the least is 1/(draws + 1).
  HeadStatistics p_values(const HeadStatistics& measured) const;
  /// Returns T and the share on the scale of the Tracy-Widom law, by the line through the quantiles 0.9 and 0.995. The
  /// tail of that law continues the table beyond its largest draw; since both statistics are bounded, and the more
  /// tightly the smaller m is, it overstates their p-values there. The shape has no such scale and is NaN.
  HeadStatistics scores(const HeadStatistics& measured) const;
  /// Returns the q-quantile of each statistic.
  HeadStatistics quantile(double q) const;

 private:
  std::vector<double> largest_, share_, shape_;  ///< ascending
};

/// Draws one null head.
HeadStatistics draw_null_head(int m, int d, std::uint64_t seed, std::uint64_t draw);

}  // namespace attnlaw::matrix_laws
