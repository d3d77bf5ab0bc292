#pragma once
/// A probability law on the real line that can be integrated against: atoms, and bands with a density that vanishes
/// like a square root at their ends (or diverges integrably, as Marchenko-Pastur at 0).

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

class Law {
 public:
  struct Atom {
    double x = 0;
    double mass = 0;
  };

  /// An interval with a density: where it lies in the parameter u of the law and in x, and its exact mass.
  struct Band {
    Interval parameter;
    Interval support;
    double mass = 0;
  };

  /// The law at one parameter value: x(u), dx/du, and the Stieltjes transform g at x + i0 (density −Im g/π).
  struct Point {
    double x = 0;
    double dx_du = 0;
    Complex g;
    /// How the unknown of a parametrisation that iterates changes with u, for the start at the next point.
    double slope = 0;
    double bend = 0;  ///< how that slope changes with u, as far as it is known
  };

  /// Maps u to its Point; x increases with u on every band. The second argument is the Point of a nearby u, or null: a
  /// start value that changes the cost of a call, and its result by no more than rounding.
  using Parametrisation = std::function<Point(double u, const Point* nearby)>;

  /// A quadrature node: ∫ φ(x) ρ(x) dx over the bands ≈ Σ weight φ(x), and g at x + i0.
  struct Node {
    double x = 0;
    double weight = 0;
    Complex g;
  };

  /// The nodes of all bands, and how far mass, mean and second moment (atoms included) are from their exact values.
  struct Quadrature {
    std::vector<Node> nodes;
    double mass_error = 0;
    double mean_error = 0;
    double second_moment_error = 0;

    /// Returns the largest of the three errors, moments relative to the root mean square of the law.
    double error() const;
    double root_mean_square = 0;
  };

  /// Takes atoms and bands in ascending order, and the exact moments, against which quadrature() is certified. If the
  /// law is `symmetric` about 0, quadrature() computes one half and mirrors it.
  Law(std::vector<Atom> atoms, std::vector<Band> bands, Parametrisation parametrisation, double mean,
      double second_moment, bool symmetric = false);

  const std::vector<Atom>& atoms() const { return atoms_; }
  const std::vector<Band>& bands() const { return bands_; }
  double mean() const { return mean_; }
  double second_moment() const { return second_moment_; }
  /// Returns the mass above the last band that is not resolved into bands, which is 0 unless semicircle_sum was asked
  /// to stop early. Moments are those of the whole law; density, cdf and quantile hold up to the last band.
  double unresolved_mass() const { return unresolved_mass_; }

  /// Returns the density at x; zero outside the bands.
  double density(double x) const;
  /// Returns the Stieltjes transform at x + i0. Throws std::domain_error unless x lies inside a band.
  Complex stieltjes(double x) const;
  /// Returns P(X ≤ x).
  double cdf(double x) const;
  /// Returns the least x with P(X ≤ x) ≥ p; if p is reached where a band ends, that end. Throws std::domain_error
  /// unless 0 < p < 1.
  double quantile(double p) const;
  /// Returns the smallest interval that contains the support.
  Interval hull() const;

  /// How many nodes a quadrature takes: enough to draw a curve through, or as few as its tolerance needs.
  enum class Nodes { dense, few };

  /// Computes nodes by composite Gauss-Legendre in the angle t of u = mid − half·cos t on every band, split at those
  /// breakpoints x that fall inside a band: integrands that are smooth between breakpoints converge spectrally. Panels
  /// are bisected until each band's mass is met to the relative `tolerance` (or to what the rounding of positions in a
  /// narrow band leaves), or bisection no longer changes it; the errors returned tell which. Bands without a breakpoint
  /// take a trapezoidal rule instead where few nodes are asked for.
  Quadrature quadrature(std::span<const double> breakpoints = {}, double tolerance = 1e-13,
                        Nodes count = Nodes::dense) const;

  /// Nodes at x > cut, and an estimate of how much mass they miss.
  struct UpperQuadrature {
    std::vector<Node> nodes;
    double error = 0;
  };

  /// Returns nodes for what is smooth above a cut, to about `tolerance` of the whole mass: of a trapezoidal rule where
  /// a band lies above it, else Gauss-Kronrod panels in the same angle, bisected until their embedded Gauss rules
  /// agree. The rest of the law is not looked at, so that its mass and moments cannot certify the error. Throws
  /// std::logic_error where bands above the cut are not resolved.
  UpperQuadrature quadrature_above(double cut, double tolerance) const;

  /// Returns the law of −X.
  Law mirrored() const;

 private:
  /// Returns the angle t ∈ [0, π] in a band at which x(u(t)) = x.
  double angle(const Band& band, double x) const;
  /// Computes the nodes of a Gauss-Legendre panel over the angle interval [from, to].
  std::vector<Node> panel_nodes(const Band& band, double from, double to) const;
  /// A node without weight at an angle of a band, and the density per angle there.
  struct AngleNode {
    Node node;
    double density = 0;
  };
  AngleNode angle_node(const Band& band, double t, std::optional<Point>& previous) const;
  /// The nodes of a trapezoidal rule in the angle over a whole band, to `tolerance` of its mass; none where that takes
  /// too many.
  std::optional<UpperQuadrature> whole_band(const Band& band, double tolerance) const;
  /// Adds the nodes over an interval of angles to those above a cut.
  void add_above(const Band& band, double from, double to, double tolerance, UpperQuadrature& result) const;
  /// Returns the x in a band where the mass from its lower end reaches `mass`.
  double quantile_in(const Band& band, double mass) const;
  /// The nodes over an interval of angles; `change` says by how much the bisection that made the panel changed the mass
  /// of its parent.
  struct Panel {
    double from = 0, to = 0, mass = 0, change = 0;
    std::vector<Node> nodes;
  };
  /// Cuts a band at ascending angles into panels, and bisects those whose mass that still changes until the mass of the
  /// band is met.
  std::vector<Panel> band_panels(const Band& band, std::span<const double> cuts, double tolerance) const;
  std::vector<Node> band_nodes(const Band& band, std::span<const double> cuts, double tolerance,
                               Nodes count = Nodes::dense) const;
  const Band* band_at(double x) const;
  /// Returns the nodes of all bands, ascending; for a symmetric law it computes those at x > 0 and mirrors them.
  std::vector<Node> nodes(std::span<const double> breakpoints, double tolerance, Nodes count) const;

  std::vector<Atom> atoms_;
  std::vector<Band> bands_;
  Parametrisation parametrisation_;
  double mean_;
  double second_moment_;
  double unresolved_mass_;
  bool symmetric_;
};

}  // namespace attnlaw::matrix_laws
