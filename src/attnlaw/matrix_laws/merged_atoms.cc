#include "attnlaw/matrix_laws/merged_atoms.h"

#include <Eigen/Dense>
#include <cmath>

#include "attnlaw/base/gauss_nodes.h"
#include "attnlaw/base/index.h"

namespace attnlaw::matrix_laws {
namespace {

constexpr int kNodes = 12;
/// Radii between a group and the nearest point where its sums are read.
constexpr double kSeparation = 3;
/// Rounding of vectors of length 1.
constexpr double kNothing = 1e-13;

/// Part of the atoms of a spectrum, with its weight and half its width.
struct Group {
  std::size_t begin, end;
  double weight, radius;
};

/// The longest group from an atom on that is never seen from within kSeparation radii.
Group longest_group(const DiscreteSpectrum& spectrum, std::size_t begin, double a) {
  const auto& [atoms, weights] = spectrum;
  Group longest{begin, begin, 0, 0};
  double weight = 0;
  for (std::size_t end = begin; end < atoms.size(); ++end) {
    const double radius = 0.5 * (atoms[end] - atoms[begin]);
    if (radius * (kSeparation + 1) > a) break;  // no group weighs more than 1
    weight += weights[end];
    if (radius * (kSeparation + 1) <= a * std::sqrt(weight)) longest = {begin, end + 1, weight, radius};
  }
  return longest;
}

/// Appends the nodes and weights of the Gauss rule of a group, whose Jacobi matrix Lanczos' recursion gives.
void append_gauss_rule(const DiscreteSpectrum& spectrum, const Group& group, DiscreteSpectrum& rule) {
  const auto count = static_cast<Eigen::Index>(group.end - group.begin);
  const double centre = 0.5 * (spectrum.atoms[group.begin] + spectrum.atoms[group.end - 1]);
  const Eigen::ArrayXd positions = (Eigen::Map<const Eigen::ArrayXd>(&spectrum.atoms[group.begin], count) - centre) /
                                   (group.radius > 0 ? group.radius : 1);
  Eigen::MatrixXd basis(count, kNodes);
  basis.col(0) = (Eigen::Map<const Eigen::ArrayXd>(&spectrum.weights[group.begin], count) / group.weight).sqrt();
  Eigen::VectorXd diagonal(kNodes), beside(kNodes);
  Eigen::Index nodes = 0;
  do {
    const auto known = basis.leftCols(nodes + 1);
    Eigen::VectorXd next = (positions * basis.col(nodes).array()).matrix();
    diagonal[nodes] = basis.col(nodes).dot(next);
    // Twice is enough for vectors that are orthogonal to rounding.
    for (int pass = 0; pass < 2; ++pass) next -= known * (known.transpose() * next);
    beside[nodes++] = next.norm();
    if (nodes < kNodes) basis.col(nodes) = next / beside[nodes - 1];
    // Fewer different atoms than nodes are their own rule.
  } while (nodes < kNodes && beside[nodes - 1] > kNothing);
  const base::GaussNodes gauss =
      base::gauss_nodes({diagonal.data(), base::size(nodes)}, {beside.data(), base::size(nodes - 1)});
  for (std::size_t k = 0; k < gauss.points.size(); ++k) {
    rule.atoms.push_back(centre + group.radius * gauss.points[k]);
    rule.weights.push_back(group.weight * gauss.weights[k]);
  }
}

}  // namespace

DiscreteSpectrum merged_atoms(const DiscreteSpectrum& spectrum, double variance) {
  const double a = std::sqrt(variance);
  DiscreteSpectrum merged;
  for (std::size_t i = 0; i < spectrum.atoms.size();) {
    const Group group = longest_group(spectrum, i, a);
    // Rules of as many nodes as atoms save nothing, and need not exist.
    if (group.end - group.begin > 2 * kNodes) {
      append_gauss_rule(spectrum, group, merged);
      i = group.end;
    } else {
      merged.atoms.push_back(spectrum.atoms[i]);
      merged.weights.push_back(spectrum.weights[i]);
      ++i;
    }
  }
  return merged;
}

}  // namespace attnlaw::matrix_laws
