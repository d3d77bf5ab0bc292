#include "attnlaw/experiment/proximal_point.h"

#include <algorithm>
#include <cmath>

namespace attnlaw::experiment {
namespace {

/// Newton converges quadratically: a step this small (relative to 1 + |z|) leaves an error of about its square.
constexpr double kStepTolerance = 1e-6;
/// Values closer than this part of themselves are equal.
constexpr double kRounding = 1e-14;
/// Enough for tens of rejected steps on top of the handful that Newton takes.
constexpr int kMaxIterations = 60;
/// Levenberg-Marquardt damping, in units of the quadratic term: after a rejected and after an accepted step.
constexpr double kTighten = 4;
constexpr double kRelax = 0.1;
constexpr double kNegligibleDamping = 1e-3;

}  // namespace

Eigen::VectorXd score_norms(const ScoreLayout& layout) {
  Eigen::VectorXd norms(layout.count());
  layout.for_each([&](int a, int b, int k) { norms[k] = std::sqrt(layout.variance(a, b)); });
  return norms;
}

ProximalPoint::ProximalPoint(const model::Problem& problem)
    : problem_(problem),
      layout_(student_layout(problem)),
      scores_(1, layout_.count()),
      hessian_(layout_.count(), layout_.count()),
      row_(problem.tokens, problem.tokens),
      factor_(layout_.count()) {
  for (Expansion* at : {&current_, &trial_}) {
    at->gradient.resize(layout_.count());
    at->outputs.resize(1, output_count(problem));
  }
}

double ProximalPoint::expand(const Label& label, const Vector& omega, double V, const Vector& z, Expansion& at) {
  layout_.for_each([&](int a, int b, int k) { scores_(0, k) = (a == b ? std::sqrt(2.0) : 1.0) * z[k]; });
  at.value = loss_and_coefficients<double>(problem_, label, scores_, at.outputs);
  // dℓ = Σ_{all a,b} C_ab dh_ab.
  layout_.for_each([&](int a, int b, int k) { at.gradient[k] = (a == b ? std::sqrt(2.0) : 2.0) * scores_(0, k); });
  return V * at.value + 0.5 * (z - omega).squaredNorm();
}

/// Softmax: for row a with p the outputs, r = p − y, P = diag p − ppᵀ, w = p∘r and R = Σ w, the Hessian in h_a· is
/// 2β² [P² + diag(w − R p) − w pᵀ − p wᵀ + 2R p pᵀ], of which 2β² P² is the Gauss-Newton part. Linear: ℓ = 2|z − z_y|².
void ProximalPoint::set_hessian(const Label& label, const Expansion& at, bool exact) {
  hessian_.setZero();
  if (problem_.head == model::Head::linear) {
    constexpr double kCurvature = 4;
    hessian_.diagonal().setConstant(kCurvature);
    return;
  }
  const int T = problem_.tokens;
  const double factor = 2 * problem_.beta * problem_.beta;
  for (int a = 0; a < T; ++a) {
    const Eigen::VectorXd p = at.outputs.row(0).segment(a * T, T).matrix().transpose();
    const Eigen::VectorXd w = p.cwiseProduct(p - label.row(0).segment(a * T, T).matrix().transpose());
    const double R = w.sum();
    row_ = -p * p.transpose();
    row_.diagonal() += p;
    row_ *= row_.eval();
    if (exact) {
      row_ += 2 * R * p * p.transpose() - w * p.transpose() - p * w.transpose();
      row_.diagonal() += w - R * p;
    }
    for (int b = 0; b < T; ++b) {
      for (int c = 0; c < T; ++c) {
        const double norms = (b == a ? std::sqrt(2.0) : 1.0) * (c == a ? std::sqrt(2.0) : 1.0);
        hessian_(layout_.index(a, b), layout_.index(a, c)) += factor * norms * row_(b, c);
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
    // Only an undamped step tells the distance from the minimum.
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
  if (descend(label, omega, V, other) < value) std::swap(at_best, current_);
  g_ = -at_best.gradient;
  factorise(label, at_best, V, 0);
  set_hessian(label, at_best, true);
  response_ = factor_.solve(hessian_).trace();
}

}  // namespace attnlaw::experiment
