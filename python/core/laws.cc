#include "laws.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/complex.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <complex>
#include <functional>
#include <numeric>
#include <optional>
#include <vector>

#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/laws/pooling/pooling.h"
#include "attnlaw/laws/softmax/softmax_law.h"
#include "attnlaw/matrix_laws/law_difference.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/model/file_target.h"
#include "attnlaw/model/target.h"
#include "blas_threads.h"
#include "call.h"

namespace attnlaw::python {
namespace {

namespace nb = nanobind;
using matrix_laws::Complex;
using matrix_laws::Interval;
using matrix_laws::Law;
using matrix_laws::Spectrum;

template <class Number>
using Input = nb::ndarray<const Number, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class Number>
using Output = nb::ndarray<nb::numpy, Number, nb::ndim<1>>;

template <class Number>
Output<Number> array_of(std::vector<Number> values) {
  auto* kept = new std::vector<Number>(std::move(values));
  const nb::capsule owner(kept, [](void* data) noexcept { delete static_cast<std::vector<Number>*>(data); });
  return Output<Number>(kept->data(), {kept->size()}, owner);
}

/// f of every entry, over so many threads (0: all) in blocks that are worth one.
template <class Out, class In, class Function>
Output<Out> map(const Input<In>& in, std::size_t block, int threads, const Function& function) {
  std::vector<Out> out(in.shape(0));
  const In* from = in.data();
  run_interruptibly([&] {
    base::parallel_for((out.size() + block - 1) / block, threads, [&](std::size_t b) {
      const std::size_t end = std::min(out.size(), (b + 1) * block);
      for (std::size_t i = b * block; i < end; ++i) out[i] = function(from[i]);
    });
  });
  return array_of(std::move(out));
}

/// A law, or that of the square roots of its values, and where a spike beside it is seen.
struct LawObject {
  Law law;
  bool roots = false;
  std::function<std::optional<double>(double)> outlier = {};

  double value(double x) const { return roots ? std::sqrt(std::max(0.0, x)) : x; }
  double argument(double x) const { return roots ? std::copysign(x * x, x) : x; }

  double density(double x) const {
    if (!roots) return law.density(x);
    return x > 0 && std::isfinite(x) ? 2 * x * law.density(x * x) : 0;
  }
};

/// The distance of a real point from the nearest band or atom; 0 inside a band.
double distance_from_support(const Law& law, double x) {
  double distance = std::numeric_limits<double>::infinity();
  for (const Law::Atom& atom : law.atoms()) distance = std::min(distance, std::abs(x - atom.x));
  for (const Law::Band& band : law.bands())
    distance = std::min(distance, std::max({0.0, band.support.lower - x, x - band.support.upper}));
  return distance;
}

/// ∫ μ(dx)/(z − x) for z off the support: the law is cut at distances from the nearest point that grow by a factor, so
/// that on every panel the integrand is as smooth as on the next.
Complex transform(const LawObject& object, Complex z) {
  constexpr double kGrowth = 4;
  const Law& law = object.law;
  // Of square roots, in their squares; what lies left of 0 is as far from the squares as from 0.
  const Complex w = !object.roots ? z : z.real() > 0 ? z * z : Complex(0, std::norm(z));
  const double height = std::hypot(w.imag(), distance_from_support(law, w.real()));
  if (!(height > 0)) base::reject("stieltjes takes z off the support, got {}", z.real());
  const Interval hull = law.hull();
  std::vector<double> cuts;
  for (double h = height; h < 2 * (hull.upper - hull.lower); h *= kGrowth) {
    cuts.push_back(w.real() - h);
    cuts.push_back(w.real() + h);
  }
  std::sort(cuts.begin(), cuts.end());
  Complex sum = 0;
  for (const Law::Node& node : law.quadrature(cuts).nodes) sum += node.weight / (z - object.value(node.x));
  for (const Law::Atom& atom : law.atoms()) sum += atom.mass / (z - object.value(atom.x));
  return sum;
}

Complex stieltjes(const LawObject& object, Complex z) {
  if (z.imag() == 0 && !object.roots && distance_from_support(object.law, z.real()) == 0)
    return object.law.stieltjes(z.real());
  return transform(object, z);
}

/// Where a rank-one term of strength θ, free of a symmetric matrix with this law, shows: G(x) = 1/θ beyond the support.
std::optional<double> outlier_beyond(const LawObject& object, double theta) {
  if (theta == 0) return std::nullopt;
  const Interval hull = object.law.hull();
  const double side = theta > 0 ? 1 : -1, edge = theta > 0 ? hull.upper : hull.lower;
  const double width = std::max({hull.upper - hull.lower, std::abs(edge), std::abs(theta)});
  const double nearest = 1e-12 * width;
  const auto excess = [&](double t) { return side * transform(object, edge + side * t).real() - 1 / std::abs(theta); };
  const double last = std::abs(theta) + nearest;
  const double at_edge = excess(nearest), at_last = excess(last);
  if (!(at_edge > 0 && at_last <= 0)) return std::nullopt;
  std::uintmax_t iterations = 100;
  const auto [low, high] = boost::math::tools::toms748_solve(excess, nearest, last, at_edge, at_last,
                                                             boost::math::tools::eps_tolerance<double>(), iterations);
  return edge + side * 0.5 * (low + high);
}

LawObject additive(Law law) {
  LawObject object{std::move(law)};
  object.outlier = [bare = object](double theta) { return outlier_beyond(bare, theta); };
  return object;
}

/// Where one more eigenvalue s of S shows beside the law of S + aZ: s + a² G_S(s), if a² ∫μ(dt)/(s − t)² < 1.
LawObject sum_law(const Spectrum& spectrum, double variance) {
  LawObject object{semicircle_sum(spectrum, variance)};
  object.outlier = [spectrum, variance](double s) -> std::optional<double> {
    const Interval hull = spectrum.hull();
    if (s >= hull.lower && s <= hull.upper) return std::nullopt;
    const matrix_laws::Stieltjes g = spectrum.stieltjes(s);
    if (!(-variance * g.derivative.real() < 1)) return std::nullopt;
    return s + variance * g.value.real();
  };
  return object;
}

LawObject softmax_law(double beta, double rho, const std::string& tokens, double tau) {
  const laws::SoftmaxLaw law(
      laws::SoftmaxParameters{beta, rho, base::value_of<laws::TokenModel>("tokens", tokens), tau});
  return {law.squared(), true, [law](double strength) { return law.outlier(strength); }};
}

LawObject pooling_law(double delta, double gamma, double kappa) {
  const laws::PoolingRatios ratios{delta, gamma};
  return {laws::pooling_law(ratios, kappa), false, [ratios, kappa](double s) -> std::optional<double> {
            const laws::Spike spike = laws::sample_spike(ratios, kappa, s);
            return spike.place == laws::Place::hidden ? std::nullopt : std::optional(spike.eigenvalue);
          }};
}

std::vector<double> cdf_of(const LawObject& object, const Input<double>& x) {
  std::vector<double> at(x.shape(0));
  std::transform(x.data(), x.data() + at.size(), at.begin(), [&](double value) { return object.argument(value); });
  // One quadrature serves an ascending list; it costs a panel for each point, as a call for each point does.
  std::vector<std::size_t> order(at.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return at[i] < at[j]; });
  std::vector<double> ascending;
  for (const std::size_t i : order) ascending.push_back(at[i]);
  const std::vector<double> values = matrix_laws::cdf_at(object.law, ascending);
  std::vector<double> result(at.size());
  for (std::size_t i = 0; i < order.size(); ++i) result[order[i]] = values[i];
  return result;
}

Output<double> cdf(const LawObject& object, const Input<double>& x) {
  std::vector<double> result;
  run_interruptibly([&] { result = cdf_of(object, x); });
  return array_of(std::move(result));
}

/// (x, weight) of the bands.
nb::tuple nodes(const LawObject& object, double tolerance) {
  std::vector<double> x, weight;
  for (const Law::Node& node : object.law.quadrature({}, tolerance).nodes) {
    x.push_back(object.value(node.x));
    weight.push_back(node.weight);
  }
  return nb::make_tuple(array_of(std::move(x)), array_of(std::move(weight)));
}

std::vector<std::pair<double, double>> edges(const LawObject& object) {
  std::vector<std::pair<double, double>> ends;
  for (const Law::Band& band : object.law.bands())
    ends.emplace_back(object.value(band.support.lower), object.value(band.support.upper));
  return ends;
}

std::vector<std::pair<double, double>> atoms(const LawObject& object) {
  std::vector<std::pair<double, double>> all;
  for (const Law::Atom& atom : object.law.atoms()) all.emplace_back(object.value(atom.x), atom.mass);
  return all;
}

// Points that are worth a thread: some hundred microseconds of a closed form.
constexpr std::size_t kDensities = 256, kQuantiles = 1, kTransforms = 4;

/// The values by which a matrix is a target, as one of these in a file has them: those that are equal up to the
/// rounding of its numbers are one.
Output<double> matrix_values(const nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>& matrix,
                             bool cross) {
  std::vector<double> values;
  run_interruptibly([&] {
    const model::FileTarget target =
        model::target_of_array("target", {matrix.data(), matrix.size()}, matrix.shape(0), matrix.shape(1),
                               cross ? model::MatrixValues::singular_values : model::MatrixValues::eigenvalues);
    const Spectrum spectrum = Spectrum::from_eigenvalues(target.eigenvalues, target.precision);
    for (std::size_t k = 0; k < spectrum.discrete()->atoms.size(); ++k) {
      const double count = spectrum.discrete()->weights[k] * static_cast<double>(target.eigenvalues.size());
      values.insert(values.end(), static_cast<std::size_t>(std::lround(count)), spectrum.discrete()->atoms[k]);
    }
  });
  return array_of(std::move(values));
}

}  // namespace

void bind_laws(nb::module_& module) {
  nb::class_<LawObject>(module, "Law")
      .def("density",
           [](const LawObject& o, const Input<double>& x, int threads) {
             return map<double>(x, kDensities, threads, [&o](double at) { return o.density(at); });
           })
      .def("cdf", &cdf)
      .def("quantile",
           [](const LawObject& o, const Input<double>& p, int threads) {
             return map<double>(p, kQuantiles, threads, [&o](double at) { return o.value(o.law.quantile(at)); });
           })
      .def("stieltjes",
           [](const LawObject& o, const Input<std::complex<double>>& z, int threads) {
             return map<std::complex<double>>(z, kTransforms, threads, [&o](Complex at) { return stieltjes(o, at); });
           })
      .def("nodes", [](const LawObject& o, double tolerance) { return nodes(o, tolerance); })
      .def("outlier", [](const LawObject& o, double spike) { return o.outlier(spike); })
      .def_prop_ro("edges", [](const LawObject& o) { return edges(o); })
      .def_prop_ro("atoms", [](const LawObject& o) { return atoms(o); });
  module.def("semicircle", [](double variance) { return additive(matrix_laws::semicircle(variance)); });
  module.def("marchenko_pastur", [](double kappa, double scale) {
    return additive(matrix_laws::marchenko_pastur({kappa, scale}));
  });
  module.def("product_law", [](double kappa, double scale) {
    return additive(matrix_laws::product_law({kappa, scale}));
  });
  module.def("semicircle_sum", [](const std::string& target, double variance) {
    return sum_law(model::Target::parse(target).spectrum(), variance);
  });
  module.def("target_eigenvalues", [](const std::string& target, std::size_t d, std::uint64_t seed) {
    const BlasThreads kept;
    return array_of(model::Target::parse(target).eigenvalues(d, seed, 0));
  });
  module.def("matrix_values", &matrix_values);
  module.def("softmax_law", &softmax_law);
  module.def("pooling_law", &pooling_law);
}

}  // namespace attnlaw::python
