#pragma once
/// Computes sums over the atoms of a discrete spectrum at w = u + iv: directly for few atoms, hierarchically for many.

#include <cstddef>
#include <vector>

namespace attnlaw::matrix_laws {

/// The sums at w = u + iv over atoms s and their weights, with r = 1/((u−s)² + v²), v² ≥ 0.
struct AtomSums {
  double phi = 0;        ///< Σ weight r            = −Im G/v
  double phi_slope = 0;  ///< Σ weight r²           = −dφ/d(v²)
  double re_g = 0;       ///< Σ weight (u−s) r      = Re G
  double tilt = 0;       ///< Σ weight (u−s) r²       = −d(Re G)/d(v²)
  double phi_bend = 0;   ///< Σ weight r³             = −½ d(phi_slope)/d(v²)
  double tilt_bend = 0;  ///< Σ weight (u−s) r³       = −½ d(tilt)/d(v²)

  AtomSums& operator+=(const AtomSums& other);
  /// Returns the sums at c·w over atoms c·s, given that these are the sums at w over atoms s.
  AtomSums of_scaled_atoms(double c) const;
};

/// Adds up the sums over `count` atoms one by one.
AtomSums atom_sums(const double* atoms, const double* weights, std::size_t count, double u, double v_squared);

/// Adds up the sums at u = atoms[i], v = 0 over all atoms but atom i.
AtomSums atom_sums_without(const double* atoms, const double* weights, std::size_t count, std::size_t i);

/// Computes the same sums in time ∝ log(count). A group of atoms whose centre lies at least kSeparation of its radii
/// from w acts like kNodes atoms at the Chebyshev points of its interval: those weights integrate every polynomial of
/// degree below kNodes as the group does. The resolvent of a group, 1/(w − s), is interpolated there with the relative
/// error T_n(x)/T_n(z) (z = w in units of the group's interval), so each group's contribution to G is off by at most
/// 1/T_n(kSeparation) of itself; sums with r² are derivatives of G, off by at most (n kSeparation)³ of that, those with
/// r³ by as much again.
class AtomTree {
 public:
  static constexpr int kNodes = 20;
  static constexpr double kSeparation = 3;
  /// Returns the bound of the relative error of one group's contribution to G: 1/T_20(3).
  static double error_bound();

  /// Takes at least one atom, in ascending order, and the weights of the atoms.
  AtomTree(std::vector<double> atoms, std::vector<double> weights);

  AtomSums operator()(double u, double v_squared) const;
  /// Returns the sums at u = atom i, v = 0 over all other atoms.
  AtomSums without(std::size_t i) const;

 private:
  struct Group {
    std::size_t begin, end;  ///< the range of its atoms
    double centre, radius;
    std::size_t left, right;  ///< indices of its two halves; 0 if it is a leaf
    std::size_t nodes;        ///< index of the first of its kNodes equivalent atoms; a leaf has none
  };

  /// Adds up the contributions of all groups at w; `leaf(group)` returns that of a leaf.
  template <class Leaf>
  AtomSums sum(double u, double v_squared, const Leaf& leaf) const;
  std::size_t build(std::size_t begin, std::size_t end);
  void set_equivalent(Group& group);

  std::vector<double> atoms_, weights_;
  std::vector<Group> groups_;
  std::vector<double> node_atoms_, node_weights_;
};

}  // namespace attnlaw::matrix_laws
