#include "attnlaw/checkpoint/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <stdexcept>

#include "attnlaw/base/counted.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/layout/attributes.h"
#include "attnlaw/checkpoint/layout/recognise.h"
#include "attnlaw/checkpoint/source.h"
#include "attnlaw/checkpoint/tensor/refuse.h"
#include "attnlaw/checkpoint/weights.h"

namespace attnlaw::checkpoint {
namespace {

using base::reject;

/// The rows of the table that the options leave, or a row made of them.
std::vector<Layout> rows_of(const OpenOptions& options, bool files, const Weights& weights) {
  std::vector<Layout> rows;
  for (const Layout& row : layouts())
    if (options.layout.empty() || row.name == options.layout) rows.push_back(row);
  if (options.query.empty() || files) return rows;
  Layout by_hand = options.layout.empty() ? Layout{.name = "by hand"} : rows.front();
  by_hand.stem = by_hand.fused = by_hand.value = by_hand.output = "";
  by_hand.query = weights.query;
  by_hand.key = weights.key;
  by_hand.fusing = Fusing::separate;
  return {by_hand};
}

/// Whether the format holds arrays without a model around them.
bool holds_arrays(const Contents& contents) { return contents.format == "npy" || contents.format == "npz"; }

/// Bare arrays say by their shapes alone which axis is which, and how many heads there are. What is turned is noted.
void orient_arrays(LayerPlan& plan, GivenHeads& given, Model& model) {
  const auto rows = [](const Projection& map) { return map.weight->rows(); };
  const auto columns = [](const Projection& map) { return map.weight->columns(); };
  Projection &query = plan.query, &key = plan.key;
  const bool undecided = query.storage == Storage::output_first && !query.weight->input_first;
  const bool only_rows_agree = columns(query) != columns(key) && rows(query) == rows(key);
  const bool tall = given.heads <= 1 && rows(query) > columns(query) && rows(key) > columns(key);
  const bool turned = undecided && (only_rows_agree || tall);
  if (turned && only_rows_agree && columns(query) % columns(key) != 0)
    refuse(model.file,
           "{} is {} and {} is {}: rows of queries and of keys must be as long as the residual vector, or {}",
           printable(query.weight->name), query.weight->shape_text(), printable(key.weight->name),
           key.weight->shape_text(), "the columns of keys divide those of queries");
  if (turned) {
    for (Projection* map : {&query, &key, &plan.value, &plan.output}) map->storage = Storage::input_first;
    model.notes.push_back(
        fmt::format("Arrays of shapes {} and {} are taken as [in, out]: columns are coordinates of heads.",
                    query.weight->shape_text(), key.weight->shape_text()));
  }
  const bool one_head = query.outputs() == key.outputs() && query.outputs() < query.inputs();
  if (given.heads == 0 && one_head) given.heads = 1;
}

/// A single matrix in an array file is the map itself; returns its tensor, or null.
const Tensor* single_matrix(const Contents& contents) {
  if (!holds_arrays(contents) || contents.tensors().size() != 1) return nullptr;
  const Tensor& tensor = contents.tensors().front();
  if (tensor.shape.size() != 2 || tensor.rows() != tensor.columns() || tensor.rows() == 0)
    refuse(contents.path, "{} is {}: one array alone must be the square map S of queries and keys",
           printable(tensor.name), tensor.shape_text());
  return &tensor;
}

std::string why_no_folding(const LayerPlan& plan) {
  if (plan.norm == Norm::behind)
    return "the normalisation stands behind the residual sum: queries and keys read its output, and no gain is folded";
  if (plan.norm == Norm::unknown)
    return "the file does not say whether the normalisation stands before or behind the residual sum";
  if (plan.gain == nullptr) return "no normalisation in front of the layer was found";
  return "";
}

Layer layer_of(const LayerPlan& plan, std::size_t position) {
  Layer layer;
  layer.index = plan.index;
  layer.position = position;
  layer.block = plan.block;
  layer.heads = plan.heads;
  layer.key_heads = plan.key_heads;
  layer.head_dimension = static_cast<int>(plan.head_dimension);
  layer.value_dimension = static_cast<int>(plan.value_dimension);
  layer.query_dimension = static_cast<int>(plan.query.inputs());
  layer.key_dimension = static_cast<int>(plan.key.inputs());
  layer.cross = plan.cross();
  layer.has_values = plan.value.weight != nullptr && plan.output.weight != nullptr;
  layer.no_folding = why_no_folding(plan);
  if (layer.no_folding.empty()) layer.normalisation = printable(plan.gain->name);
  layer.query_tensor = printable(plan.query.weight->name);
  layer.key_tensor = printable(plan.key.weight->name);
  return layer;
}

/// Vectors that multiply the maps must have their sizes.
void require_gains(const LayerPlan& plan, const Contents& contents) {
  const auto require = [&](const Tensor* tensor, Eigen::Index a, Eigen::Index b) {
    if (tensor == nullptr) return;
    const Eigen::Index length = tensor->rows() * tensor->columns();
    if (length != a && length != b)
      refuse(contents.path, "{}: a gain of {} numbers is needed, the shape is {}", printable(tensor->name), a,
             tensor->shape_text());
  };
  require(plan.gain, plan.query.inputs(), plan.query.inputs());
  require(plan.shift, plan.query.inputs(), plan.query.inputs());
  require(plan.query_gain, plan.head_dimension, plan.head_dimension * plan.heads);
  require(plan.key_gain, plan.head_dimension, plan.head_dimension * plan.key_heads);
}

/// Of a gain that was asked for and is not there, the reasons with the layers they are those of.
void note_folding(Model& model) {
  std::map<std::string, std::vector<int>> layers;
  for (const Layer& layer : model.layers)
    if (!layer.no_folding.empty()) layers[layer.no_folding].push_back(layer.index);
  for (const auto& [reason, places] : layers)
    model.notes.push_back(fmt::format("No gain is folded into {} of {}, beginning with layer {}: {}.", places.size(),
                                      base::counted(model.layers.size(), "layer"), places.front(), reason));
}

bool looks_like_attention(const Tensor& tensor) {
  if (tensor.shape.size() < 2) return false;
  for (std::string_view word : {"attn", "attention", "q_proj", "k_proj", "qkv", "query", "Attention"})
    if (tensor.name.find(word) != std::string::npos) return true;
  return false;
}

void list_skipped(const Weights& weights, Model& model) {
  std::set<const Tensor*> used;
  std::set<std::string> named;
  for (const LayerPlan& plan : weights.plans) {
    for (const Projection* map : {&plan.query, &plan.key, &plan.value, &plan.output})
      used.insert({map->weight, map->bias});
    used.insert({plan.gain, plan.shift, plan.query_gain, plan.key_gain});
  }
  for (const Skipped& skipped : model.skipped) named.insert(skipped.name);
  for (const Tensor& tensor : weights.contents.tensors())
    if (looks_like_attention(tensor) && !used.contains(&tensor) && !named.contains(printable(tensor.name)))
      model.skipped.push_back({printable(tensor.name),
                               tensor.readable() ? "the layout does not read it"
                                                 : fmt::format("numbers of type {} are not read", tensor.type->name)});
}

/// What of the logits the map of a head does not say.
void note_left_out(const Source& source, const Weights& weights, Model& model) {
  const auto scaled = std::find_if(model.layers.begin(), model.layers.end(),
                                   [](const Layer& layer) { return !layer.rotary.other_angles.empty(); });
  if (scaled != model.layers.end())
    model.notes.push_back(
        fmt::format("Rotary positions: {}. Figures at distance 0 are the same, those of other distances are not made.",
                    scaled->rotary.other_angles));
  if (const auto bound = source.configuration.number({"clip_qkv", "attn_config.clip_qkv"}))
    model.notes.push_back(
        fmt::format("Queries and keys are clipped at ±{:g}: logits are bilinear only where none reaches it.", *bound));
  for (std::size_t i = 0; i < weights.plans.size(); ++i)
    if (weights.plans[i].key.bias != nullptr && model.layers[i].rotary.dimensions > 0) {
      model.notes.emplace_back(
          "Keys have a bias b_K: with rotary positions it adds xᵀ W_Qᵀ R_D b_K, a term of the query and the distance, "
          "to "
          "the logits, which the figures leave out.");
      break;
    }
}

void note_peculiarities(const Source& source, const Weights& weights, const OpenOptions& asked, Model& model) {
  const std::string_view layout = weights.plans.front().layout->name;
  if (layout == "albert")
    model.notes.push_back("ALBERT: all layers of a group share these maps; each group is shown once.");
  if (model.qk_norm)
    model.notes.push_back(
        "Queries and keys are normalised per head: logits are not bilinear; the gains are folded into the maps.");
  const bool unsaid = source.configuration.model().empty() && model.positions == Positions::rotary;
  const Layer& first = model.layers.front();
  if (unsaid)
    model.notes.push_back(
        fmt::format("Without a config.json the rotary positions are assumed: base {}, {} coordinates of {}.",
                    first.rotary.base, first.rotary.dimensions, first.head_dimension));
  if (source.configuration.flag("scale_attn_by_inverse_layer_idx").value_or(false))
    model.notes.push_back("Logits are also divided by the number of the layer, which the logit scale leaves out.");
  note_left_out(source, weights, model);
  if (asked.fold_normalisation) note_folding(model);
  if (model.adapter_alone) model.notes.push_back("The maps are those that the adapter adds, without its base.");
}

Rotary layer_rotary(const LayerPlan& plan, const Contents& contents, const Configuration& configuration) {
  const bool gguf = contents.format == "GGUF";
  if (plan.cross() || positions_of(plan, configuration, gguf) != Positions::rotary) return {};
  Rotary rotary = rotary_of(plan, configuration, gguf);
  for (const char* factors : {"rope_freqs.weight", "rope_factors_long.weight"})
    if (rotary.dimensions > 0 && rotary.other_angles.empty() && contents.find(factors) != nullptr)
      rotary.other_angles = fmt::format("frequencies are scaled (the tensor {})", factors);
  return rotary;
}

void describe(const Source& source, const Weights& weights, Model& model) {
  const LayerPlan& first = weights.plans.front();
  const Configuration configuration = source.configuration.part(first.prefix);
  const bool gguf = weights.contents.format == "GGUF";
  const std::string named = configuration.model();
  model.architecture = named.empty() ? std::string(first.layout->name) : printable(named.substr(0, named.find(':')));
  model.embedding_dimension = static_cast<int>(first.query.inputs());
  model.positions = positions_of(first, configuration, gguf);
  model.logit_scale = logit_scale_of(first, configuration);
  model.logit_cap = configuration.number({"attn_logit_softcapping"}).value_or(0);
  model.qk_norm = first.query_gain != nullptr;
  for (std::size_t i = 0; i < weights.plans.size(); ++i) {
    const LayerPlan& plan = weights.plans[i];
    model.layers.push_back(layer_of(plan, i));
    model.layers.back().rotary = layer_rotary(plan, weights.contents, source.configuration.part(plan.prefix));
  }
}

void open_single_matrix(const Tensor& tensor, const OpenOptions& options, Weights& weights, Model& model) {
  if (options.heads > 1) reject("{}: one matrix is the map of one head, got heads = {}", model.file, options.heads);
  if (!options.query.empty() || !options.layout.empty())
    reject("{}: one matrix is the map itself; q, k and layout are for a file with queries and keys", model.file);
  weights.rows = {{.name = "matrix"}};
  LayerPlan plan;
  plan.layout = &weights.rows.front();
  plan.query.weight = plan.key.weight = &tensor;
  plan.heads = plan.key_heads = 1;
  plan.head_dimension = plan.value_dimension = tensor.rows();
  weights.plans.push_back(plan);
  model.product_only = true;
  model.notes.push_back(
      "The file is one matrix, which is taken as the map S of one head: nulls are about factors, and it has none.");
}

/// Skips the layers that are not complete, with the reason; throws that of the first if none is.
template <class Complete>
void keep_complete(const Complete& complete, std::vector<LayerPlan>& plans, std::vector<Skipped>& skipped) {
  std::vector<LayerPlan> kept;
  std::exception_ptr first;
  const auto skip = [&](const LayerPlan& plan, const std::exception& error) {
    if (!first) first = std::current_exception();
    skipped.push_back({printable(plan.query.weight->name), error.what()});
  };
  for (LayerPlan& plan : plans) {
    try {
      complete(plan);
      kept.push_back(std::move(plan));
    } catch (const base::FileError& error) {
      skip(plan, error);
    } catch (const std::invalid_argument& error) {
      skip(plan, error);
    }
  }
  if (kept.empty()) std::rethrow_exception(first);
  plans = std::move(kept);
}

void find_layers(const Source& source, const OpenOptions& options, Weights& weights, Model& model) {
  weights.query = options.query;
  weights.key = options.key;
  weights.rows = rows_of(options, source.two_arrays, weights);
  refuse_known(weights.contents);
  Recognised recognised = recognise(weights.contents, source.configuration, weights.rows);
  weights.plans = std::move(recognised.plans);
  model.skipped.insert(model.skipped.end(), recognised.skipped.begin(), recognised.skipped.end());
  const auto complete = [&](LayerPlan& plan) {
    GivenHeads given{options.heads, options.kv_heads};
    if (plan.layout->name == "arrays" && holds_arrays(weights.contents)) orient_arrays(plan, given, model);
    count_heads(plan, weights.contents, source.configuration, given);
    require_gains(plan, weights.contents);
  };
  if (options.keep_going) return keep_complete(complete, weights.plans, model.skipped);
  for (LayerPlan& plan : weights.plans) complete(plan);
}

}  // namespace

std::size_t Model::heads() const {
  std::size_t sum = 0;
  for (const Layer& layer : layers) sum += static_cast<std::size_t>(layer.heads);
  return sum;
}

Model model_of(Source source, const OpenOptions& options) {
  auto weights = std::make_shared<Weights>(Weights{std::move(source.contents), {}, {}, {}, {}});
  Model model;
  model.file = weights->contents.path;
  model.format = weights->contents.format;
  model.skipped = weights->contents.skipped;
  model.notes = source.notes;
  model.adapter_alone = source.adapter_alone;
  const Tensor* matrix = source.two_arrays ? nullptr : single_matrix(weights->contents);
  if (matrix != nullptr)
    open_single_matrix(*matrix, options, *weights, model);
  else
    find_layers(source, options, *weights, model);
  describe(source, *weights, model);
  model.folded = options.fold_normalisation && std::any_of(model.layers.begin(), model.layers.end(),
                                                           [](const Layer& layer) { return layer.no_folding.empty(); });
  if (matrix != nullptr) model.logit_scale = 1;
  note_peculiarities(source, *weights, options, model);
  list_skipped(*weights, model);
  model.weights = std::move(weights);
  return model;
}

}  // namespace attnlaw::checkpoint
