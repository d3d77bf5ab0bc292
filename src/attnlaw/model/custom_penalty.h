#pragma once
/// Defines a penalty of the eigenvalues of S by a function, in place of that of the student (docs/theory/custom.md).

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attnlaw/model/problem.h"
#include "attnlaw/model/proximal_map.h"

namespace attnlaw::model {

/// The penalty λ d Σ_i p(s_i) of the eigenvalues s_i of S, or its singular values with cross-attention: all ≥ 0 but for
/// the student direct of self-attention. p may be anything that is bounded below together with every s²: not
/// differentiable, not convex.
struct CustomPenalty {
  std::string name = "custom:penalty";  ///< in documents
  /// Writes p(s_i), and p′(s_i) unless it leaves `slopes` empty. Experiments call it from several threads.
  std::function<void(const std::vector<double>& s, std::vector<double>& values, std::vector<double>& slopes)> function;
  /// μ: beside λ d Σ p there is μ d Σ s², whatever λ is.
  double ridge = 0;
  /// Eigenvalues other than 0 where p or a derivative jumps: the theory splits its integrals there.
  std::vector<double> kinks;
  /// Where it is given, minima are asked of it instead of looked for (proximal_map.h).
  ProximalMap proximal;
};

/// The same penalty at λ, with its ridge in p: p(s) + μ s²/λ; in its proximal map as well, where that is given.
std::shared_ptr<const CustomPenalty> penalty_at(double lambda, std::shared_ptr<const CustomPenalty> penalty);

/// Tells whether a penalty is asked for negative eigenvalues.
bool has_negative_eigenvalues(const Problem& problem);

/// Numbers that a penalty maps: s = argmin λ p(s) + curvature (s − x)²/2.
///
/// The minimum is global: it is looked for among the corners of the convex hull of the tabulated objective, then found
/// to rounding by bisection where slopes are given, else to 1e-9 of the largest |x|. Of a penalty that is given by its
/// proximal map it is what the map says, 0 for an s < 0 that may not be.
class ScalarProximal {
 public:
  /// `negative`: s may be < 0. `lambda`, `curvature` > 0.
  ScalarProximal(std::shared_ptr<const CustomPenalty> penalty, double lambda, double curvature, bool negative);

  /// What the objective is looked up in: its values λp(s)/curvature + s²/2, for all x up to `largest` in size. Where
  /// the proximal map is given there is nothing to look up.
  struct Table {
    double largest = 0;
    std::vector<double> s, objective;
    std::vector<std::size_t> hull;  ///< those on its convex hull
  };
  /// Throws std::invalid_argument where the objective has no minimum: p falls as fast as −s² or faster.
  Table table_up_to(double largest) const;

  /// Returns s for every x.
  std::vector<double> operator()(const std::vector<double>& x) const;
  /// The same, of x that the table is for.
  std::vector<double> operator()(const std::vector<double>& x, const Table& table) const;

  /// Where s jumps, upwards with x.
  struct Jump {
    double x, below, above;
  };
  /// The jumps at |x| ≤ table.largest, ascending: of those narrower than the table is spaced there are none.
  std::vector<Jump> jumps(const Table& table) const;

  /// Returns the x that is taken to s by the slope of p a little above s (side 1) or below (side −1); of a convex
  /// penalty all x between these two are taken to s.
  double origin(double s, int side) const;

 private:
  /// λ/curvature, the time of the proximal map.
  double time() const { return lambda_ / curvature_; }
  /// The table with `room` times as far as `largest`.
  Table table_up_to(double largest, double room) const;
  std::vector<double> given(const std::vector<double>& x) const;

  std::shared_ptr<const CustomPenalty> penalty_;
  double lambda_, curvature_;
  bool negative_;
};

/// Lets documents name a penalty behind the loss, `"loss": "square+custom:…"`, as publish of a loss does.
void publish(const std::shared_ptr<const CustomPenalty>& penalty);
std::shared_ptr<const CustomPenalty> published_penalty(const std::string& name);

/// Returns p(s) for every s. Throws std::invalid_argument for values that are not finite, or as many as there are s.
std::vector<double> values_of(const CustomPenalty& penalty, const std::vector<double>& s);

/// Compares the slopes that a penalty gives with differences, as require_consistent of a loss does. Of a proximal map
/// see require_proximal.
void require_consistent(const CustomPenalty& penalty, bool negative);

}  // namespace attnlaw::model
