#pragma once
/// Losses and penalties that tests of several rooms give as functions.

#include <algorithm>
#include <cmath>
#include <memory>

#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"

namespace attnlaw::samples {

using model::Coordinates;
using model::CustomLabels;
using model::CustomLoss;
using model::LossBlock;
using model::SampleBlock;

/// How much of its derivatives a function gives.
enum class Gives { values, gradient, hessian };

/// Σ_k f(u_k − y_k) of a function of one residual, with f′ and f″.
template <class Value, class Slope, class Curvature>
CustomLoss of_residuals(Coordinates coordinates, Gives gives, Value value, Slope slope, Curvature curvature) {
  CustomLoss loss;
  loss.coordinates = coordinates;
  loss.function = [=](const SampleBlock& y, const SampleBlock& u, LossBlock& out) {
    const SampleBlock residual = u - y;
    const Eigen::Index k = u.cols();
    out.value = residual.unaryExpr(value).rowwise().sum();
    if (gives == Gives::values) return;
    out.gradient = residual.unaryExpr(slope);
    if (gives == Gives::gradient) return;
    out.hessian.setZero(u.rows(), k * k);
    for (Eigen::Index i = 0; i < k; ++i) out.hessian.col(i * k + i) = residual.col(i).unaryExpr(curvature);
  };
  return loss;
}

/// ‖u − y‖².
inline CustomLoss square(Coordinates coordinates, Gives gives = Gives::gradient) {
  return of_residuals(
      coordinates, gives, [](double r) { return r * r; }, [](double r) { return 2 * r; }, [](double) { return 2.0; });
}

/// Huber's loss: r²/2 up to |r| = width, then straight.
inline CustomLoss huber(Coordinates coordinates, double width, Gives gives = Gives::gradient) {
  return of_residuals(
      coordinates, gives,
      [width](double r) { return std::abs(r) <= width ? 0.5 * r * r : width * (std::abs(r) - 0.5 * width); },
      [width](double r) { return std::clamp(r, -width, width); },
      [width](double r) { return std::abs(r) <= width ? 1.0 : 0.0; });
}

inline model::Problem with(model::Problem problem, CustomLoss loss) {
  problem.head = loss.softmax() ? model::Head::softmax : model::Head::linear;
  problem.custom_loss = std::make_shared<const CustomLoss>(std::move(loss));
  return problem;
}

/// first·s + second·s², with slopes or without.
inline std::shared_ptr<const model::CustomPenalty> elastic(double first, double second, bool slopes = true) {
  model::CustomPenalty penalty;
  penalty.name = "elastic";
  penalty.function = [=](const std::vector<double>& s, std::vector<double>& values, std::vector<double>& derivatives) {
    for (const double each : s) {
      values.push_back(first * each + second * each * each);
      if (slopes) derivatives.push_back(first + 2 * second * each);
    }
  };
  return std::make_shared<const model::CustomPenalty>(std::move(penalty));
}

}  // namespace attnlaw::samples
