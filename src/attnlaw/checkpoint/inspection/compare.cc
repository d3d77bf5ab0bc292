#include "attnlaw/checkpoint/inspection/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "attnlaw/base/counted.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;

double squared_overlap(const MatrixXd& a, const MatrixXd& b) {
  const double inner = a.col(0).dot(b.col(0));
  return inner * inner;
}

std::string name_of(const Layer& layer) {
  return fmt::format("layer {}{}", layer.index, layer.block.empty() ? "" : " of block " + printable(layer.block));
}

std::string heads_of(const Layer& layer) {
  return fmt::format("{} with residual dimensions {} and {}", base::counted(layer.heads, "head"), layer.query_dimension,
                     layer.key_dimension);
}

std::string shape_of(const Layer& layer) { return name_of(layer) + " of " + heads_of(layer); }

bool same_place(const Layer& a, const Layer& b) { return a.index == b.index && a.block == b.block; }

bool same_shape(const Layer& a, const Layer& b) {
  return same_place(a, b) && a.heads == b.heads && a.query_dimension == b.query_dimension &&
         a.key_dimension == b.key_dimension;
}

/// Why a layer cannot be compared with those of a model; empty if it can.
std::string why_not_in(const Model& model, const Layer& layer, const Model& whose) {
  const auto found = std::find_if(model.layers.begin(), model.layers.end(),
                                  [&](const Layer& other) { return same_place(layer, other); });
  if (found == model.layers.end()) return fmt::format("is not among the layers of {}", printable_path(model.file));
  if (same_shape(layer, *found)) return "";
  return fmt::format("has {} in {}, {} in {}", heads_of(layer), printable_path(whose.file), heads_of(*found),
                     printable_path(model.file));
}

/// The layers of the models that not all of them have.
std::vector<std::pair<Layer, Skipped>> layers_apart(const std::vector<Model*>& models) {
  std::vector<std::pair<Layer, Skipped>> apart;
  const auto listed = [&](const Layer& layer) {
    return std::any_of(apart.begin(), apart.end(), [&](const auto& at) { return same_place(at.first, layer); });
  };
  for (const Model* model : models)
    for (const Layer& layer : model->layers)
      for (const Model* other : models)
        if (std::string reason = why_not_in(*other, layer, *model); !reason.empty() && !listed(layer))
          apart.push_back({layer, {name_of(layer), std::move(reason)}});
  return apart;
}

}  // namespace

void keep_common_layers(const std::vector<Model*>& models) {
  const auto apart = layers_apart(models);
  for (Model* model : models) {
    std::vector<Layer> common;
    for (const Layer& layer : model->layers)
      if (std::none_of(apart.begin(), apart.end(), [&](const auto& at) { return same_place(at.first, layer); }))
        common.push_back(layer);
    if (common.empty())
      base::reject("models with a layer in common can be compared: {} {}", apart.front().second.name,
                   apart.front().second.reason);
    model->layers = std::move(common);
    for (const auto& [layer, skipped] : apart) model->skipped.push_back(skipped);
  }
}

void require_same_shape(const Model& before, const Model& after) {
  if (before.layers.size() != after.layers.size())
    base::reject("models of the same shape can be compared: {} has {}, {} has {}", printable_path(before.file),
                 base::counted(before.layers.size(), "layer"), printable_path(after.file),
                 base::counted(after.layers.size(), "layer"));
  for (std::size_t i = 0; i < before.layers.size(); ++i) {
    const Layer &a = before.layers[i], &b = after.layers[i];
    if (!same_shape(a, b))
      base::reject("models of the same shape can be compared: {} has {}, where {} has {}", printable_path(before.file),
                   shape_of(a), printable_path(after.file), shape_of(b));
  }
}

void fill_change(const Factors& given_before, const Factors& given_after, HeadChange& change) {
  if (!given_before.finite() || !given_after.finite()) {
    change.defect = "weights that are not finite";
    return;
  }
  const double left = std::max(binary_scale(given_before.left), binary_scale(given_after.left));
  const double right = std::max(binary_scale(given_before.right), binary_scale(given_after.right));
  const Factors before = given_before.divided(left, right), after = given_after.divided(left, right);
  const RankMeasures first = rank_measures(factored(before.left, before.right, false).singular_values);
  const RankMeasures second = rank_measures(factored(after.left, after.right, false).singular_values);
  if (first.frobenius_norm == 0 || second.frobenius_norm == 0) {
    change.defect = first.frobenius_norm == 0 ? "the map is zero before" : "the map is zero after";
    return;
  }
  // S′ − S is itself a product of two factors, of twice as many rows.
  const RankMeasures difference = rank_measures(
      factored(stacked(after.left, -before.left), stacked(after.right, before.right), false).singular_values);
  change.relative_change = difference.frobenius_norm / first.frobenius_norm;
  change.change_stable_rank = difference.stable_rank;
  change.cosine = inner_product(before, after) / (first.frobenius_norm * second.frobenius_norm);
  const SingularVectors a = leading_vectors(before.left, before.right, 1),
                        b = leading_vectors(after.left, after.right, 1);
  change.left_overlap = squared_overlap(a.left, b.left);
  change.right_overlap = squared_overlap(a.right, b.right);
  change.norm_before = first.frobenius_norm * left * right;
  change.norm_after = second.frobenius_norm * left * right;
  change.stable_rank_before = first.stable_rank;
  change.stable_rank_after = second.stable_rank;
}

std::vector<HeadChange> compare(const Model& before, const Model& after, const InspectOptions& options,
                                const std::function<void(int, int)>& progress) {
  require_same_shape(before, after);
  const std::vector<Place> places = places_of(before);
  std::vector<HeadChange> changes;
  for (const auto& [layer, head] : places)
    changes.push_back({before.layers[layer].index, head, before.layers[layer].block});
  const Maps maps = maps_of(options);
  base::parallel_for(
      changes.size(), options.threads,
      [&](std::size_t i) {
        const Layer &first = before.layers[places[i].layer], &second = after.layers[places[i].layer];
        HeadChange& change = changes[i];
        try {
          fill_change(factors_of(read_head(before, first, change.head, maps), first, before, options),
                      factors_of(read_head(after, second, change.head, maps), second, after, options), change);
        } catch (const std::bad_alloc&) {
          throw;
        } catch (const std::exception& error) {
          if (!options.keep_going) throw;
          change = {change.layer, change.head, change.block, error.what()};
        }
      },
      progress);
  return changes;
}

}  // namespace attnlaw::checkpoint
