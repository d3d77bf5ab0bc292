#pragma once
/// Dense arrays of this room. Eigen owns their memory: its fixed alignment makes vectorised sums the same on every run.

#include <Eigen/Core>

namespace attnlaw::experiment {

/// Row-major matrix: sequences and square maps.
template <class Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One column per score or output, one row per sequence: pointwise work runs along the sequences.
template <class Real>
using Columns = Eigen::Array<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// Σ_ij a_ij b_ij.
inline double inner(const Matrix<double>& a, const Matrix<double>& b) { return (a.array() * b.array()).sum(); }

}  // namespace attnlaw::experiment
