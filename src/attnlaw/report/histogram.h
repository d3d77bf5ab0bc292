#pragma once
/// Makes histograms of eigenvalues that separate the atom at zero from the bulk.

#include <span>
#include <vector>

namespace attnlaw::report {

struct Bin {
  double lower = 0;
  double upper = 0;
  /// The density is count / (number of finite values · width), so that with zero_mass the bars have total mass 1.
  double density = 0;
  long long count = 0;
};

struct Histogram {
  std::vector<Bin> bins;
  /// The fraction of the finite values with |x| <= zero_tolerance; they are in no bin.
  double zero_mass = 0;
  /// The number of NaN and infinite values, which are left out.
  long long not_finite = 0;
};

/// Returns the histogram with equal bins from the smallest to the largest value off zero. bins = 0 takes the finest of
/// three choices, ten values a bin on average, Freedman and Diaconis' rule (width 2 IQR / n^{1/3}) and 30 bins (two
/// values a bin where there are few), at most 120.
/// Throws std::invalid_argument unless bins and zero_tolerance are 0 or more.
Histogram histogram(std::span<const double> values, int bins, double zero_tolerance);

}  // namespace attnlaw::report
