#include "attnlaw/laws/in_context/tasks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;

/// The least mean of eigenvalues.
constexpr double kLeastMean = 1e-12;

constexpr std::string_view kCovariances = "isotropic, list:C1[@W1],C2[@W2],..., powerlaw:GAMMA,D or file:PATH";

/// Eigenvalues and weights as they were given.
struct Given {
  std::vector<double> values, weights;
};

Given from_list(std::string_view text) {
  Given result;
  for (const std::string_view item : base::split(text, ',')) {
    const std::vector<std::string_view> parts = base::split(item, '@');
    if (parts.size() > 2) reject("a task covariance is a list of C or C@W, got '{}'", item);
    result.values.push_back(base::finite_number(parts[0], "an eigenvalue of the task covariance"));
    result.weights.push_back(parts.size() == 2 ? base::finite_number(parts[1], "a weight of the task covariance") : 1);
  }
  return result;
}

Given from_power_law(std::string_view text) {
  constexpr double kMost = 1e6;
  const std::vector<std::string_view> parts = base::split(text, ',');
  if (parts.size() != 2)
    reject("a task covariance that is a power law reads powerlaw:GAMMA,D, got 'powerlaw:{}'", text);
  const double gamma = base::finite_number(parts[0], "GAMMA of powerlaw:GAMMA,D");
  const double count = base::finite_number(parts[1], "D of powerlaw:GAMMA,D");
  if (!(gamma >= 0)) reject("GAMMA of powerlaw:GAMMA,D must be >= 0, got {}", gamma);
  if (!(count >= 1 && count <= kMost && count == std::floor(count)))
    reject("D of powerlaw:GAMMA,D must be an integer from 1 to 1e6, got {}", parts[1]);
  Given result;
  for (double i = 1; i <= count; ++i) result.values.push_back(std::pow(i, -gamma));
  const double mean = std::accumulate(result.values.begin(), result.values.end(), 0.0) / count;
  for (double& value : result.values) value /= mean;
  result.weights.assign(result.values.size(), 1);
  return result;
}

Given from_file(const std::string& path) {
  Given result;
  for (const auto& line : base::read_number_lines(path, 0, "an eigenvalue, or an eigenvalue and its weight")) {
    if (line.size() > 2)
      reject("{}: a line of a task covariance has an eigenvalue, or one and its weight; got {} numbers", path,
             line.size());
    result.values.push_back(line[0]);
    result.weights.push_back(line.size() == 2 ? line[1] : 1);
  }
  return result;
}

/// Makes the weights sum to 1, and refuses what is no covariance.
TaskCovariance normalised(const std::string& spec, Given given) {
  for (const double value : given.values)
    if (!(value == 0 || (value >= kLeastVariance && value <= kMostVariance)))
      reject("eigenvalues of a task covariance must be 0 or from {:g} to {:g}, got {}", kLeastVariance, kMostVariance,
             value);
  for (const double weight : given.weights)
    if (!(weight > 0)) reject("weights of a task covariance must be > 0, got {}", weight);
  const double total = std::accumulate(given.weights.begin(), given.weights.end(), 0.0);
  for (double& weight : given.weights) weight /= total;
  TaskCovariance covariance{spec, SharedNumbers(std::move(given.values)), SharedNumbers(std::move(given.weights))};
  if (!(covariance.mean() >= kLeastMean))
    reject("a task covariance needs a mean eigenvalue of {:g} or more, got {} of '{}'", kLeastMean, covariance.mean(),
           spec);
  return covariance;
}

}  // namespace

TaskCovariance TaskCovariance::parse(const std::string& spec) {
  if (spec == "isotropic") return {};
  const auto after = [&](std::string_view kind) { return std::string_view(spec).substr(kind.size()); };
  if (spec.starts_with("list:")) return normalised(spec, from_list(after("list:")));
  if (spec.starts_with("powerlaw:")) return normalised(spec, from_power_law(after("powerlaw:")));
  if (spec.starts_with("file:")) return normalised(spec, from_file(std::string(after("file:"))));
  reject("a task covariance is {}, got '{}'", kCovariances, spec);
}

double TaskCovariance::mean() const { return std::inner_product(values.begin(), values.end(), weights.begin(), 0.0); }

double TaskCovariance::rank() const {
  // The sum of all weights is 1 but for rounding.
  if (full_rank()) return 1;
  double rank = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] > 0) rank += weights[i];
  return rank;
}

bool TaskCovariance::full_rank() const {
  return std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

std::vector<double> paired_values(const TaskCovariance& training, const TaskCovariance& test) {
  const std::size_t count = training.values.size();
  if (count == 1 || test.values.size() == 1) return std::vector<double>(count, test.mean());
  const auto close = [](double a, double b) {
    constexpr double kRounding = 1e-12;  // of weights that were given in different units
    return std::abs(a - b) <= kRounding;
  };
  if (!std::equal(training.weights.begin(), training.weights.end(), test.weights.begin(), test.weights.end(), close))
    reject(
        "the test covariance has the eigenvectors of the training covariance: it needs as many eigenvalues, with the "
        "same weights; got '{}' beside '{}'",
        test.spec, training.spec);
  return test.values;
}

}  // namespace attnlaw::laws
