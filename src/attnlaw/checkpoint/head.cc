#include "attnlaw/checkpoint/head.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/index.h"
#include "attnlaw/checkpoint/tensor/refuse.h"
#include "attnlaw/checkpoint/weights.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Gives the pages of a layer's tensors back, so that the memory of a model does not pile up with its layers.
void release(const LayerPlan& plan) {
  for (const Projection* map : {&plan.query, &plan.key, &plan.value, &plan.output})
    if (map->weight != nullptr && map->weight->unpacked == nullptr && map->weight->type != nullptr)
      map->weight->file->release(map->weight->bytes);
}

/// Returns `rows` output coordinates of a map as rows: the head's part of [out, in].
MatrixXd rows_of(const Projection& map, Index first, Index rows) {
  const Tensor& weight = *map.weight;
  if (map.storage == Storage::output_first) return decode(weight, {first, rows, 0, weight.columns()});
  if (map.storage == Storage::input_first) return decode(weight, {0, weight.rows(), first, rows}).transpose();
  // [H, in, m] as the matrix (H) × (in·m): the head is a row.
  const MatrixXd head = decode(weight, {first / rows, 1, 0, weight.columns()});
  return Eigen::Map<const MatrixXd>(head.data(), rows, map.inputs());
}

/// Returns `columns` input coordinates of the output map as rows: W_O of the head, transposed.
MatrixXd columns_of(const Projection& map, Index first, Index columns) {
  const Tensor& weight = *map.weight;
  if (map.storage == Storage::output_first) return decode(weight, {0, weight.rows(), first, columns}).transpose();
  if (map.storage == Storage::input_first) return decode(weight, {first, columns, 0, weight.columns()});
  const MatrixXd head = decode(weight, {first / columns, 1, 0, weight.columns()});
  return Eigen::Map<const MatrixXd>(head.data(), static_cast<Index>(weight.shape.back()), columns).transpose();
}

VectorXd bias_of(const Projection& map, Index first, Index rows) {
  return map.bias == nullptr ? VectorXd() : VectorXd(decode_vector(*map.bias).segment(first, rows));
}

/// x = gain ∘ x̂ + shift in front of the map moves into it: W → W diag(gain), b → b + W shift; a norm that centres also
/// leaves W (1 − 11ᵀ/d) unchanged on x̂.
void fold(const LayerPlan& plan, MatrixXd& map, VectorXd& bias) {
  if (plan.gain == nullptr) return;
  if (plan.shift != nullptr) {
    const VectorXd moved = map * decode_vector(*plan.shift);
    bias = bias.size() == 0 ? moved : VectorXd(bias + moved);
  }
  VectorXd gain = decode_vector(*plan.gain);
  if (plan.norm == Norm::rms_plus_one) gain.array() += 1;
  map = map * gain.asDiagonal();
  if (plan.norm == Norm::layer) map.colwise() -= VectorXd(map.rowwise().mean());
}

/// The gain of a normalisation per head multiplies the coordinates of the head.
void fold_head_gain(const LayerPlan& plan, const Tensor* tensor, int head, MatrixXd& map, VectorXd& bias) {
  if (tensor == nullptr) return;
  const VectorXd all = decode_vector(*tensor);
  const Index m = plan.head_dimension;
  VectorXd gain = all.size() == m ? all : VectorXd(all.segment(head * m, m));
  if (plan.norm == Norm::rms_plus_one) gain.array() += 1;
  map = gain.asDiagonal() * map;
  if (bias.size() > 0) bias = gain.cwiseProduct(bias);
}

/// Where entry (i, j) of rows_of(map, first, rows) lies in its tensor, as a count of numbers.
Index place_of_row(const Projection& map, Index first, Index rows, Index i, Index j) {
  const Index columns = map.weight->columns();
  if (map.storage == Storage::output_first) return (first + i) * columns + j;
  if (map.storage == Storage::input_first) return j * columns + first + i;
  return first / rows * columns + i + rows * j;
}

/// Where entry (i, j) of columns_of(map, first, columns) lies.
Index place_of_column(const Projection& map, Index first, Index columns, Index i, Index j) {
  const Index length = map.weight->columns();
  if (map.storage == Storage::output_first) return j * length + first + i;
  if (map.storage == Storage::input_first) return (first + i) * length + j;
  return first / columns * length + j + static_cast<Index>(map.weight->shape.back()) * i;
}

/// The indices of a number that is the `place`-th of a tensor, the last axis running fastest: "[3, 17]".
std::string index_text(const Tensor& tensor, Index place) {
  std::vector<std::size_t> index(tensor.shape.size());
  auto left = base::size(place);
  for (std::size_t axis = index.size(); axis-- > 0; left /= tensor.shape[axis]) index[axis] = left % tensor.shape[axis];
  return fmt::format("[{}]", fmt::join(index, ", "));
}

/// Returns what is said of entries that are not finite; empty if all are. `place(i, j)`: where an entry lies.
template <class Place>
std::string defect_of(const Tensor& tensor, const MatrixXd& map, const Place& place) {
  if (map.allFinite()) return "";
  const Index count = map.size() - map.array().isFinite().count();
  Index first = std::numeric_limits<Index>::max();
  for (Index j = 0; j < map.cols(); ++j)
    for (Index i = 0; i < map.rows(); ++i)
      if (!std::isfinite(map(i, j))) first = std::min(first, place(i, j));
  const std::string file = tensor.file ? printable_path(tensor.file->path()) + ": " : "";
  return fmt::format("{}{}: {} of {} weights of the head are not finite, the first at {} of {}", file,
                     printable(tensor.name), count, map.size(), index_text(tensor, first), tensor.shape_text());
}

std::string defect_of_rows(const Projection& map, Index first, const MatrixXd& rows) {
  return defect_of(*map.weight, rows, [&](Index i, Index j) { return place_of_row(map, first, rows.rows(), i, j); });
}
std::string defect_of_columns(const Projection& map, Index first, const MatrixXd& columns) {
  return defect_of(*map.weight, columns,
                   [&](Index i, Index j) { return place_of_column(map, first, columns.rows(), i, j); });
}

void read_query_key(const LayerPlan& plan, Head& head) {
  const Index m = plan.head_dimension;
  const Index query_row = plan.query_row(head.head), key_row = plan.key_row(head.key_head);
  head.query = rows_of(plan.query, query_row, m);
  head.key = rows_of(plan.key, key_row, m);
  head.query_bias = bias_of(plan.query, query_row, m);
  head.key_bias = bias_of(plan.key, key_row, m);
  head.defect = defect_of_rows(plan.query, query_row, head.query);
  if (head.defect.empty()) head.defect = defect_of_rows(plan.key, key_row, head.key);
  fold_head_gain(plan, plan.query_gain, head.head, head.query, head.query_bias);
  fold_head_gain(plan, plan.key_gain, head.key_head, head.key, head.key_bias);
}

void read_values(const LayerPlan& plan, Head& head) {
  if (plan.value.weight == nullptr || plan.output.weight == nullptr) return;
  const Index m = plan.value_dimension;
  const Index value_row = plan.value_row(head.key_head);
  head.value = rows_of(plan.value, value_row, m);
  head.output = columns_of(plan.output, head.head * m, m);
  if (head.defect.empty()) head.defect = defect_of_rows(plan.value, value_row, head.value);
  if (head.defect.empty()) head.defect = defect_of_columns(plan.output, head.head * m, head.output);
}

}  // namespace

Head read_stored_head(const Model& model, const Layer& layer, int head, Maps maps) {
  const LayerPlan& plan = model.weights->plans.at(layer.position);
  Head result;
  result.layer = layer.index;
  result.head = head;
  result.key_head = layer.key_head(head);
  result.block = layer.block;
  if (model.product_only) {
    result.query = MatrixXd::Identity(plan.head_dimension, plan.head_dimension);
    result.key = decode(*plan.key.weight);
    result.defect =
        defect_of(*plan.key.weight, result.key, [&](Index i, Index j) { return i * result.key.cols() + j; });
    return result;
  }
  read_query_key(plan, result);
  if (maps == Maps::all) read_values(plan, result);
  // Maps that lie across all pages are read once for the layer, not once for each head.
  if (head + 1 == layer.heads) release(plan);
  return result;
}

void fold_normalisation(const Model& model, const Layer& layer, Head& head) {
  const LayerPlan& plan = model.weights->plans.at(layer.position);
  if (model.product_only) return;
  fold(plan, head.query, head.query_bias);
  // The keys and values of cross-attention are not behind this normalisation.
  if (plan.cross()) return;
  fold(plan, head.key, head.key_bias);
  VectorXd none;
  if (head.value.size() > 0) fold(plan, head.value, none);
}

Head read_head(const Model& model, const Layer& layer, int head, Maps maps) {
  Head result = read_stored_head(model, layer, head, maps);
  if (model.folded) fold_normalisation(model, layer, result);
  return result;
}

void visit_heads(const Model& model, const std::function<void(std::vector<Head>&& layer)>& visit, Maps maps) {
  for (const Layer& layer : model.layers) {
    std::vector<Head> heads;
    for (int head = 0; head < layer.heads; ++head) heads.push_back(read_head(model, layer, head, maps));
    visit(std::move(heads));
  }
}

}  // namespace attnlaw::checkpoint
