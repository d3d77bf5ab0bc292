/// The fields of comparisons, and the documents that follow from them.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/comparison.h"

namespace attnlaw::study {
namespace {

using Json = nlohmann::json;

/// `document` without the figures that the loss of the problem does not have.
Json of_loss(const model::Problem& problem, Json document) {
  const std::span<const SharedError> has = shared_figures(problem);
  for (const SharedError& figure : kSharedFigures)
    if (std::none_of(has.begin(), has.end(), [&](const SharedError& x) { return x.measured == figure.measured; }))
      document.erase(figure.name);
  return document;
}

/// A figure of every error that theory and experiment share.
template <class Of, class Figure>
Json of_each_error(const model::Problem& problem, const Of& figures, Figure Of::*SharedError::*figure) {
  Json document;
  for (const SharedError& error : kSharedErrors) document[error.name] = base::value_json(figures.*(error.*figure));
  for (const SharedError& error : shared_figures(problem))
    document[error.name] = base::value_json(figures.*(error.*figure));
  return document;
}

Json starts_json(const Comparison& comparison) {
  Json document;
  for (const StartComparison& start : compare_starts(comparison.experiment))
    document[start.name] = base::json_of(start);
  return document;
}

bool started(const Comparison& comparison) { return !compare_starts(comparison.experiment).empty(); }

Json instances_json(const Comparison& comparison) {
  Json instances = Json::array();
  for (std::size_t i = 0; i < comparison.experiment.instances.size(); ++i)
    instances.push_back(
        to_json(comparison.experiment.problem, comparison.experiment.instances[i], comparison.instance_theory[i]));
  return instances;
}

/// Figures over instances that the loss of the problem has.
base::FieldOf<Comparison> averages(const char* name, experiment::Measurements experiment::Experiment::*figures,
                                   const char* doc) {
  const auto document = [figures](const Comparison& comparison) {
    return of_loss(comparison.experiment.problem, base::json_of(comparison.experiment.*figures));
  };
  return base::custom<Comparison>(name, base::type_of<experiment::Measurements>(), document, nullptr, {.doc = doc});
}

Json difference_json(const Comparison& comparison) {
  return of_each_error(comparison.experiment.problem, comparison.difference, &SharedError::difference);
}

base::Type list_of(base::Type item) {
  return {base::Kind::list, {}, nullptr, std::make_shared<const base::Type>(std::move(item))};
}

}  // namespace

const base::Description& describe(const StartComparison*) {
  using S = StartComparison;
  static const base::Description description{
      "a figure of the spectral starts",
      {base::field("predicted", &S::predicted, {.doc = "by the theory on the targets drawn"}),
       base::field("measured", &S::measured, {.doc = "over instances"}),
       base::field("difference", &S::difference, {.doc = "measured − predicted, instance by instance"})}};
  return description;
}

const base::Description& describe(const Prediction*) {
  static const base::Description description = [] {
    base::Description made{"errors that the theory predicts", {}};
    const auto add = [&](const SharedError& error) {
      const auto& measured = base::detail::description_of<experiment::Measurements>();
      made.fields.push_back(base::field(error.name, error.predicted, find_field(measured, error.name)->about));
    };
    for (const SharedError& error : kSharedErrors) add(error);
    for (const SharedError& error : kSharedFigures) add(error);
    return made;
  }();
  return description;
}

const base::Description& describe(const PredictedInstance*) {
  using P = PredictedInstance;
  static const base::Description description{
      "one target, one data set, one student, and what the theory says of them",
      {base::inherited<P, experiment::Instance>(),
       base::field("theory", &P::theory, {.doc = "on its own target"}).nested(base::Nesting::prefixed)}};
  return description;
}

const base::Description& describe(const Extrapolated*) {
  static const base::Description description{"a difference between experiment and theory",
                                             {base::inherited<Extrapolated, Estimate>(),
                                              base::field("z", &Extrapolated::z, {.doc = "standard errors off zero"})}};
  return description;
}

const base::Description& describe(const PartsComparison*) {
  using P = PartsComparison;
  static const base::Description description{
      "the estimation error by its origin, predicted and measured",
      {base::field("theory", &P::theory, {.doc = "on the eigenvalues of all targets drawn together"}),
       base::field("mean", &P::mean, {.doc = "measured, over instances"}),
       base::field("standard_error", &P::standard_error, {.doc = "of the means; null for one instance"})}};
  return description;
}

const base::Description& describe(const Comparison*) {
  using C = Comparison;
  static const base::Description description{
      "experiments at one d beside the theory of the targets drawn",
      {base::figure_of<C>("d", [](const C& c) { return c.experiment.d; }, {.doc = "embedding dimension"}),
       base::figure_of<C>("n", [](const C& c) { return c.experiment.n; }, {.doc = "training sequences"}),
       base::custom<C>("instances", list_of(base::type_of<PredictedInstance>()), instances_json, nullptr,
                       {.doc = "one by one"}),
       averages("mean", &experiment::Experiment::mean, "over instances"),
       averages("standard_error", &experiment::Experiment::standard_error, "of the means; null for one instance"),
       base::field("theory", &C::theory, {.doc = "on the eigenvalues of all targets drawn together"}),
       base::custom<C>("difference", {base::Kind::object}, difference_json, nullptr,
                       {.doc = "by error: mean of (experiment − theory)/theory over instances, of order 1/d"}),
       base::field("estimation_parts", &C::estimation_parts,
                   {.doc = "estimation by its origin; of power laws and spikes whose modes are learned one by one"}),
       base::custom<C>("start", {base::Kind::object}, starts_json, nullptr,
                       {.doc = "with init spectral, by figure: of the start, beside its theory"})
           .when(started),
       base::figure("converged", &C::converged, {.doc = "every instance trained and every theory solved"})}};
  return description;
}

nlohmann::json to_json(const model::Problem& problem, const experiment::Instance& instance,
                       const Prediction& predicted) {
  Json document = of_loss(problem, base::json_of(instance));
  document["iterations"] = static_cast<long long>(instance.iterations);
  document["theory"] = of_each_error(problem, predicted, &SharedError::predicted);
  return document;
}

nlohmann::json to_json(const model::Problem& problem, const Extrapolation& extrapolation) {
  return of_each_error(problem, extrapolation, &SharedError::extrapolated);
}

}  // namespace attnlaw::study
