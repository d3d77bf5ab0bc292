#include "attnlaw/model/spectral_penalty.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::model {
namespace {

using base::reject;

/// p and p′ at |s|; for s < 0 the slope changes its sign.
struct Profile {
  double value, slope;
};

template <class Function>
CustomPenalty even(const Function& profile) {
  CustomPenalty penalty;
  penalty.function = [profile](const std::vector<double>& s, std::vector<double>& values, std::vector<double>& slopes) {
    values.resize(s.size()), slopes.resize(s.size());
    for (std::size_t i = 0; i < s.size(); ++i) {
      const auto [value, slope] = profile(std::abs(s[i]));
      values[i] = value, slopes[i] = std::copysign(slope, s[i]);
    }
  };
  return penalty;
}

Profile linear(double s) { return {s, 1}; }

CustomPenalty elastic(double mu) {
  CustomPenalty penalty = even(linear);
  penalty.ridge = mu;
  return penalty;
}

CustomPenalty schatten(double power) {
  return even([power](double s) { return Profile{std::pow(s, power), power * std::pow(s, power - 1)}; });
}

CustomPenalty log_det(double epsilon) {
  return even([epsilon](double s) { return Profile{std::log1p(s / epsilon), 1 / (s + epsilon)}; });
}

/// The number behind the colon.
double parameter(const std::string& specification, std::size_t colon) {
  const std::string text = specification.substr(colon + 1);
  const auto number = base::number_in<double>(text);
  if (!number || !(*number > 0) || !std::isfinite(*number))
    reject("penalty {} needs a number > 0 behind the colon, got \"{}\"", specification.substr(0, colon), text);
  return *number;
}

}  // namespace

std::shared_ptr<const CustomPenalty> spectral_penalty(const std::string& specification) {
  static constexpr std::pair<const char*, CustomPenalty (*)(double)> kWithParameter[] = {
      {"elastic", elastic}, {"schatten", schatten}, {"logdet", log_det}};
  const auto named = [&](CustomPenalty penalty) {
    penalty.name = specification;
    return std::make_shared<const CustomPenalty>(std::move(penalty));
  };
  if (specification == "trace") return named(even(linear));
  if (specification == "frobenius") return named(schatten(2));
  const std::size_t colon = specification.find(':');
  for (const auto& [name, make] : kWithParameter)
    if (colon != std::string::npos && specification.substr(0, colon) == name)
      return named(make(parameter(specification, colon)));
  reject("penalty must be {}, got \"{}\"", kSpectralPenalties, specification);
}

bool is_convex_penalty(const std::string& specification) {
  const std::size_t colon = specification.find(':');
  const std::string kind = specification.substr(0, colon);
  if (kind == "schatten") return colon != std::string::npos && parameter(specification, colon) >= 1;
  return kind == "trace" || kind == "frobenius" || kind == "elastic";
}

}  // namespace attnlaw::model
