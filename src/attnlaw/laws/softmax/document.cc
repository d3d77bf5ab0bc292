#include "attnlaw/laws/softmax/document.h"

#include <nlohmann/json.hpp>
#include <span>

#include "attnlaw/base/names.h"

namespace attnlaw::laws {
namespace {

nlohmann::json estimate(const base::Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", estimate.standard_error}};
}

nlohmann::json estimates(std::span<const base::Estimate> all) {
  nlohmann::json document = nlohmann::json::array();
  for (const base::Estimate& one : all) document.push_back(estimate(one));
  return document;
}

}  // namespace

const char* name(TokenModel tokens) { return tokens == TokenModel::gaussian ? "gaussian" : "orthonormal"; }

const char* name(Refinement refinement) {
  static constexpr base::Named<Refinement> kRefinements[] = {
      {Refinement::tail, "tail"}, {Refinement::head, "head"}, {Refinement::none, "none"}};
  return base::name_in(kRefinements, refinement);
}

nlohmann::json to_json(const SoftmaxParameters& parameters) {
  return {
      {"beta", parameters.beta}, {"rho", parameters.rho}, {"tokens", name(parameters.tokens)}, {"tau", parameters.tau}};
}

nlohmann::json to_json(const SoftmaxLaw& law) {
  nlohmann::json bands = nlohmann::json::array();
  for (const SoftmaxLaw::Band& band : law.bands())
    bands.push_back({{"lower", band.support.lower}, {"upper", band.support.upper}, {"mass", band.mass}});
  return {{"entry_variance", law.model().variance()},
          {"noise", law.model().noise},
          {"moments", law.moments()},
          {"bands", bands},
          {"edge", law.edge()},
          {"edge_parameter", law.edge_parameter()},
          {"density_at_zero", law.density_at_zero()},
          {"law_error", law.squared().quadrature().error()}};
}

nlohmann::json to_json(const SoftmaxLaw::Curve& curve) { return {{"s", curve.s}, {"density", curve.density}}; }

nlohmann::json to_json(const MarchenkoPasturDistance& distance) {
  return {{"edge", distance.edge},
          {"kolmogorov", distance.kolmogorov},
          {"wasserstein", distance.wasserstein},
          {"wasserstein_squared", distance.wasserstein_squared}};
}

nlohmann::json to_json(const FiniteSize& size) {
  return {{"length", size.length},
          {"head_dimension", size.dimensions.head},
          {"embedding_dimension", size.dimensions.embedding},
          {"tail_share", size.tail_share},
          {"bulk_from", size.bulk_from},
          {"edge_from", size.edge_from},
          {"bulk_visible", size.bulk_visible},
          {"edge_visible", size.edge_visible},
          {"mean", size.mean},
          {"second_order_ratio", size.second_order_ratio},
          {"tail_distance", size.tail_distance},
          {"head_distance", size.head_distance},
          {"expected_kolmogorov", size.expected_kolmogorov}};
}

nlohmann::json to_json(const AttentionSimulation& simulation, const AttentionComparison& comparison) {
  nlohmann::json instances = nlohmann::json::array();
  for (const AttentionInstance& instance : simulation.instances)
    instances.push_back({{"moments", instance.moments},
                         {"trimmed_moments", instance.trimmed_moments},
                         {"leading_excess", instance.leading_singular_value - 1},
                         {"largest", instance.singular_values.back()},
                         {"seconds", instance.seconds}});
  return {{"length", simulation.length},
          {"head_dimension", simulation.head_dimension},
          {"embedding_dimension", simulation.embedding_dimension},
          {"rho", simulation.parameters.rho},
          {"tau", simulation.parameters.tau},
          {"instances", instances},
          {"moments", estimates(comparison.moments)},
          {"trimmed_moments", estimates(comparison.trimmed_moments)},
          {"leading_excess", estimate(comparison.leading_excess)},
          {"largest", estimate(comparison.largest)},
          {"kolmogorov", comparison.kolmogorov},
          {"kolmogorov_marchenko_pastur", comparison.marchenko_pastur},
          {"singular_values", comparison.singular_values}};
}

}  // namespace attnlaw::laws
