#include "attnlaw/matrix_laws/atom_sums.h"

#include <array>
#include <cmath>
#include <numbers>

#include "attnlaw/base/interrupt.h"

namespace attnlaw::matrix_laws {
namespace {

/// The direct sum over so many atoms costs no more than the sum over the nodes of a group.
constexpr std::size_t kLeaf = 32;

using Nodes = std::array<double, AtomTree::kNodes>;

/// The Chebyshev points of [−1, 1], with the barycentric weights of interpolation through them.
struct Chebyshev {
  Nodes points{}, barycentric{};

  Chebyshev() {
    for (std::size_t j = 0; j < points.size(); ++j) {
      const double angle = (2.0 * static_cast<double>(j) + 1) * std::numbers::pi / (2.0 * AtomTree::kNodes);
      points[j] = std::cos(angle);
      barycentric[j] = (j % 2 == 0 ? 1 : -1) * std::sin(angle);
    }
  }
};

const Chebyshev& chebyshev() {
  static const Chebyshev nodes;
  return nodes;
}

/// Spreads `weight` at x ∈ [−1, 1] over the nodes: node j receives weight·L_j(x), L_j its Lagrange polynomial.
void spread(double x, double weight, double* node_weights) {
  const auto& [points, barycentric] = chebyshev();
  Nodes terms;
  double total = 0;
  for (std::size_t j = 0; j < points.size(); ++j) {
    const double distance = x - points[j];
    if (distance == 0) {
      node_weights[j] += weight;
      return;
    }
    terms[j] = barycentric[j] / distance;
    total += terms[j];
  }
  for (std::size_t j = 0; j < points.size(); ++j) node_weights[j] += weight * terms[j] / total;
}

}  // namespace

AtomSums& AtomSums::operator+=(const AtomSums& other) {
  phi += other.phi;
  phi_slope += other.phi_slope;
  re_g += other.re_g;
  tilt += other.tilt;
  phi_bend += other.phi_bend;
  tilt_bend += other.tilt_bend;
  return *this;
}

AtomSums AtomSums::of_scaled_atoms(double c) const {
  const double inverse = 1 / c, inverse2 = inverse * inverse, inverse4 = inverse2 * inverse2;
  return {phi * inverse2,
          phi_slope * inverse4,
          re_g * inverse,
          tilt * inverse2 * inverse,
          phi_bend * inverse4 * inverse2,
          tilt_bend * inverse4 * inverse};
}

AtomSums atom_sums(const double* atoms, const double* weights, std::size_t count, double u, double v_squared) {
  double phi = 0, phi_slope = 0, re_g = 0, tilt = 0, phi_bend = 0, tilt_bend = 0;
#pragma omp simd reduction(+ : phi, phi_slope, re_g, tilt, phi_bend, tilt_bend)
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = u - atoms[i];
    const double r = 1 / (distance * distance + v_squared);
    const double wr = weights[i] * r;
    const double wrr = wr * r;
    phi += wr;
    phi_slope += wrr;
    re_g += wr * distance;
    const double wrrr = wrr * r;
    tilt += wrr * distance;
    phi_bend += wrrr;
    tilt_bend += wrrr * distance;
  }
  return {phi, phi_slope, re_g, tilt, phi_bend, tilt_bend};
}

AtomSums atom_sums_without(const double* atoms, const double* weights, std::size_t count, std::size_t i) {
  AtomSums sums = atom_sums(atoms, weights, i, atoms[i], 0);
  sums += atom_sums(atoms + i + 1, weights + i + 1, count - i - 1, atoms[i], 0);
  return sums;
}

double AtomTree::error_bound() { return 1 / std::cosh(kNodes * std::acosh(kSeparation)); }

AtomTree::AtomTree(std::vector<double> atoms, std::vector<double> weights)
    : atoms_(std::move(atoms)), weights_(std::move(weights)) {
  build(0, atoms_.size());
}

std::size_t AtomTree::build(std::size_t begin, std::size_t end) {
  const std::size_t index = groups_.size();
  groups_.push_back({begin, end, 0.5 * (atoms_[begin] + atoms_[end - 1]), 0.5 * (atoms_[end - 1] - atoms_[begin]), 0, 0,
                     node_atoms_.size()});
  if (end - begin <= kLeaf) return index;
  base::check_interrupt();
  node_atoms_.resize(node_atoms_.size() + kNodes);
  node_weights_.resize(node_weights_.size() + kNodes, 0.0);
  const std::size_t middle = begin + (end - begin) / 2;
  const std::size_t left = build(begin, middle), right = build(middle, end);
  groups_[index].left = left;
  groups_[index].right = right;
  set_equivalent(groups_[index]);
  return index;
}

void AtomTree::set_equivalent(Group& group) {
  double* weights = &node_weights_[group.nodes];
  for (std::size_t j = 0; j < kNodes; ++j)
    node_atoms_[group.nodes + j] = group.centre + group.radius * chebyshev().points[j];
  if (group.radius == 0) {
    for (std::size_t i = group.begin; i < group.end; ++i) weights[0] += weights_[i];
    return;
  }
  // The weight comes from the nodes of the children, which integrate polynomials of this degree exactly, or from the
  // atoms of a child that is a leaf.
  const auto take = [&](const double* atoms, const double* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) spread((atoms[i] - group.centre) / group.radius, from[i], weights);
  };
  for (const std::size_t child : {group.left, group.right}) {
    const Group& part = groups_[child];
    if (part.left == 0)
      take(&atoms_[part.begin], &weights_[part.begin], part.end - part.begin);
    else
      take(&node_atoms_[part.nodes], &node_weights_[part.nodes], kNodes);
  }
}

AtomSums AtomTree::operator()(double u, double v_squared) const {
  return sum(u, v_squared, [&](const Group& group) {
    return atom_sums(&atoms_[group.begin], &weights_[group.begin], group.end - group.begin, u, v_squared);
  });
}

AtomSums AtomTree::without(std::size_t i) const {
  // A group that contains atom i is never far from it, so the atom is left out in its leaf.
  return sum(atoms_[i], 0, [&](const Group& group) {
    const double* atoms = &atoms_[group.begin];
    const double* weights = &weights_[group.begin];
    const std::size_t count = group.end - group.begin;
    const bool own = i >= group.begin && i < group.end;
    return own ? atom_sums_without(atoms, weights, count, i - group.begin)
               : atom_sums(atoms, weights, count, atoms_[i], 0);
  });
}

template <class Leaf>
AtomSums AtomTree::sum(double u, double v_squared, const Leaf& leaf) const {
  AtomSums sums;
  std::array<std::size_t, 64> stack{};  // groups are halved, so the depth is log2 of the number of atoms
  std::size_t depth = 1;
  while (depth > 0) {
    const Group& group = groups_[stack[--depth]];
    const double distance = u - group.centre, reach = kSeparation * group.radius;
    if (group.left == 0) {
      sums += leaf(group);
    } else if (distance * distance + v_squared >= reach * reach) {
      sums += atom_sums(&node_atoms_[group.nodes], &node_weights_[group.nodes], kNodes, u, v_squared);
    } else {
      stack[depth++] = group.left;
      stack[depth++] = group.right;
    }
  }
  return sums;
}

}  // namespace attnlaw::matrix_laws
