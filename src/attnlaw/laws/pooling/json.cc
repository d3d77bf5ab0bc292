#include "attnlaw/laws/pooling/json.h"

#include <nlohmann/json.hpp>

#include "attnlaw/base/names.h"

namespace attnlaw::laws {
namespace {

using nlohmann::json;

json level_json(const PoolingLevel& level) {
  json document = to_json(level.spike);
  document["threshold"] = level.threshold;
  document["s"] = level.s;
  document["alignment"] = level.alignment;
  return document;
}

json choice_json(const PoolingChoice& choice) {
  const PoolingScalars& scalars = choice.scalars;
  return {{"alpha_pool", scalars.alpha},
          {"kappa_pool", scalars.kappa},
          {"sum", scalars.sum},
          {"ratio", scalars.ratio()},
          {"threshold", choice.threshold}};
}

json spike_json(const MeasuredSpike& spike) {
  return {{"eigenvalue", spike.eigenvalue}, {"alignment", spike.alignment}};
}

json measurement_json(const PoolingMeasurement& measurement) {
  json document = spike_json(measurement.measured);
  document["theory"] = spike_json(measurement.theory);
  document["theory"]["place"] = name(measurement.place);
  return document;
}

json instance_json(const PoolingInstance& instance) {
  json document{{"seed", instance.seed},
                {"table", measurement_json(instance.table)},
                {"population", measurement_json(instance.population)},
                {"sample", measurement_json(instance.sample)},
                {"kolmogorov_distance", instance.kolmogorov_distance},
                {"q2", instance.q2},
                {"alpha_pool", instance.alpha}};
  if (instance.nuisance) document["nuisance"] = measurement_json(*instance.nuisance);
  return document;
}

json estimate_json(const base::Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", estimate.standard_error}};
}

void add_summary(json& document, const char* level, const PoolingSummary& summary) {
  document["mean"][level] = {{"eigenvalue", summary.eigenvalue.value}, {"alignment", summary.alignment.value}};
  document["standard_error"][level] = {{"eigenvalue", summary.eigenvalue.standard_error},
                                       {"alignment", summary.alignment.standard_error}};
  document["difference"][level] = {{"eigenvalue", estimate_json(summary.eigenvalue_difference)},
                                   {"alignment", estimate_json(summary.alignment_difference)}};
}

}  // namespace

const char* name(Place place) {
  static constexpr base::Named<Place> kPlaces[] = {
      {Place::above, "above"}, {Place::gap, "gap"}, {Place::hidden, "hidden"}};
  return base::name_in(kPlaces, place);
}

json to_json(const Spike& spike) {
  return {{"place", name(spike.place)}, {"eigenvalue", spike.eigenvalue}, {"overlap", spike.overlap}};
}

json to_json(const PoolingPrediction& prediction) {
  const PoolingModel& model = prediction.model;
  json moments = json::array();
  constexpr int kMoments = 4;
  double scale = 1;
  for (int n = 1; n <= kMoments; ++n) moments.push_back(pooling_moment(model.ratios, n) * (scale *= model.kappa_pool));
  return {{"model",
           {{"delta", model.ratios.delta},
            {"gamma", model.ratios.gamma},
            {"mu2", model.mu2},
            {"alpha_pool", model.alpha_pool},
            {"kappa_pool", model.kappa_pool}}},
          {"bulk",
           {{"zero_mass", prediction.zero_mass},
            {"edges", json::array({json::array({prediction.band.lower, prediction.band.upper})})},
            {"s_lower", prediction.critical.lower},
            {"s_upper", prediction.critical.upper},
            {"moments", moments}}},
          {"levels",
           {{"table", level_json(prediction.table)},
            {"population", level_json(prediction.population)},
            {"sample", level_json(prediction.sample)}}},
          {"ceiling", prediction.ceiling},
          {"phantom_ratio", prediction.phantom_ratio},
          {"phantom", prediction.phantom()}};
}

json to_json(const FixedLengthLaw& law) {
  return {{"zero_mass", law.zero_mass},
          {"x", law.x},
          {"density", law.density},
          {"cdf", law.cdf},
          {"mass_error", law.mass_error}};
}

json to_json(const PoolingChoices& choices) {
  return {{"given", choice_json(choices.given)},
          {"mean", choice_json(choices.mean)},
          {"harmonic", choice_json(choices.harmonic)},
          {"optimal", choice_json(choices.optimal)},
          {"harmonic_beats_mean", choices.harmonic_beats_mean()}};
}

json to_json(const PoolingExperiment& experiment) {
  json document{{"d", experiment.d},
                {"vocabulary", experiment.vocabulary},
                {"sequences", experiment.sequences},
                {"centred", experiment.centred},
                {"instances", json::array()},
                {"kolmogorov_distance", estimate_json(experiment.kolmogorov_distance)},
                {"eigenvalues", experiment.eigenvalues()}};
  if (experiment.fixed_length_distance)
    document["fixed_length_distance"] = estimate_json(*experiment.fixed_length_distance);
  for (const PoolingInstance& instance : experiment.instances) document["instances"].push_back(instance_json(instance));
  add_summary(document, "table", experiment.table);
  add_summary(document, "population", experiment.population);
  add_summary(document, "sample", experiment.sample);
  if (experiment.nuisance) add_summary(document, "nuisance", *experiment.nuisance);
  return document;
}

}  // namespace attnlaw::laws
