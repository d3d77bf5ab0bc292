/// The fields of what `pooling` finds.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/view/pooling.h"

namespace attnlaw::view {
namespace {

/// The model is asked for together with a description of the sequences.
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

}  // namespace

const base::Description& describe(const PoolingWeights*) {
  using W = PoolingWeights;
  static const base::Description description{
      "the weights of sequences",
      {base::field("values", &W::values, {.doc = "one for each position"}),
       base::field("compared", &W::compared, {.doc = "beside other weights"}),
       base::field("fixed_length_excess", &W::fixed_length_excess,
                   {.doc = "relative excess of the fourth moment at this length"}),
       base::field("harmonic_crossing", &W::harmonic_crossing,
                   {.doc = "of a power profile: the decay beyond which harmonic weights beat the mean; null: none"})}};
  return description;
}

const base::Description& describe(const PoolingFixedLength*) {
  using L = PoolingFixedLength;
  static const base::Description description{
      "the law of sequences of this length",
      {base::inherited<L, laws::FixedLengthLaw>(),
       base::field("distance", &L::distance, {.doc = "Kolmogorov distance to the law of many tokens"})}};
  return description;
}

const base::Description& describe(const PoolingOutcome*) {
  using O = PoolingOutcome;
  static const base::Description description{
      "what survives of a signal when sequences are pooled",
      {base::figure_of<O>("model", asked, {.doc = "what was asked for"}), base::flat(&O::prediction),
       base::field("nuisance", &O::nuisance, {.doc = "the mean of the vocabulary, if it was not subtracted"}),
       base::field("weights", &O::weights, {.doc = "the weights of sequences"}),
       base::field("density", &O::density, {.doc = "density along the band"}),
       base::field("fixed_length", &O::fixed_length, {.doc = "the law of sequences of this length"}),
       base::field("experiment", &O::experiment, {.doc = "what was simulated"}),
       base::evidence_field<O>([](const O&) { return base::Evidence::derived; })}};
  return description;
}

}  // namespace attnlaw::view
