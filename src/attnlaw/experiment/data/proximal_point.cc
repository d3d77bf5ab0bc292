#include "attnlaw/experiment/data/proximal_point.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"

namespace attnlaw::experiment {
namespace {

/// Newton converges quadratically: a step this small (relative to 1 + |z|) leaves an error of about its square.
constexpr double kStepTolerance = 1e-6;
/// Values whose relative difference is below this count as equal.
constexpr double kRounding = 1e-14;
/// The most iterations: enough for tens of rejected steps on top of the handful that Newton takes.
constexpr int kMaxIterations = 60;
/// The Levenberg-Marquardt damping, in units of the quadratic term, is multiplied by kTighten after a rejected and by
/// kRelax after an accepted step; below kNegligibleDamping it is dropped.
constexpr double kTighten = 4;
constexpr double kRelax = 0.1;
constexpr double kNegligibleDamping = 1e-3;

/// Returns d²ℓ/du² for readout score: 2, or β² s(βu) s(−βu) for labels of either sign, s the logistic function.
double score_curvature(const model::Problem& problem, double u) {
  if (problem.loss == model::Loss::square) return 2;
  const double s = 1 / (1 + std::exp(-problem.beta * u));
  return problem.beta * problem.beta * s * (1 - s);
}

}  // namespace

Eigen::VectorXd score_norms(const ScoreLayout& layout) {
  Eigen::VectorXd norms(layout.count());
  layout.for_each([&](int a, int b, int k) { norms[k] = std::sqrt(layout.variance(a, b)); });
  return norms;
}

ProximalPoint::ProximalPoint(const model::Problem& problem)
    : problem_(problem),
      layout_(student_layout(problem)),
      norms_(score_norms(layout_)),
      scores_(1, layout_.count()),
      hessian_(layout_.count(), layout_.count()),
      row_(problem.keys(), problem.keys()),
      factor_(layout_.count()) {
  for (Expansion* at : {&current_, &trial_}) {
    at->gradient.resize(layout_.count());
    at->outputs.resize(1, output_count(problem));
  }
}

double ProximalPoint::expand(const Label& label, const Vector& omega, double V, const Vector& z, Expansion& at) {
  scores_ = (norms_.array() * z.array()).transpose();
  at.value = loss_and_coefficients<double>(problem_, label, scores_, at.outputs);
  // dℓ = Σ_{all a,b} C_ab dh_ab, so a score that stands for two entries counts twice.
  layout_.for_each(
      [&](int a, int b, int k) { at.gradient[k] = layout_.multiplicity(a, b) * norms_[k] * scores_(0, k); });
  return V * at.value + 0.5 * (z - omega).squaredNorm();
}

/// Let p be the outputs of the row, r = p − y and P = diag p − ppᵀ. Cross-entropy has the Hessian β² P. The squared
/// loss has 2β² [P² + diag(w − R p) − w pᵀ − p wᵀ + 2R p pᵀ] with w = p∘r and R = Σ w, of which 2β² P² is the
/// Gauss-Newton part; for the entry p_1 alone, r = (p_1 − y, 0, …) and P e_1 e_1ᵀ P stands in place of P².
void ProximalPoint::set_row_hessian(const Label& label, const Expansion& at, int a, bool exact) {
  const Eigen::Index keys = layout_.columns;
  const double beta2 = problem_.beta * problem_.beta;
  const Vector p = at.outputs.row(0).segment(a * keys, keys).matrix().transpose();
  row_ = -p * p.transpose();
  row_.diagonal() += p;
  if (problem_.loss == model::Loss::cross_entropy) {
    row_ *= beta2;
    return;
  }
  Vector w = Vector::Zero(keys);
  if (problem_.readout == model::Readout::entry) {
    w[0] = p[0] * (p[0] - label(0, 0));
    row_ = (row_.col(0) * row_.row(0)).eval();
  } else {
    w = p.cwiseProduct(p - label.row(0).segment(a * keys, keys).matrix().transpose());
    row_ *= row_.eval();
  }
  if (exact) {
    const double R = w.sum();
    row_ += 2 * R * p * p.transpose() - w * p.transpose() - p * w.transpose();
    row_.diagonal() += w - R * p;
  }
  row_ *= 2 * beta2;
}

/// For readout score ℓ is a function of u, which is one of the z; for the linear head ℓ = Σ_ab (y_ab − h_ab)².
void ProximalPoint::set_hessian(const Label& label, const Expansion& at, bool exact) {
  hessian_.setZero();
  if (problem_.readout == model::Readout::score) {
    const ScoreReadout u = score_readout(problem_);
    const int k = layout_.index(u.a, u.b);
    hessian_(k, k) = score_curvature(problem_, at.outputs(0, 0));
    return;
  }
  if (problem_.head == model::Head::linear) {
    layout_.for_each(
        [&](int a, int b, int k) { hessian_(k, k) = 2 * layout_.multiplicity(a, b) * norms_[k] * norms_[k]; });
    return;
  }
  const int rows = problem_.readout == model::Readout::entry ? 1 : layout_.rows;
  for (int a = 0; a < rows; ++a) {
    set_row_hessian(label, at, a, exact);
    for (int b = 0; b < layout_.columns; ++b) {
      for (int c = 0; c < layout_.columns; ++c) {
        const int k = layout_.index(a, b), l = layout_.index(a, c);
        hessian_(k, l) += norms_[k] * norms_[l] * row_(b, c);
      }
    }
  }
}

void ProximalPoint::factorise(const Label& label, const Expansion& at, double V, double damping) {
  for (const bool exact : {true, false}) {
    set_hessian(label, at, exact);
    hessian_ *= V;
    hessian_.diagonal().array() += 1 + damping;
    factor_.compute(hessian_);
    if (factor_.info() == Eigen::Success) return;
  }
}

double ProximalPoint::descend(const Label& label, const Vector& omega, double V, Vector& z) {
  double value = expand(label, omega, V, z, current_), damping = 0;
  Vector step(z.size()), trial(z.size());
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    factorise(label, current_, V, damping);
    step = -factor_.solve(V * current_.gradient + z - omega);
    trial = z + step;
    const double trial_value = expand(label, omega, V, trial, trial_);
    // The length of a step tells the distance from the minimum only if the step is undamped.
    const bool last = damping == 0 && step.norm() <= kStepTolerance * (1 + z.norm());
    if (trial_value <= value + kRounding * std::abs(value)) {
      std::swap(current_, trial_);
      z = trial;
      value = trial_value;
      damping = damping > kNegligibleDamping ? kRelax * damping : 0;
    } else {
      damping = std::max(1.0, kTighten * damping);
    }
    if (last) break;
  }
  return value;
}

void ProximalPoint::solve(const Label& label, const Vector& omega, const Vector& start, double V) {
  Vector best = start, other = omega;
  const double value = descend(label, omega, V, best);
  Expansion at_best = current_;
  if (!convex_loss(problem_) && descend(label, omega, V, other) < value) std::swap(at_best, current_);
  g_ = -at_best.gradient;
  factorise(label, at_best, V, 0);
  set_hessian(label, at_best, true);
  response_ = factor_.solve(hessian_).trace();
}

}  // namespace attnlaw::experiment
