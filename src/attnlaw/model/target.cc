#include "attnlaw/model/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/model/file_target.h"

namespace attnlaw::model {
namespace {

using base::finite_number;
using base::reject;
using base::split;

constexpr std::string_view kAccepted =
    "wishart:KAPPA, product:KAPPA, powerlaw:GAMMA,D[,CUTOFF], spikes:D,s1,s2,... or file:PATH";

std::size_t positive_integer(std::string_view text, std::string_view what) {
  const auto value = base::number_in<std::size_t>(text);
  if (!value || *value == 0) reject("{} must be an integer >= 1, got '{}'", what, text);
  return *value;
}

/// Beyond these the law is that of its limit to all digits, and its edges cannot be told apart.
constexpr double kLeastKappa = 1e-12, kMostKappa = 1e12;

double parse_kappa(std::string_view kind, std::string_view arguments) {
  const std::string what = fmt::format("kappa of target {}:KAPPA", kind);
  const double kappa = finite_number(arguments, what);
  if (kappa <= 0) reject("{} must be > 0, got '{}'", what, arguments);
  if (kappa < kLeastKappa || kappa > kMostKappa)
    reject("{} must be from {:g} to {:g}, got '{}'", what, kLeastKappa, kMostKappa, arguments);
  return kappa;
}

/// Throws base::MemoryError unless the eigenvalues fit: twice, and the different ones with weights, as they grow, and
/// in the tree of their sums.
void require_room(std::size_t dimension, std::size_t different, const std::string& spec) {
  constexpr double kCopies = 2, kOfDifferent = 8;
  base::require_memory(
      sizeof(double) * (kCopies * static_cast<double>(dimension) + kOfDifferent * static_cast<double>(different)),
      "target " + spec, "a smaller D");
}

PowerLawTarget parse_power_law(std::string_view arguments) {
  const std::vector<std::string_view> fields = split(arguments, ',');
  if (fields.size() < 2 || fields.size() > 3)
    reject("target must be powerlaw:GAMMA,D[,CUTOFF], got 'powerlaw:{}'", arguments);
  PowerLawTarget target;
  target.gamma = finite_number(fields[0], "gamma of target powerlaw:GAMMA,D[,CUTOFF]");
  if (target.gamma <= 0.5) reject("gamma of target powerlaw:GAMMA,D[,CUTOFF] must be > 1/2, got '{}'", fields[0]);
  target.dimension = positive_integer(fields[1], "D of target powerlaw:GAMMA,D[,CUTOFF]");
  target.cutoff =
      fields.size() == 3 ? positive_integer(fields[2], "cutoff of target powerlaw:GAMMA,D,CUTOFF") : target.dimension;
  if (target.cutoff > target.dimension) {
    reject("cutoff of target powerlaw:GAMMA,D,CUTOFF must be at most D = {}, got {}", target.dimension, target.cutoff);
  }
  require_room(target.dimension, target.cutoff, fmt::format("powerlaw:{}", arguments));
  return target;
}

SpikesTarget parse_spikes(std::string_view arguments) {
  const std::vector<std::string_view> fields = split(arguments, ',');
  if (fields.size() < 2)
    reject("target must be spikes:D,s1,s2,... with at least one spike, got 'spikes:{}'", arguments);
  SpikesTarget target;
  target.dimension = positive_integer(fields[0], "D of target spikes:D,s1,s2,...");
  for (std::size_t i = 1; i < fields.size(); ++i) {
    target.spikes.push_back(finite_number(fields[i], "a spike of target spikes:D,s1,s2,..."));
  }
  if (target.spikes.size() > target.dimension) {
    reject("target spikes:D,s1,s2,... takes at most D = {} spikes, got {}", target.dimension, target.spikes.size());
  }
  require_room(target.dimension, target.spikes.size(), fmt::format("spikes:{}", arguments));
  return target;
}

/// Looks at an interruption once in so many eigenvalues.
constexpr std::size_t kEigenvaluesAtATime = 1 << 16;

/// Returns the D eigenvalues of a discrete target, in any order: ascending where they are many.
std::vector<double> atoms(const PowerLawTarget& target) {
  std::vector<double> eigenvalues(target.dimension, 0.0);
  const auto power = [](std::size_t i, double exponent) {
    if (i % kEigenvaluesAtATime == 0) base::check_interrupt();
    return std::pow(static_cast<double>(i), exponent);
  };
  double sum = 0;
  for (std::size_t i = target.cutoff; i >= 1; --i) sum += power(i, -2 * target.gamma);
  const double scale = std::sqrt(static_cast<double>(target.dimension) / sum);
  for (std::size_t i = 1; i <= target.cutoff; ++i) eigenvalues[target.dimension - i] = scale * power(i, -target.gamma);
  return eigenvalues;
}

std::vector<double> atoms(const SpikesTarget& target) {
  std::vector<double> eigenvalues = target.spikes;
  eigenvalues.resize(target.dimension, 0.0);
  return eigenvalues;
}

std::vector<double> atoms(const FileTarget& target) { return target.eigenvalues; }

matrix_laws::Spectrum law(const WishartTarget& target) { return matrix_laws::WishartSpectrum{target.kappa, 1}; }

matrix_laws::Spectrum law(const ProductTarget& target) { return matrix_laws::ProductSpectrum{target.kappa, 1}; }

template <class Discrete>
matrix_laws::Spectrum law(const Discrete& target) {
  return matrix_laws::Spectrum::from_eigenvalues(atoms(target));
}

matrix_laws::Spectrum law(const FileTarget& target) {
  return matrix_laws::Spectrum::from_eigenvalues(target.eigenvalues, target.precision);
}

std::string text(const WishartTarget& target) { return fmt::format("wishart:{}", target.kappa); }

std::string text(const ProductTarget& target) { return fmt::format("product:{}", target.kappa); }

std::string text(const PowerLawTarget& target) {
  if (target.cutoff == target.dimension) return fmt::format("powerlaw:{},{}", target.gamma, target.dimension);
  return fmt::format("powerlaw:{},{},{}", target.gamma, target.dimension, target.cutoff);
}

std::string text(const SpikesTarget& target) {
  return fmt::format("spikes:{},{}", target.dimension, fmt::join(target.spikes, ","));
}

std::string text(const FileTarget& target) { return "file:" + target.path; }

/// Returns r, the number of columns of W, for a target that is drawn.
template <class Drawn>
double width(const Drawn& target, std::size_t d) {
  return std::round(target.kappa * static_cast<double>(d));
}

template <class Drawn>
void check_width(const Drawn& target, std::size_t d) {
  const double rank = target.kappa * static_cast<double>(d);
  if (!(rank >= 0.5)) reject("target {} needs round({} d) >= 1, got d = {}", text(target), target.kappa, d);
  if (rank > static_cast<double>(std::numeric_limits<int>::max()))
    reject("target {} needs round({} d) < 2^31, got d = {}", text(target), target.kappa, d);
}

void check_dimension(const WishartTarget& target, std::size_t d) { check_width(target, d); }
void check_dimension(const ProductTarget& target, std::size_t d) { check_width(target, d); }

template <class Discrete>
void check_dimension(const Discrete& target, std::size_t d) {
  const std::size_t dimension = atoms(target).size();
  if (d == 0 || d % dimension != 0) {
    reject("target {} has D = {} eigenvalues: d must be a positive multiple of D, got {}", text(target), dimension, d);
  }
}

/// Returns the bytes that draw holds at once: W and its transpose, the Gram matrix, the eigenvalues.
double drawing_bytes(const WishartTarget& target, std::size_t d) {
  const double dimension = static_cast<double>(d), rank = width(target, d);
  const double small = std::min(rank, dimension);
  return (2 * rank * dimension + small * small + dimension) * sizeof(double);
}

/// Returns the bytes of both factors, their product, and the workspace of LAPACK.
double drawing_bytes(const ProductTarget& target, std::size_t d) {
  const double dimension = static_cast<double>(d), rank = width(target, d);
  constexpr double kWorkspace =
      0.2;  // share of d² that dgesdd without vectors takes, for panels of the bidiagonalisation
  return (2 * rank * dimension + (1 + kWorkspace) * dimension * dimension) * sizeof(double);
}

template <class Discrete>
double drawing_bytes(const Discrete& target, std::size_t d) {
  return static_cast<double>(atoms(target).size() + d) * sizeof(double);
}

/// Computes the eigenvalues of W Wᵀ/√(r d) from the smaller Gram matrix; the other d − min(r, d) are zero.
std::vector<double> draw(const WishartTarget& target, std::size_t d, std::uint64_t seed, std::uint64_t instance) {
  const auto rank = static_cast<std::size_t>(width(target, d));
  const std::size_t small = std::min(rank, d), large = std::max(rank, d);
  // Entries are iid, so one small×large array serves as W or as its transpose.
  std::vector<double> weights(small * large), transposed(small * large), gram(small * small);
  base::NormalStream(seed, base::stream_id(base::Stream::target, d, instance)).fill(0, std::span<double>(weights));
  for (std::size_t i = 0; i < small; ++i) {
    for (std::size_t j = 0; j < large; ++j) transposed[j * small + i] = weights[i * large + j];
  }
  base::use_one_blas_thread();
  base::gemm(base::Transpose::no, small, small, large, weights.data(), transposed.data(), 0.0, gram.data());
  std::vector<double> eigenvalues = base::symmetric_eigenvalues(gram, small);
  const double scale = 1 / std::sqrt(static_cast<double>(rank) * static_cast<double>(d));
  for (double& eigenvalue : eigenvalues) eigenvalue = std::max(0.0, eigenvalue * scale);
  eigenvalues.resize(d, 0.0);
  std::sort(eigenvalues.begin(), eigenvalues.end(), std::greater<>());
  return eigenvalues;
}

/// Computes the singular values of W_Q W_Kᵀ/√(r d); those beyond the rank are zero.
std::vector<double> draw(const ProductTarget& target, std::size_t d, std::uint64_t seed, std::uint64_t instance) {
  const auto rank = static_cast<std::size_t>(width(target, d));
  std::vector<double> queries(d * rank), keys(rank * d), product(d * d);
  const base::NormalStream stream(seed, base::stream_id(base::Stream::target, d, instance));
  stream.fill(0, std::span<double>(queries));
  stream.fill(queries.size(), std::span<double>(keys));
  base::use_one_blas_thread();
  base::gemm(base::Transpose::no, d, d, rank, queries.data(), keys.data(), 0.0, product.data());
  std::vector<double> values = base::singular_values(product, d, d);
  const double scale = 1 / std::sqrt(static_cast<double>(rank) * static_cast<double>(d));
  for (double& value : values) value *= scale;
  if (rank < d) std::fill(values.begin() + static_cast<std::ptrdiff_t>(rank), values.end(), 0.0);
  return values;
}

template <class Discrete>
std::vector<double> draw(const Discrete& target, std::size_t d, std::uint64_t, std::uint64_t) {
  const std::vector<double> distinct = atoms(target);
  std::vector<double> eigenvalues;
  eigenvalues.reserve(d);
  for (std::size_t copy = 0; copy < d / distinct.size(); ++copy) {
    eigenvalues.insert(eigenvalues.end(), distinct.begin(), distinct.end());
  }
  std::sort(eigenvalues.begin(), eigenvalues.end(), std::greater<>());
  return eigenvalues;
}

}  // namespace

Target::Target() : Target(WishartTarget{}) {}

Target::Target(Kind kind)
    : kind_(std::move(kind)), spectrum_(std::visit([](const auto& target) { return law(target); }, kind_)) {}

Target Target::parse(const std::string& spec, MatrixValues of_matrix) {
  const std::size_t colon = spec.find(':');
  const std::string_view kind = std::string_view(spec).substr(0, colon);
  if (colon != std::string::npos) {
    const std::string_view arguments = std::string_view(spec).substr(colon + 1);
    if (kind == "wishart") return Target(WishartTarget{parse_kappa(kind, arguments)});
    if (kind == "product") return Target(ProductTarget{parse_kappa(kind, arguments)});
    if (kind == "powerlaw") return Target(parse_power_law(arguments));
    if (kind == "spikes") return Target(parse_spikes(arguments));
    if (kind == "file") return Target(read_file_target(std::string(arguments), of_matrix));
  }
  reject("target must be {}, got '{}'{}", kAccepted, spec,
         base::suggestion(kind, {"wishart", "product", "powerlaw", "spikes", "file"}));
}

std::string Target::spec() const {
  return std::visit([](const auto& target) { return text(target); }, kind_);
}

std::optional<MatrixValues> Target::of_matrix() const {
  const auto* file = std::get_if<FileTarget>(&kind_);
  return file ? file->of_matrix : std::nullopt;
}

std::string Target::note() const {
  const auto* file = std::get_if<FileTarget>(&kind_);
  if (!file || file->precision < kSinglePrecision) return "";
  const std::size_t exact = matrix_laws::Spectrum::from_eigenvalues(file->eigenvalues).discrete()->atoms.size();
  const std::size_t distinct = spectrum_.discrete()->atoms.size();
  if (distinct == exact) return "";
  const std::string_view values = file->of_matrix == MatrixValues::singular_values ? "singular values" : "eigenvalues";
  if (single_precision(file->eigenvalues))
    return fmt::format(
        "The {} {} of {} are numbers of single precision: those equal up to its rounding are counted as one, {} "
        "different ones instead of {}.",
        file->eigenvalues.size(), values, spec(), distinct, exact);
  return fmt::format(
      "The {} {} of {} stand in groups narrower than {:.2g}, the rounding of single precision beside the largest: each "
      "group is counted as one, {} different ones instead of {}.",
      file->eigenvalues.size(), values, spec(), rounding_of(*file), distinct, exact);
}

std::string Target::doubt() const {
  const auto* file = std::get_if<FileTarget>(&kind_);
  if (!file || file->precision >= kSinglePrecision) return "";
  const auto merged = matrix_laws::Spectrum::from_eigenvalues(file->eigenvalues, kSinglePrecision);
  const double share = share_of_merging(spectrum_, merged);
  if (share <= kTellingShare) return "";
  return fmt::format(
      "Some eigenvalues of {} differ by less than {:.2g}, the rounding of single precision beside the largest, but are "
      "counted as different: if they are equal, Bayes recovery begins at {:.4g} of the alpha given; round them in the "
      "file.",
      spec(), rounding_of(*file), 1 - share);
}

void Target::require_dimension(std::size_t d) const {
  std::visit([d](const auto& target) { check_dimension(target, d); }, kind_);
}

double Target::bytes_needed(std::size_t d) const {
  return std::visit([d](const auto& target) { return drawing_bytes(target, d); }, kind_);
}

std::vector<double> Target::eigenvalues(std::size_t d, std::uint64_t seed, std::uint64_t instance) const {
  require_dimension(d);
  return std::visit([&](const auto& target) { return draw(target, d, seed, instance); }, kind_);
}

}  // namespace attnlaw::model
