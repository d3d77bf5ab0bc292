#include "attnlaw/laws/pooling/weights.h"

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>

#include "attnlaw/base/index.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/number_array.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::index;
using base::reject;
using Profile = SignCorrelations::Profile;
using Markov = SignCorrelations::Markov;
using General = SignCorrelations::General;

constexpr std::string_view kProfiles = "power:R0,B, markov:RHO or file:PATH";
constexpr std::string_view kWeights = "mean, harmonic, attention:TAU, optimal or file:PATH";
/// Correlations in a file are often written with six digits, so they are accepted up to this error.
constexpr double kFileRounding = 1e-6;

/// Copies values into a vector: the bits of sums over a map would depend on where in memory the values begin.
Eigen::VectorXd vector(std::span<const double> values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), index(values.size()));
}

void require_length(std::size_t length) {
  if (length < 1 || length > SignCorrelations::kMostPositions)
    reject("the length of a sequence must be 1 to {} tokens, got {}", SignCorrelations::kMostPositions, length);
}

void require_valid(Profile& profile) {
  require_length(profile.r.size());
  for (std::size_t l = 0; l < profile.r.size(); ++l) {
    if (!(std::abs(profile.r[l]) <= 1))
      reject("a profile needs -1 <= r_l <= 1 at every position, got r_{} = {}", l + 1, profile.r[l]);
  }
}

void require_valid(Markov& markov) {
  require_length(markov.length);
  if (!(std::abs(markov.rho) <= 1)) reject("markov:RHO needs -1 <= RHO <= 1, got {}", markov.rho);
}

/// Checks a correlation matrix and removes from it what rounding left.
void require_valid(General& general) {
  Eigen::MatrixXd& R = general.R;
  require_length(static_cast<std::size_t>(R.rows()));
  for (Eigen::Index k = 0; k < R.rows(); ++k) {
    if (!(std::abs(R(k, k) - 1) <= kFileRounding))
      reject("a correlation matrix needs ones on its diagonal, got R[{0},{0}] = {1}", k + 1, R(k, k));
    for (Eigen::Index l = 0; l < k; ++l) {
      if (!(std::abs(R(k, l) - R(l, k)) <= kFileRounding))
        reject("a correlation matrix must be symmetric, got R[{0},{1}] = {2} and R[{1},{0}] = {3}", k + 1, l + 1,
               R(k, l), R(l, k));
    }
  }
  R = (0.5 * (R + R.transpose())).eval();
  R.diagonal().setOnes();
  const double least = base::eigenvalues(R).front();
  if (least < -kFileRounding * static_cast<double>(R.rows()))
    reject("a correlation matrix must be positive semidefinite, got one with the eigenvalue {:.6g}", least);
}

std::size_t required(std::optional<std::size_t> length, std::string_view spec) {
  if (!length) reject("profile {} needs the length of a sequence beside it", spec);
  return *length;
}

SignCorrelations::Kind parse_power(std::string_view spec, std::string_view arguments,
                                   std::optional<std::size_t> length) {
  const auto fields = base::split(arguments, ',');
  if (fields.size() != 2) reject("profile must be power:R0,B, got '{}'", spec);
  const double r0 = base::finite_number(fields[0], "R0 of profile power:R0,B");
  const double decay = base::finite_number(fields[1], "B of profile power:R0,B");
  const std::size_t positions = required(length, spec);
  require_length(positions);
  return Profile{power_profile(r0, decay, positions)};
}

SignCorrelations::Kind parse_file(const std::string& path, std::optional<std::size_t> length) {
  const base::NumberArray array =
      base::read_number_array(path, "r_l of one position, or one row of a correlation matrix");
  if (array.inner > 0) reject("{}: a profile has one or two axes, got an array of three", path);
  const base::Matrix<double>& R = array.values;
  const auto positions = static_cast<std::size_t>(R.rows());
  if (length && *length != positions)
    reject("{} has {} positions, but the length of a sequence is {}", path, positions, *length);
  if (R.cols() == 1) return Profile{{R.data(), R.data() + R.size()}};
  if (R.cols() != R.rows())
    reject("{}: expected one column (a profile) or a square matrix, got {} rows of {}", path, positions, R.cols());
  return General{R};
}

/// Returns the text after `kind:`, if the specification is of that kind.
std::optional<std::string> after(const std::string& kind, const std::string& spec) {
  if (!spec.starts_with(kind + ":")) return std::nullopt;
  return spec.substr(kind.size() + 1);
}

std::vector<double> read_weights(const std::string& path, std::size_t length) {
  const base::NumberArray array = base::read_number_array(path, "one finite weight per line");
  if (array.inner > 0) reject("{}: weights have one axis, got an array of three", path);
  const base::Matrix<double>& values = array.values;
  if (values.cols() != 1)
    reject("{}: expected one finite weight per line, got {} rows of {}", path, values.rows(), values.cols());
  const std::vector<double> weights(values.data(), values.data() + values.size());
  if (weights.size() != length) reject("{} has {} weights for sequences of {} tokens", path, weights.size(), length);
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; }))
    reject("{}: all weights are zero: kappa, the sum of their squares, must be > 0", path);
  return weights;
}

}  // namespace

SignCorrelations::SignCorrelations(Kind kind) : kind_(std::move(kind)) {
  std::visit([](auto& correlations) { require_valid(correlations); }, kind_);
}

SignCorrelations SignCorrelations::parse(const std::string& spec, std::optional<std::size_t> length) {
  if (const auto arguments = after("power", spec)) return SignCorrelations(parse_power(spec, *arguments, length));
  if (const auto rho = after("markov", spec)) {
    return SignCorrelations(Markov{base::finite_number(*rho, "RHO of profile markov:RHO"), required(length, spec)});
  }
  if (const auto path = after("file", spec)) return SignCorrelations(parse_file(*path, length));
  reject("profile must be {}, got '{}'", kProfiles, spec);
}

std::size_t SignCorrelations::length() const {
  if (const auto* profile = std::get_if<Profile>(&kind_)) return profile->r.size();
  if (const auto* markov = std::get_if<Markov>(&kind_)) return markov->length;
  return static_cast<std::size_t>(std::get<General>(kind_).R.rows());
}

Eigen::MatrixXd SignCorrelations::matrix() const {
  if (const auto* general = std::get_if<General>(&kind_)) return general->R;
  const Eigen::Index L = index(length());
  if (const auto* markov = std::get_if<Markov>(&kind_))
    return Eigen::MatrixXd::NullaryExpr(L, L, [markov](Eigen::Index k, Eigen::Index l) {
      return std::pow(markov->rho, std::abs(static_cast<double>(k - l)));
    });
  const auto r = vector(std::get<Profile>(kind_).r);
  Eigen::MatrixXd R = r * r.transpose();
  R.diagonal().setOnes();
  return R;
}

double SignCorrelations::quadratic_form(std::span<const double> weights) const {
  const auto w = vector(weights);
  const auto* profile = std::get_if<Profile>(&kind_);
  if (!profile) return w.dot(matrix() * w);
  // A profile has a form of its own without the matrix, because harmonic_crossing calls it many times.
  const auto r = vector(profile->r);
  return std::pow(w.dot(r), 2) + (w.array().square() * (1 - r.array().square())).sum();
}

std::vector<double> power_profile(double r0, double decay, std::size_t length) {
  std::vector<double> r(length);
  for (std::size_t l = 0; l < length; ++l) r[l] = r0 * std::pow(static_cast<double>(l + 1), -decay);
  return r;
}

std::vector<double> mean_weights(std::size_t length) {
  return std::vector<double>(length, 1 / static_cast<double>(length));
}

std::vector<double> harmonic_weights(std::size_t length) { return attention_weights(length, 0); }

std::vector<double> attention_weights(std::size_t length, double tau) {
  if (!std::isfinite(tau)) reject("tau of attention:TAU must be a finite number, got {}", tau);
  const double own = std::exp(tau), L = static_cast<double>(length);
  std::vector<double> weights(length);
  double others = 0;  // Σ_{j>l} 1/(e^τ + j − 1)
  for (std::size_t l = length; l >= 1; --l) {
    const double before = static_cast<double>(l - 1);
    weights[l - 1] = (1 / (1 + (before > 0 ? before / own : 0)) + others) / L;
    others += 1 / (own + before);
  }
  return weights;
}

OptimalWeights optimal_weights(const SignCorrelations& correlations) {
  const auto [values, vectors] = base::eigensystem(correlations.matrix());
  constexpr double kDegenerate = 1e-10;
  const auto first = std::lower_bound(values.begin(), values.end(), values.back() * (1 - kDegenerate));
  const auto top = vectors.bottomRows(values.end() - first).transpose();
  Eigen::VectorXd w = top * top.colwise().sum().transpose();
  if (w.norm() < kDegenerate) w = top.rightCols(1);
  if (w.sum() < 0) w = -w;
  w /= w.lpNorm<1>();
  return {{w.data(), w.data() + w.size()}, values.back()};
}

std::vector<double> parse_weights(const std::string& spec, const SignCorrelations& correlations) {
  const std::size_t length = correlations.length();
  if (spec == "mean") return mean_weights(length);
  if (spec == "harmonic") return harmonic_weights(length);
  if (spec == "optimal") return optimal_weights(correlations).weights;
  if (const auto tau = after("attention", spec))
    return attention_weights(length, base::finite_number(*tau, "TAU of weights attention:TAU"));
  if (const auto path = after("file", spec)) return read_weights(*path, length);
  reject("weights must be {}, got '{}'", kWeights, spec);
}

double attention_tau(const std::string& spec) {
  if (spec == "harmonic") return 0;
  if (const auto tau = after("attention", spec)) return base::finite_number(*tau, "TAU of weights attention:TAU");
  reject("scores of their own have the weights attention:TAU and harmonic, got '{}'", spec);
}

PoolingScalars pooling_scalars(std::span<const double> weights, const SignCorrelations& correlations) {
  if (weights.size() != correlations.length())
    reject("got {} weights for sequences of {} tokens", weights.size(), correlations.length());
  const auto w = vector(weights);
  return {correlations.quadratic_form(weights), w.squaredNorm(), w.sum(), w.array().pow(4).sum()};
}

std::optional<double> harmonic_crossing(double r0, std::size_t length) {
  if (!(std::abs(r0) <= 1)) reject("R0 of a power profile must lie in [-1, 1], got {}", r0);
  if (length < 1) reject("the length of a sequence must be at least 1, got {}", length);
  const std::vector<double> mean = mean_weights(length), harmonic = harmonic_weights(length);
  const double mean_kappa = vector(mean).squaredNorm(), harmonic_kappa = vector(harmonic).squaredNorm();
  const auto advantage = [&](double decay) {
    const std::vector<double> r = power_profile(r0, decay, length);
    const auto gain = [&](std::span<const double> weights, double kappa) {
      const auto w = vector(weights);
      // α/κ − 1 without its diagonal part, which would hide it where the decay is strong.
      return (std::pow(w.dot(vector(r)), 2) - (w.array() * vector(r).array()).square().sum()) / kappa;
    };
    return gain(harmonic, harmonic_kappa) - gain(mean, mean_kappa);
  };
  // Without decay the mean is optimal, and all crossings with L ≥ 3 lie below this decay.
  constexpr double kStrongDecay = 8;
  if (!(advantage(0) < 0 && advantage(kStrongDecay) > 0)) return std::nullopt;
  std::uintmax_t iterations = 100;
  const auto [low, high] = boost::math::tools::toms748_solve(advantage, 0.0, kStrongDecay,
                                                             boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (low + high);
}

}  // namespace attnlaw::laws
