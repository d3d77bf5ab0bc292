#pragma once
/// Proximal operator of a loss, kLanes points at a time: argmin_z ℓ(z) + |z − ω|²/(2V), by damped Newton steps from
/// several starts.

#include <algorithm>
#include <array>
#include <concepts>
#include <utility>

#include "attnlaw/theory/channel/factors.h"

namespace attnlaw::theory {

/// Which curvature an expansion has: the Hessian, or its Gauss-Newton part, which is never negative.
enum class Curvature { hessian, gauss_newton };

/// Value, gradient and curvature of a loss at one point per lane; r = 0: size known at run time.
template <int r>
struct Expansion {
  using Vector = PackArray<r>;
  using Matrix = PackArray<lower_index(r, 0)>;

  explicit Expansion(int dimension) : gradient(dimension), hessian(lower_index(dimension, 0)) {}

  Pack value;
  Vector gradient;
  Matrix hessian;  ///< or its Gauss-Newton part, if that was asked for
};

/// A loss with a label and a number of coordinates.
template <class Loss>
concept LabelledLoss = requires(const Loss& loss) {
  typename Loss::Label;
  { Loss::kDimension } -> std::convertible_to<int>;  // 0: known at run time
  { loss.dimension() } -> std::same_as<int>;
};

/// A loss with derivatives, and the distance over which it changes.
template <class Loss>
concept SmoothLoss = LabelledLoss<Loss> &&
    requires(const Loss& loss, const typename Loss::Label& label, const Pack* z, Expansion<Loss::kDimension>& at) {
  loss.expand(label, z, at);
  loss.template expand<Curvature::gauss_newton>(label, z, at);
  { loss.reach() } -> std::same_as<double>;
};

/// Which coordinates of a loss are coupled, see AllCoupled.
template <class Loss>
auto coupling(const Loss& loss) {
  if constexpr (requires { loss.coupling(); })
    return loss.coupling();
  else
    return AllCoupled{};
}

/// What the starts of a search are made of.
template <class Label>
struct SearchFrom {
  const Label& label;
  const Pack* omega;  ///< the field
  const Pack* fit;    ///< a point of loss 0
  const Pack* best;   ///< the lowest minimum that the search has found as yet
};

/// A loss that may have several minima: where one of a value is known to be the global one, and where others may be.
template <class Loss>
concept SearchableLoss = SmoothLoss<Loss> &&
    requires(const Loss& loss, const SearchFrom<typename Loss::Label>& from, Pack value, double V, int i, Pack* start) {
  { loss.certain(from.label, value, V) } -> std::same_as<Mask>;
  { loss.further_starts(from.label) } -> std::same_as<int>;  // beside the field itself
  { Loss::kAlwaysTried } -> std::convertible_to<int>;        // so many of them, whatever their springs cost
  loss.further_start(i, from, start);
};

/// Workspace and algorithm for one loss. Newton's step with the exact Hessian where H + (1/V + μ)I is positive
/// definite, Gauss-Newton otherwise; μ grows on rejected steps (Levenberg-Marquardt) and vanishes on accepted ones. The
/// first steps are no longer than the reach of the loss: a long one leaves the valley of its start. The last ones are
/// so short that what they lead to is known from where they begin.
template <SmoothLoss Loss>
class Proximal {
 public:
  using Expansion = theory::Expansion<Loss::kDimension>;
  using Vector = typename Expansion::Vector;
  using Matrix = typename Expansion::Matrix;

  explicit Proximal(const Loss& loss)
      : loss_(loss),
        runtime_dimension_(loss.dimension()),
        expansions_{Expansion(loss.dimension()), Expansion(loss.dimension())},
        coupled_(coupling(loss)),
        factor_(current_->hessian),
        step_(current_->gradient),
        gauss_step_(step_),
        trial_z_(step_) {}
  Proximal(const Proximal&) = delete;
  Proximal& operator=(const Proximal&) = delete;

  /// Moves z (the start on entry) to a local minimum of ℓ(z) + |z − ω|²/(2V) and returns its value. A lane that comes
  /// close to `known`, a minimum found before, is left on its way there: it would end in the same place. All that it
  /// calls is inlined: a call costs as much as half of an exponential.
  [[gnu::flatten]] Pack descend(const typename Loss::Label& label, const Pack* omega, double V, Pack* z,
                                const Pack* known = nullptr) {
    constexpr int kMaxIterations = 60;
    // Newton converges quadratically: a step this small leaves an error of about its square.
    constexpr double kStepTolerance = 1e-6;
    constexpr double kRounding = 1e-14;
    // Enough to settle in a valley; flat ground beyond it is crossed at full length.
    constexpr int kShortSteps = 5;
    const double stiffness = 1 / V;
    Pack value = expand(label, omega, stiffness, z, *current_);
    Pack damping = 0;
    Mask active = Pack(0) <= Pack(0);
    stiffened_ = false;
    for (int iteration = 0; iteration < kMaxIterations && active.any(); ++iteration) {
      const Mask indefinite = newton_step(label, z, stiffness, damping);
      if (iteration < kShortSteps) shorten(step_);
      Pack step_norm = 0, norm = 0;
      for (int k = 0; k < dimension(); ++k) {
        trial_z_[index(k)] = z[k] + step_[index(k)];
        step_norm += step_[index(k)] * step_[index(k)];
        norm += z[k] * z[k];
      }
      // Only an undamped step tells the distance from the minimum.
      const Mask small = (damping <= 0) & !indefinite & (step_norm <= kStepTolerance * kStepTolerance * (1 + norm));
      // After a step that was not the first, this one is small beside its square: the factors are those of the minimum.
      if (iteration > 0 && !(active & !small).any()) {
        stiffened_ = !(!small).any();
        fold_ = indefinite;
        return value + arrive(small, omega, stiffness, z);
      }
      const Pack trial_value = expand(label, omega, stiffness, trial_z_.data(), *trial_);
      // Lanes that have arrived go on with the others. What a small step gains may be below the rounding of values.
      const Mask accept = (trial_value <= (1 + kRounding) * value) | small;
      adopt(accept, z);
      value = select(accept, trial_value, value);
      active = active & !(small & accept);
      if (known) active = active & !same_minimum(z, known);
      const Pack relaxed = select(damping > kNegligibleDamping * stiffness, kRelax * damping, 0);
      damping = select(accept | !active, relaxed, max(kTighten * damping, Pack(stiffness)));
    }
    return value;
  }

  /// Lanes where two points lie well inside the reach of Newton's method of each other: the loss changes over lengths
  /// of order 1.
  Mask same_minimum(const Pack* a, const Pack* b) const {
    constexpr double kSame = 0.03;
    Pack square = 0;
    for (int k = 0; k < dimension(); ++k) square += (a[k] - b[k]) * (a[k] - b[k]);
    return square <= Pack(kSame * kSame);
  }

  /// ℓ at the point that descend() ended at.
  Pack loss() const { return current_->value; }

  /// The factors at that point, or a last step before it; V is that of the descent.
  Stiffened<Matrix> stiffened(double V) {
    if (!stiffened_) {
      factor_ = current_->hessian;
      fold_ = stiffen(factor_, size_of<Loss::kDimension>(dimension()), V, coupled_).fold;
      stiffened_ = true;
    }
    return {factor_, fold_};
  }

 private:
  static constexpr double kRelax = 0.1;
  static constexpr double kTighten = 4;
  static constexpr double kNegligibleDamping = 1e-3;

  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  int dimension() const { return Loss::kDimension > 0 ? Loss::kDimension : runtime_dimension_; }

  Pack expand(const typename Loss::Label& label, const Pack* omega, double stiffness, const Pack* z,
              Expansion& at) const {
    loss_.expand(label, z, at);
    Pack distance = 0;
    for (int k = 0; k < dimension(); ++k) {
      const Pack shift = z[k] - omega[k];
      distance += shift * shift;
      at.gradient[index(k)] += stiffness * shift;
    }
    return at.value + 0.5 * stiffness * distance;
  }

  /// Returns the lanes where the Hessian is not positive definite.
  Mask newton_step(const typename Loss::Label& label, const Pack* z, double stiffness, Pack damping) {
    const Mask indefinite = solve(current_->hessian, stiffness + damping, step_);
    if (!indefinite.any()) return indefinite;
    // The trial expansion is free until the step is known.
    loss_.template expand<Curvature::gauss_newton>(label, z, *trial_);
    solve(trial_->hessian, stiffness + damping, gauss_step_);
    for (int k = 0; k < dimension(); ++k) step_[index(k)] = select(indefinite, gauss_step_[index(k)], step_[index(k)]);
    return indefinite;
  }

  /// Takes Newton's step δ in some lanes without another expansion, as f(z + δ) = f(z) + ½∇f·δ; returns the change of
  /// f.
  Pack arrive(Mask lanes, const Pack* omega, double stiffness, Pack* z) {
    Pack gain = 0, stretch = 0;
    for (int k = 0; k < dimension(); ++k) {
      const Pack step = step_[index(k)], shift = z[k] - omega[k];
      gain += current_->gradient[index(k)] * step;
      stretch += (shift + 0.5 * step) * step;
      z[k] = select(lanes, trial_z_[index(k)], z[k]);
    }
    gain = select(lanes, 0.5 * gain, 0);
    current_->value += select(lanes, gain - stiffness * stretch, 0);
    return gain;
  }

  void shorten(Vector& step) const {
    constexpr double kTiny = 1e-300;
    Pack squared_norm = kTiny;
    for (int k = 0; k < dimension(); ++k) squared_norm += step[index(k)] * step[index(k)];
    const Pack factor = min(Pack(1), loss_.reach() / sqrt(squared_norm));
    for (int k = 0; k < dimension(); ++k) step[index(k)] *= factor;
  }

  Mask solve(const Matrix& matrix, Pack shift, Vector& step) {
    factor_ = matrix;
    for (int k = 0; k < dimension(); ++k) factor_[index(lower_index(k, k))] += shift;
    const auto size = size_of<Loss::kDimension>(dimension());
    const Mask indefinite = factorise(factor_, size, coupled_);
    for (int k = 0; k < dimension(); ++k) step[index(k)] = -current_->gradient[index(k)];
    solve_factorised(factor_, size, step.data(), coupled_);
    return indefinite;
  }

  void adopt(Mask accept, Pack* z) {
    if (!(!accept).any()) {
      std::copy(trial_z_.begin(), trial_z_.end(), z);
      std::swap(current_, trial_);
      return;
    }
    for (int k = 0; k < dimension(); ++k) {
      z[k] = select(accept, trial_z_[index(k)], z[k]);
      current_->gradient[index(k)] = select(accept, trial_->gradient[index(k)], current_->gradient[index(k)]);
    }
    for (std::size_t i = 0; i < current_->hessian.size(); ++i)
      current_->hessian[i] = select(accept, trial_->hessian[i], current_->hessian[i]);
    current_->value = select(accept, trial_->value, current_->value);
  }

  const Loss& loss_;
  int runtime_dimension_;
  std::array<Expansion, 2> expansions_;
  Expansion* current_ = &expansions_[0];
  Expansion* trial_ = &expansions_[1];
  decltype(theory::coupling(std::declval<const Loss&>())) coupled_;
  Matrix factor_;
  Mask fold_{};
  bool stiffened_ = false;  ///< factor_ is that of stiffened()
  Vector step_, gauss_step_, trial_z_;
};

/// The lowest of the minima found from ω and from the Loss's further starts, where all of the label is fitted, or a
/// part of it and the rest is left to the spring. From the first start alone where Loss::certain() says so. How often
/// the global minimum is missed: tests/theory/global_minimum_test.cc.
template <SearchableLoss Loss>
class GlobalProximal {
 public:
  using Vector = typename Proximal<Loss>::Vector;
  using Label = typename Loss::Label;

  /// A minimum: where, the whole objective ℓ(z) + |z − ω|²/(2V), and ℓ alone.
  struct Minimum {
    explicit Minimum(int dimension) : point(dimension) {}
    Vector point;
    Pack value, loss;
  };

  explicit GlobalProximal(const Loss& loss)
      : loss_(loss), descent_(loss), trial_(loss.dimension()), best_(loss.dimension()) {}

  /// Finds the minimum with ω as the first start.
  const Minimum& solve(const Label& label, const Pack* omega, const Pack* fit, double V) {
    std::copy(omega, omega + trial_.size(), best_.point.begin());
    descend(label, omega, V, best_);
    if ((!loss_.certain(label, best_.value, V)).any()) search(label, omega, fit, V, Effort::full, false, best_);
    return best_;
  }

  /// Moves minimum.point, a start, to the local minimum below it.
  void descend(const Label& label, const Pack* omega, double V, Minimum& minimum) {
    minimum.value = descent_.descend(label, omega, V, minimum.point.data());
    minimum.loss = descent_.loss();
  }

  /// Proximal::stiffened at the minimum that descend() ended at last.
  auto stiffened(double V) { return descent_.stiffened(V); }

  /// Which further starts a search takes: none, the first, or all.
  enum class Effort { none, brief, full };

  /// Replaces a local minimum by the lowest that is found from other starts: the field, unless the minimum comes from
  /// there, and the further ones. Returns the lanes where there was another one.
  Mask search(const Label& label, const Pack* omega, const Pack* fit, double V, Effort effort, bool from_elsewhere,
              Minimum& minimum) {
    Mask other = Pack(1) < Pack(0);
    if (from_elsewhere) {
      std::copy(omega, omega + trial_.size(), trial_.begin());
      other = try_start(label, omega, V, minimum);
    }
    const int all = loss_.further_starts(label), starts = effort == Effort::brief ? std::min(1, all) : all;
    for (int i = 0; i < starts; ++i) {
      loss_.further_start(i, {label, omega, fit, minimum.point.data()}, trial_.data());
      if (i < Loss::kAlwaysTried || promises_less(omega, V, minimum).any())
        other = other | try_start(label, omega, V, minimum);
    }
    return other;
  }

 private:
  /// Lanes where the start on trial is elsewhere than the minimum, and its spring alone does not exceed it: such starts
  /// lie where the spring allows the least.
  Mask promises_less(const Pack* omega, double V, const Minimum& minimum) const {
    Pack square = 0;
    for (std::size_t k = 0; k < trial_.size(); ++k) square += (trial_[k] - omega[k]) * (trial_[k] - omega[k]);
    return (square * (0.5 / V) < minimum.value) & !descent_.same_minimum(trial_.data(), minimum.point.data());
  }

  /// Returns the lanes where this start leads to another minimum, higher or lower.
  Mask try_start(const Label& label, const Pack* omega, double V, Minimum& minimum) {
    const Pack value = descent_.descend(label, omega, V, trial_.data(), minimum.point.data());
    const Mask other = !descent_.same_minimum(trial_.data(), minimum.point.data());
    const Mask lower = value < minimum.value;
    minimum.value = select(lower, value, minimum.value);
    minimum.loss = select(lower, descent_.loss(), minimum.loss);
    for (std::size_t k = 0; k < trial_.size(); ++k) minimum.point[k] = select(lower, trial_[k], minimum.point[k]);
    return other;
  }

  const Loss& loss_;
  Proximal<Loss> descent_;
  Vector trial_;
  Minimum best_;
};

}  // namespace attnlaw::theory
