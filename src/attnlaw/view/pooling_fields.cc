/// The fields of what `pooling` finds.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/view/pooling.h"

namespace attnlaw::view {
namespace {

/// The model, and how the sequences were described.
struct Asked {
  laws::PoolingModel model;
  std::optional<std::string> profile, weights;
  std::optional<std::size_t> length;
};

const base::Description& describe(const Asked*) {
  static const base::Description description{
      "the model by its scalars, and the sequences they follow from",
      {base::flat(&Asked::model), base::field("profile", &Asked::profile, {.doc = "profile as given"}),
       base::field("weights", &Asked::weights, {.doc = "weights as given"}),
       base::field("length", &Asked::length, {.symbol = "L", .doc = "tokens of a sequence"})}};
  return description;
}

Asked asked(const PoolingOutcome& outcome) {
  Asked asked{outcome.prediction.model, {}, {}, {}};
  if (const auto& sequences = outcome.sequences) {
    asked.profile = sequences->profile;
    asked.weights = sequences->weights;
    asked.length = sequences->values.size();
  }
  return asked;
}

/// The weights of sequences beside others.
struct Weights {
  std::vector<double> values;
  laws::PoolingChoices compared;
  double fixed_length_excess = 0;
  std::optional<double> harmonic_crossing;
};

const base::Description& describe(const Weights*) {
  static const base::Description description{
      "the weights of sequences",
      {base::field("values", &Weights::values, {.doc = "one for each position"}),
       base::field("compared", &Weights::compared, {.doc = "beside other weights"}),
       base::field("fixed_length_excess", &Weights::fixed_length_excess,
                   {.doc = "relative excess of the fourth moment at this length"}),
       base::field("harmonic_crossing", &Weights::harmonic_crossing,
                   {.doc = "of a power profile: the decay beyond which harmonic weights beat the mean; null: none"})}};
  return description;
}

std::optional<Weights> weights(const PoolingOutcome& outcome) {
  if (!outcome.sequences) return std::nullopt;
  const laws::PooledSequences& sequences = *outcome.sequences;
  Weights weights{sequences.values,
                  *outcome.choices,
                  laws::fixed_length_excess(outcome.prediction.model.ratios, sequences.scalars),
                  {}};
  if (outcome.power_profile())
    weights.harmonic_crossing = outcome.harmonic_crossing.value_or(std::numeric_limits<double>::quiet_NaN());
  return weights;
}

struct FixedLength {
  laws::FixedLengthLaw law;
  double distance = 0;
};

const base::Description& describe(const FixedLength*) {
  static const base::Description description{
      "the law of sequences of this length",
      {base::flat(&FixedLength::law),
       base::field("distance", &FixedLength::distance, {.doc = "Kolmogorov distance to the law of many tokens"})}};
  return description;
}

std::optional<FixedLength> fixed_length(const PoolingOutcome& outcome) {
  if (!outcome.fixed_length) return std::nullopt;
  return FixedLength{*outcome.fixed_length, outcome.fixed_length_distance()};
}

}  // namespace

const base::Description& describe(const PoolingOutcome*) {
  using O = PoolingOutcome;
  static const base::Description description{
      "what survives of a signal when sequences are pooled",
      {base::figure_of<O>("model", asked, {.doc = "what was asked for"}), base::flat(&O::prediction),
       base::field("nuisance", &O::nuisance, {.doc = "the mean of the vocabulary, if it was not subtracted"}),
       base::figure_of<O>("weights", weights, {.doc = "the weights of sequences"}),
       base::field("density", &O::density, {.doc = "density along the band"}),
       base::figure_of<O>("fixed_length", fixed_length, {.doc = "the law of sequences of this length"}),
       base::field("experiment", &O::experiment, {.doc = "what was simulated"})}};
  return description;
}

}  // namespace attnlaw::view
