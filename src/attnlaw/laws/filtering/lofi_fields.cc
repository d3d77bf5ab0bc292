/// Describes the fields of layer-wise spectral filtering: options, theory, and what was found.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/filtering/simulation.h"

namespace attnlaw::laws {
namespace {

using base::figure_of;
using base::kPositive;

constexpr base::Named<Kept> kKept[] = {{Kept::above, "above the bulk"},
                                       {Kept::stacked, "outputs together"},
                                       {Kept::below, "below the bulk"},
                                       {Kept::degree_one, "degree one"}};
/// The number of ReLU features that a readout may have.
constexpr base::Range kLift{1, 10000};

/// A feature as one of its layer, with the number of its output if that matters.
struct FeatureOfLayer {
  LofiFeature feature;
  std::optional<int> output;
};

const base::Description& describe(const FeatureOfLayer*) {
  static const base::Description description{
      "a direction that is kept",
      {base::flat(&FeatureOfLayer::feature),
       base::field("output", &FeatureOfLayer::output, {.doc = "of degree one: whose, from 1, if there are several"})}};
  return description;
}

std::vector<FeatureOfLayer> features_of(const FilteredLayer& layer) {
  std::vector<FeatureOfLayer> features;
  for (const LofiFeature& feature : layer.features) {
    const bool of_output = layer.stacked && feature.kept == Kept::degree_one;
    features.push_back({feature, of_output ? std::optional(feature.output + 1) : std::nullopt});
  }
  return features;
}

struct NamedLayer {
  std::string name;
  FilteredLayer layer;
};

const base::Description& describe(const NamedLayer*) {
  static const base::Description description{
      "a layer with its name",
      {base::field("name", &NamedLayer::name, {.doc = "whose operator it is"}), base::flat(&NamedLayer::layer)}};
  return description;
}

std::vector<NamedLayer> layers_of(const LofiResult& result) {
  std::vector<NamedLayer> layers;
  for (const auto& [name, layer] : result.layers()) layers.push_back({name, *layer});
  return layers;
}

}  // namespace

std::span<const base::Named<Kept>> names_table(Kept) { return kKept; }

const base::Description& describe(const FilterOptions*) {
  static const base::Description description{
      "what is kept",
      {base::field("significance", &FilterOptions::significance,
                   {.range = {0, 1, true}, .doc = "keep directions that noise makes less often"}),
       base::field("permutations", &FilterOptions::permutations,
                   {.range = {0}, .doc = "of the labels, for p-values of features that are not white"})}};
  return description;
}

const base::Description& describe(const LofiOptions*) {
  using O = LofiOptions;
  static const base::Description description{
      "how to filter, and what to read out",
      {base::flat(&O::filter),
       base::field("clip", &O::clip,
                   {.range = kPositive, .doc = "labels of data beyond this many standard deviations are clipped"}),
       base::custom<O>(
           "no_leap", {base::Kind::flag}, [](const O& options) { return nlohmann::json(!options.leap); },
           [](O& options, const nlohmann::json& value) { options.leap = !base::read_flag(value, "no_leap"); },
           {.doc = "do not look again through y times the features found"}),
       base::field("lift", &O::lift, {.range = kLift, .doc = "ReLU features of a readout"}),
       base::field("lazy", &O::lazy,
                   {.doc = "also read out fixed kernels: random ReLU features and the kernel of degree 2"}),
       base::field("lazy_lift", &O::lazy_lift, {.range = kLift, .doc = "ReLU features of the lazy readout"}),
       base::field("published", &O::published,
                   {.doc = "also the published recipe: fully connected, and its kernel limit to n = 3000"}),
       base::field("patches", &O::patches,
                   {.range = {1},
                    .doc = "with published: features are N patches of equal size; its convolution",
                    .otherwise = "none"})}};
  return description;
}

const base::Description& describe(const LofiFeature*) {
  using F = LofiFeature;
  static const base::Description description{
      "a direction that is kept",
      {base::field("kept", &F::kept, {.doc = "why"}),
       base::field("eigenvalue", &F::eigenvalue, {.doc = "eigenvalue or singular value of the operator"}),
       base::field("p_value", &F::p_value, {.doc = "how often noise makes it"}),
       figure_of<F>(
           "direction",
           [](const F& feature) { return std::vector<double>(feature.direction.begin(), feature.direction.end()); },
           {.doc = "unit vector, of data"})
           .when([](const F& feature) { return feature.direction.size() > 0; })}};
  return description;
}

const base::Description& describe(const FilteredLayer*) {
  using L = FilteredLayer;
  static const base::Description description{
      "the label-weighted operator of one layer",
      {base::field("samples", &L::samples, {.symbol = "n", .doc = "samples"}),
       base::field("dimension", &L::dimension, {.doc = "dimension of the features"}),
       figure_of<L>("edges",
                    [](const L& layer) {
                      return std::vector{layer.lower_edge, layer.upper_edge};
                    },
                    {.doc = "of the bulk of white noise"}),
       figure_of<L>("kept_beyond",
                    [](const L& layer) {
                      return std::vector{layer.lower_threshold, layer.upper_threshold};
                    },
                    {.doc = "the two thresholds"}),
       figure_of<L>("smallest", [](const L& layer) { return layer.eigenvalues.front(); }, {.doc = "least eigenvalue"}),
       figure_of<L>("largest", [](const L& layer) { return layer.eigenvalues.back(); }, {.doc = "largest eigenvalue"}),
       figure_of<L>("features", features_of, {.doc = "what is kept"})}};
  return description;
}

const base::Description& describe(const LofiReadout*) {
  using R = LofiReadout;
  static const base::Description description{
      "a readout",
      {base::field("name", &R::name, {.doc = "depth or kernel"}),
       base::field("inputs", &R::inputs, {.doc = "features below the lift"}),
       base::field("test_error", &R::test_error, {.doc = "over the variance of the labels"}),
       base::field("validation_error", &R::validation_error, {.doc = "the same by the ridge regression's own check"}),
       base::field("penalty", &R::penalty, {.doc = "of the ridge regression"}),
       base::field("output_errors", &R::output_errors, {.doc = "test errors of several outputs"})
           .when([](const R& readout) { return !readout.output_errors.empty(); })}};
  return description;
}

const base::Description& describe(const LofiResult*) {
  using R = LofiResult;
  static const base::Description description{
      "layers and readouts",
      {figure_of<R>("layers", layers_of, {.doc = "operators, and what is kept of them"}),
       base::field("readouts", &R::readouts, {.doc = "errors by depth"}),
       base::field("whiteness", &R::whiteness,
                   {.doc = "largest eigenvalue of the covariance of the features over that of white ones"})}};
  return description;
}

const base::Description& describe(const LofiPrediction*) {
  using P = LofiPrediction;
  static const base::Description description{
      "a relevant direction",
      {base::field("group", &P::group, {.doc = "2: seen by the leap step alone"}),
       base::field("end", &P::end, {.doc = "where it emerges"}),
       base::field("threshold", &P::threshold, {.doc = "samples from which on it is seen; null: never"}),
       base::field("wide_threshold", &P::wide_threshold, {.doc = "d E T²/θ²; null: never"}),
       base::field("eigenvalue", &P::eigenvalue, {.doc = "at this n; the edge if hidden"}),
       base::field("overlap", &P::overlap, {.doc = "squared, at this n; 0 if hidden"})}};
  return description;
}

const base::Description& describe(const LofiTheory*) {
  using T = LofiTheory;
  static const base::Description description{
      "what the theory says",
      {figure_of<T>("edges",
                    [](const T& theory) {
                      return std::vector{theory.lower_edge, theory.upper_edge};
                    },
                    {.doc = "of the bulk"}),
       base::field("directions", &T::directions, {.doc = "in order of emergence, group by group"}),
       base::field("mean_overlap", &T::mean_overlap, {.doc = "of the first group"}),
       base::field("kernel_threshold", &T::kernel_threshold, {.doc = "samples that a fixed kernel of degree 2 needs"}),
       base::field("kernel_plateau", &T::kernel_plateau, {.doc = "and the error at which it stays, or null"}),
       figure_of<T>(
           "depth_two_error",
           [](const T& theory) { return theory.depth_two_error.value_or(std::numeric_limits<double>::quiet_NaN()); },
           {.doc = "test error that depth 2 leaves, or null"})}};
  return description;
}

const base::Description& describe(const LofiMeasurement*) {
  using M = LofiMeasurement;
  static const base::Description description{
      "one draw",
      {base::flat(&M::result), base::field("seen", &M::seen, {.doc = "directions kept at either end"}),
       base::field("mean_overlap", &M::mean_overlap, {.doc = "‖P̂U‖²_F/r of the first group"}),
       base::field("feature_overlaps", &M::feature_overlaps,
                   {.doc = "squared, of each feature of the first layer with the relevant coordinates"}),
       base::field("leap_overlap", &M::leap_overlap, {.doc = "‖P̂U‖²_F/r of the second group"})}};
  return description;
}

}  // namespace attnlaw::laws
