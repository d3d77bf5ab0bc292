#include "attnlaw/view/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnlaw::view {
namespace {

constexpr const char* kUnstable =
    "the replica-symmetric solution is unstable; experiments may end elsewhere, depending on start and trainer";
constexpr const char* kJump =
    "the rank constraint binds, or the penalty is not convex: the response jumps, R is infinite; trained networks may "
    "end in other minima";

/// Says where something happens: "at 3 of 40 values of alpha, 0.5 to 0.7".
std::string where(const std::vector<double>& at, std::size_t of, const std::string& variable) {
  return fmt::format("at {} of {} values of {}, {:.4g} to {:.4g}", at.size(), of, variable, at.front(), at.back());
}

Warnings curve_warnings(std::span<const double> replicons, std::span<const double> values,
                        const std::string& variable) {
  std::vector<double> unstable, jumps;
  for (std::size_t i = 0; i < replicons.size(); ++i) {
    if (std::isinf(replicons[i]))
      jumps.push_back(values[i]);
    else if (replicons[i] >= 1)
      unstable.push_back(values[i]);
  }
  Warnings result;
  if (!unstable.empty())
    result.push_back(fmt::format("Replicon R ≥ 1 {}: {}.", where(unstable, values.size(), variable), kUnstable));
  if (!jumps.empty()) result.push_back(fmt::format("Replicon {}: {}.", where(jumps, values.size(), variable), kJump));
  return result;
}

}  // namespace

Warnings warnings(const theory::Solution& solution) {
  const theory::Diagnostics& diagnostics = solution.diagnostics;
  Warnings result;
  if (!diagnostics.message.empty())
    result.push_back((diagnostics.converged ? "" : "NOT CONVERGED: ") + diagnostics.message);
  if (const std::string note = solution.problem.target.note(); !note.empty()) result.push_back(note);
  if (std::isinf(diagnostics.replicon))
    result.push_back(fmt::format("Replicon: {}.", kJump));
  else if (diagnostics.replicon >= 1)
    result.push_back(fmt::format("Replicon R = {:.3g} ≥ 1: {}.", diagnostics.replicon, kUnstable));
  return result;
}

Warnings warnings(const experiment::Experiment& experiment) {
  std::size_t failed = 0;
  double worst = 0;
  for (const experiment::Instance& instance : experiment.instances) {
    if (instance.converged) continue;
    ++failed;
    worst = std::max(worst, instance.kkt);
  }
  if (failed == 0) return {};
  return {
      fmt::format("NOT CONVERGED: {} of {} students at d = {} did not reach the KKT tolerance (largest residual "
                  "{:.2g}; --precision double reaches smaller ones).",
                  failed, experiment.instances.size(), experiment.d, worst)};
}

Warnings warnings(std::span<const theory::Solution> curve, const std::string& variable,
                  std::span<const double> values) {
  std::vector<double> failed, replicons;
  std::string reason;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const theory::Diagnostics& diagnostics = curve[i].diagnostics;
    replicons.push_back(diagnostics.replicon);
    if (diagnostics.converged) continue;
    failed.push_back(values[i]);
    if (reason.empty()) reason = diagnostics.message;
  }
  Warnings result = curve_warnings(replicons, values, variable);
  if (!failed.empty())
    result.push_back(fmt::format("NOT CONVERGED {}: {}.", where(failed, values.size(), variable), reason));
  return result;
}

Warnings warnings(const theory::Continuation& continuation) {
  Warnings result;
  for (const theory::Branch& branch : continuation.branches) {
    std::vector<double> replicons, alphas;
    for (const theory::BranchPoint& point : branch.points) {
      replicons.push_back(point.replicon);
      alphas.push_back(point.alpha);
    }
    result = std::move(result) + curve_warnings(replicons, alphas, fmt::format("alpha (branch {})", branch.name));
  }
  if (!continuation.converged) result.push_back("NOT CONVERGED: a branch could not be followed to its end.");
  return result;
}

Warnings replicon_warnings(std::span<const double> replicons, const std::string& points) {
  const auto say = [&](const char* what, auto count, const char* why) {
    return fmt::format("{} at {} of {} {}: {}.", what, count, replicons.size(), points, why);
  };
  const auto jumps = std::count_if(replicons.begin(), replicons.end(), [](double r) { return std::isinf(r); });
  const auto unstable = std::count_if(replicons.begin(), replicons.end(), [](double r) { return r >= 1; }) - jumps;
  Warnings result;
  if (unstable > 0) result.push_back(say("Replicon R ≥ 1", unstable, kUnstable));
  if (jumps > 0) result.push_back(say("Replicon", jumps, kJump));
  return result;
}

Warnings warnings(const study::PhaseDiagram& diagram) {
  std::vector<double> replicons;
  for (const study::DiagramPoint& point : diagram.points) replicons.push_back(point.replicon);
  Warnings result = replicon_warnings(replicons, "points of the diagram");
  if (diagram.unconverged > 0)
    result.push_back(fmt::format("NOT CONVERGED at {} of {} points of the diagram{}.", diagram.unconverged,
                                 diagram.points.size(), diagram.fault.empty() ? "" : ": " + diagram.fault));
  if (diagram.left > 0)
    result.push_back(fmt::format("Interrupted: {} of {} points of the diagram were not computed.", diagram.left,
                                 diagram.points.size()));
  return result;
}

Warnings operator+(Warnings first, const Warnings& second) {
  for (const std::string& line : second)
    if (std::find(first.begin(), first.end(), line) == first.end()) first.push_back(line);
  return first;
}

}  // namespace attnlaw::view
