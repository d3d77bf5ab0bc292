#include "attnlaw/checkpoint/layout/recognise.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "attnlaw/base/edit_distance.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using base::split;

/// "q_proj.weight" → "q_proj.bias", "in_proj_weight" → "in_proj_bias", "W_Q" → "b_Q".
std::string bias_name(std::string name) {
  const std::size_t weight = name.rfind("weight"), single = name.rfind("W_");
  if (weight != std::string::npos) return name.replace(weight, 6, "bias");
  return single == std::string::npos ? "" : name.replace(single, 2, "b_");
}

/// A row of the table that fits a tensor: the place of the alternative among its names, and where.
struct Candidate {
  const Layout* layout = nullptr;
  std::size_t alternative = 0;
  std::string prefix;
  int layer = 0;
};

class Recogniser {
 public:
  Recogniser(const Contents& contents, const Configuration& configuration, const std::vector<Layout>& rows)
      : contents_(contents), configuration_(configuration) {
    for (const Layout& row : rows) {
      const std::vector<std::string_view> names = split(row.fused.empty() ? row.query : row.fused, '|');
      for (std::size_t i = 0; i < names.size(); ++i)
        anchors_.push_back({&row, i, std::string(row.stem) + std::string(names[i])});
    }
  }

  /// Returns the candidate of highest score among those that fit a tensor; none if no row does.
  std::optional<Candidate> best(const Tensor& tensor) const {
    std::optional<Candidate> found;
    int found_score = -1;
    for (const Anchor& anchor : anchors_) {
      const Match matched = match(anchor.pattern, tensor.known_as());
      // Single letters mean something only when they stand alone.
      const bool letters = anchor.layout->stem.empty() && anchor.pattern.size() < 3;
      if (!matched.found || (letters && !matched.prefix.empty())) continue;
      Candidate candidate{anchor.layout, anchor.alternative, std::string(matched.prefix), matched.layer};
      const int candidate_score = score(candidate, tensor);
      if (candidate_score > found_score) {
        found = candidate;
        found_score = candidate_score;
      }
    }
    return found;
  }

  /// Returns the layer of a candidate, or nothing, and then why not.
  std::optional<LayerPlan> plan(const Candidate& candidate, const Tensor& anchor, std::string& reason) const {
    const Layout& layout = *candidate.layout;
    LayerPlan plan;
    plan.layout = &layout;
    plan.prefix = candidate.prefix;
    plan.index = candidate.layer;
    plan.fusing = layout.fusing;
    plan.query = projection(&anchor, layout);
    plan.key = layout.fused.empty() ? projection(sibling(candidate, layout.key), layout) : plan.query;
    plan.value = layout.fused.empty() ? projection(sibling(candidate, layout.value), layout) : plan.query;
    plan.output = projection(first_of(candidate, layout.output), layout);
    if (plan.key.weight == nullptr) {
      reason = anchor.low_rank != nullptr && anchor.type == nullptr
                   ? "the adapter does not change the keys of its layer; give its base"
                   : "the keys of its layer were not found";
      return std::nullopt;
    }
    for (const Projection* map : {&plan.query, &plan.key})
      if (map->weight->rows() * map->weight->columns() == 0) {
        reason = "it has no numbers";
        return std::nullopt;
      }
    add_norms(candidate, plan);
    return plan;
  }

 private:
  /// The name by which a row knows the queries.
  struct Anchor {
    const Layout* layout;
    std::size_t alternative;
    std::string pattern;
  };

  const Tensor* find(const Candidate& candidate, std::string_view pattern) const {
    return contents_.find(candidate.prefix + with_layer(pattern, candidate.layer));
  }

  /// Of names that correspond to the query's by their place.
  const Tensor* sibling(const Candidate& candidate, std::string_view names) const {
    const std::vector<std::string_view> list = split(names, '|');
    const std::string_view name = list[std::min(candidate.alternative, list.size() - 1)];
    if (name.empty()) return nullptr;
    return find(candidate, std::string(candidate.layout->stem) + std::string(name));
  }

  /// The first that is there.
  const Tensor* first_of(const Candidate& candidate, std::string_view patterns) const {
    for (std::string_view pattern : split(patterns, '|'))
      if (const Tensor* tensor = pattern.empty() ? nullptr : find(candidate, pattern)) return tensor;
    return nullptr;
  }

  Projection projection(const Tensor* weight, const Layout& layout) const {
    Projection map;
    if (weight == nullptr) return map;
    map.weight = weight;
    map.storage = weight->input_first ? Storage::input_first : layout.storage;
    if (map.storage == Storage::heads_first && weight->shape.size() != 3) map.storage = Storage::output_first;
    const std::string bias = bias_name(weight->known_as());
    map.bias = bias.empty() ? nullptr : contents_.find(bias);
    if (map.bias == nullptr && !weight->alias.empty()) map.bias = ending_in(bias);
    return map;
  }

  /// Nodes of ONNX do not always repeat the whole prefix of the parameters. Null if several tensors end like this.
  const Tensor* ending_in(const std::string& name) const {
    const Tensor* found = nullptr;
    for (const Tensor& tensor : contents_.tensors()) {
      if (!tensor.name.ends_with("." + name)) continue;
      if (found != nullptr) return nullptr;
      found = &tensor;
    }
    return found;
  }

  /// Fused maps have more outputs than inputs, those per head three times as many; a bias has the length of the
  /// outputs.
  static bool possible(const Layout& layout, const Projection& map) {
    if (layout.fused.empty()) return true;
    if (map.outputs() <= map.inputs()) return false;
    if (layout.fusing == Fusing::per_head && map.outputs() != 3 * map.inputs()) return false;
    return map.bias == nullptr || map.bias->rows() * map.bias->columns() == map.outputs();
  }

  int score(const Candidate& candidate, const Tensor& tensor) const {
    const Layout& layout = *candidate.layout;
    if (!possible(layout, projection(&tensor, layout))) return -1;
    const bool named = has_word(layout.models, configuration_.part(candidate.prefix).model());
    const bool keys = !layout.fused.empty() || sibling(candidate, layout.key) != nullptr;
    return 8 * named + 4 * keys + 2 * (first_of(candidate, layout.output) != nullptr) +
           (first_of(candidate, layout.norm) != nullptr);
  }

  void add_norms(const Candidate& candidate, LayerPlan& plan) const {
    plan.norm = plan.layout->norm_kind;
    if (!configuration_.flag("do_layer_norm_before").value_or(true)) plan.norm = Norm::behind;
    if (plan.norm != Norm::behind && plan.norm != Norm::unknown) {
      plan.gain = first_of(candidate, plan.layout->norm);
      if (plan.gain != nullptr) plan.shift = contents_.find(bias_name(plan.gain->known_as()));
      if (plan.norm == Norm::by_bias) plan.norm = plan.shift != nullptr ? Norm::layer : Norm::rms;
    }
    const std::string stem(plan.layout->stem);
    for (const char* name : {"q_norm.weight", "q_layernorm.weight", "q_ln.weight", "attn_q_norm.weight"}) {
      std::string key_name(name);
      key_name[key_name.find('q')] = 'k';
      if (plan.query_gain == nullptr) plan.query_gain = find(candidate, stem + name);
      if (plan.key_gain == nullptr) plan.key_gain = find(candidate, stem + key_name);
    }
  }

  const Contents& contents_;
  const Configuration& configuration_;
  std::vector<Anchor> anchors_;
};

std::string tensor_line(const Tensor& tensor) {
  return fmt::format("{} {} {}", printable(tensor.name), tensor.shape_text(),
                     tensor.type == nullptr ? "B A" : tensor.type->name);
}

/// The names of tensors that are most like a name that was not found.
std::string nearest_names(const Contents& contents, const std::string& wanted) {
  constexpr std::size_t kShown = 3, kLongest = 200;
  std::vector<std::pair<std::size_t, const Tensor*>> distances;
  for (const Tensor& tensor : contents.tensors())
    if (tensor.name.size() <= kLongest && wanted.size() <= kLongest)
      distances.emplace_back(base::edit_distance(wanted, tensor.name), &tensor);
  std::stable_sort(distances.begin(), distances.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, distances.size()); ++i)
    list += (i == 0 ? "" : ", ") + printable(distances[i].second->name);
  return list.empty() ? "" : fmt::format("; nearest to {}: {}", printable(wanted), list);
}

/// The same for what the only row looks for: its queries, or its keys if queries were found without them.
std::string nearest_names(const Contents& contents, const std::vector<Layout>& rows, bool without_keys) {
  if (rows.size() != 1) return "";
  const Layout& row = rows.front();
  const std::string_view names = !row.fused.empty() ? row.fused : without_keys ? row.key : row.query;
  return nearest_names(contents, with_layer(std::string(row.stem) + std::string(split(names, '|').front()), 0));
}

/// Whether all tensors are products that an adapter adds to those of its base.
bool contents_of_adapter(const Contents& contents) {
  return std::all_of(contents.tensors().begin(), contents.tensors().end(),
                     [](const Tensor& tensor) { return tensor.type == nullptr && tensor.low_rank != nullptr; });
}

[[noreturn]] void refuse_unrecognised(const Contents& contents, const std::vector<Layout>& rows,
                                      const std::vector<Skipped>& skipped) {
  constexpr std::size_t kShown = 12;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, contents.tensors().size()); ++i)
    list += (i == 0 ? "" : ", ") + tensor_line(contents.tensors()[i]);
  if (contents.tensors().size() > kShown) list += ", ...";
  // What was recognised in part says most; an adapter has nothing that could be named by hand.
  if (!skipped.empty() && contents_of_adapter(contents))
    refuse(contents.path, "{}: {}", printable(skipped.front().name), skipped.front().reason);
  if (!skipped.empty()) list += fmt::format("; {}: {}", printable(skipped.front().name), skipped.front().reason);
  refuse(contents.path,
         "no tensors of queries and keys were recognised among its {} ({}){}; name them with --q and --k ({{}} for the "
         "number of the layer), or choose --layout: {}",
         contents.tensors().size(), list, nearest_names(contents, rows, !skipped.empty()),
         base::alternatives(layout_names()));
}

/// What a group of layers is called.
std::string block_name(const LayerPlan& plan) {
  const std::string names = plan.prefix + std::string(plan.layout->stem);
  if (plan.cross()) return "cross";
  if (names.find("decoder.") != std::string::npos || names.find("dec.") != std::string::npos) return "decoder";
  return names.find("encoder.") != std::string::npos || names.find("enc.") != std::string::npos ? "encoder" : "";
}

/// The prefix without the number of the layer, which is part of it where the row has no {}.
std::string stack_of(const LayerPlan& plan) {
  if (!plan.layout->stem.empty()) return plan.prefix;
  std::string stack = "." + plan.prefix;
  const std::string number = "." + std::to_string(plan.index) + ".";
  const std::size_t at = stack.rfind(number);
  if (at != std::string::npos) stack.replace(at, number.size(), ".");
  return stack.substr(1);
}

/// Layers of one prefix are a block, and its cross-attention another; blocks are named where there are several.
void name_blocks(std::vector<LayerPlan>& plans) {
  std::map<std::string, std::set<std::string>> stacks_of;
  std::set<std::pair<std::string, bool>> groups;
  for (const LayerPlan& plan : plans) {
    groups.emplace(stack_of(plan), plan.cross());
    stacks_of[block_name(plan)].insert(stack_of(plan));
  }
  for (LayerPlan& plan : plans) {
    const std::string name = block_name(plan);
    std::string stack = stack_of(plan);
    if (stack.ends_with('.')) stack.pop_back();
    if (plan.cross()) stack += ".cross";
    const bool clear = !name.empty() && stacks_of[name].size() == 1;
    plan.block = groups.size() == 1 ? "" : clear ? name : printable(stack);
  }
}

}  // namespace

Recognised recognise(const Contents& contents, const Configuration& configuration, const std::vector<Layout>& rows) {
  const Recogniser recogniser(contents, configuration, rows);
  Recognised result;
  for (const Tensor& tensor : contents.tensors()) {
    const std::optional<Candidate> candidate = recogniser.best(tensor);
    if (!candidate) continue;
    std::string reason;
    if (std::optional<LayerPlan> plan = recogniser.plan(*candidate, tensor, reason))
      result.plans.push_back(std::move(*plan));
    else
      result.skipped.push_back({printable(tensor.name), reason});
  }
  if (result.plans.empty()) refuse_unrecognised(contents, rows, result.skipped);
  name_blocks(result.plans);
  const auto order = [](const LayerPlan& plan) {
    return std::tuple(plan.cross(), plan.block == "decoder", std::string_view(plan.block), plan.index);
  };
  std::stable_sort(result.plans.begin(), result.plans.end(),
                   [&](const LayerPlan& a, const LayerPlan& b) { return order(a) < order(b); });
  return result;
}

void refuse_known(const Contents& contents) {
  struct Sign {
    std::string_view suffix, what;
  };
  constexpr Sign kSigns[] = {{".qweight", "weights quantised by GPTQ or AWQ"},
                             {".weight.absmax", "weights quantised by bitsandbytes (4 bits)"},
                             {".weight.quant_state.bitsandbytes__nf4", "weights quantised by bitsandbytes (NF4)"},
                             {".SCB", "weights quantised by bitsandbytes (8 bits)"},
                             {".weight_scale_inv", "FP8 weights with scales"},
                             {".weight_scale", "weights quantised with scales (FP8 or compressed-tensors)"},
                             {".weight_packed", "packed weights (compressed-tensors)"},
                             {".MatMul.weight_Q4", "weights quantised by ONNX Runtime (MatMulNBits)"},
                             {"_quantized", "weights quantised by ONNX Runtime"},
                             {".q_weight", "weights quantised by ExLlamaV2"},
                             {".scales", "weights quantised with scales (MLX, GPTQ or AWQ)"}};
  for (const Tensor& tensor : contents.tensors()) {
    for (const Sign& sign : kSigns)
      if (tensor.name.ends_with(sign.suffix))
        refuse(contents.path,
               "{}: {} are not read; point at the model before quantisation, or dequantise it and save BF16",
               printable(tensor.name), sign.what);
    if (tensor.name.find("kv_a_proj_with_mqa") != std::string::npos || tensor.name.ends_with("attn_kv_a_mqa.weight"))
      refuse(contents.path,
             "{}: the latent attention of DeepSeek (MLA), whose queries and keys pass a normalisation of their own, is "
             "not "
             "read",
             printable(tensor.name));
  }
}

}  // namespace attnlaw::checkpoint
