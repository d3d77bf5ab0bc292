#include "attnlaw/checkpoint/layout/adapter.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "attnlaw/checkpoint/file/json_file.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;

/// "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" → "model.layers.0.self_attn.q_proj.weight" and
/// lora_A.
struct HalfName {
  std::string weight;
  char half = ' ';
};

HalfName half_name(std::string name) {
  constexpr std::string_view kWrapper = "base_model.model.";
  if (name.starts_with(kWrapper)) name.erase(0, kWrapper.size());
  for (char half : {'A', 'B'}) {
    const std::size_t at = name.find(std::string(".lora_") + half + ".");
    if (at != std::string::npos && name.ends_with(".weight")) return {name.substr(0, at) + ".weight", half};
  }
  return {};
}

struct Halves {
  const Tensor* a = nullptr;
  const Tensor* b = nullptr;
};

/// The numbers of adapter_config.json.
class AdapterConfiguration {
 public:
  explicit AdapterConfiguration(const std::string& path)
      : path_(path), document_(read_json_object(path, std::size_t(1) << 24)) {
    const auto type = document_.find("peft_type");
    if (type != document_.end() && *type != "LORA") refuse(path, "adapters of other peft_type than LORA are not read");
    if (truth("use_dora")) refuse(path, "adapters with use_dora (DoRA) are not read; merge the adapter into its model");
  }

  bool transposed() const { return truth("fan_in_fan_out"); }

  double scale(const std::string& weight, std::size_t rank) const {
    const double alpha = alpha_of(weight);
    const auto r = static_cast<double>(rank);
    return alpha / (truth("use_rslora") ? std::sqrt(r) : r);
  }

 private:
  bool truth(const char* key) const {
    const auto found = document_.find(key);
    if (found == document_.end() || found->is_null()) return false;
    if (!found->is_boolean()) refuse(path_, "{} must be true or false", key);
    return found->get<bool>();
  }

  double alpha_of(const std::string& weight) const {
    const auto pattern = document_.find("alpha_pattern");
    if (pattern != document_.end() && pattern->is_object())
      for (const auto& [module, alpha] : pattern->items())
        if (alpha.is_number() && weight.ends_with(module + ".weight")) return alpha.get<double>();
    const auto found = document_.find("lora_alpha");
    if (found == document_.end() || !found->is_number()) refuse(path_, "lora_alpha must be a number");
    return found->get<double>();
  }

  const std::string& path_;
  json document_;
};

std::map<std::string, Halves> pairs_of(const Contents& adapter, std::vector<Skipped>& skipped) {
  std::map<std::string, Halves> pairs;
  for (const Tensor& tensor : adapter.tensors()) {
    const HalfName name = half_name(tensor.name);
    if (name.half == 'A')
      pairs[name.weight].a = &tensor;
    else if (name.half == 'B')
      pairs[name.weight].b = &tensor;
    else
      skipped.push_back({printable(tensor.name), "it is no lora_A or lora_B"});
  }
  if (pairs.empty()) refuse(adapter.path, "the adapter has no tensors lora_A and lora_B");
  return pairs;
}

std::shared_ptr<const LowRank> product_of(const Contents& adapter, const std::string& weight, const Halves& halves,
                                          const AdapterConfiguration& configuration) {
  if (halves.a == nullptr || halves.b == nullptr)
    refuse(adapter.path, "{}: lora_{} is missing", printable(weight), halves.a == nullptr ? 'A' : 'B');
  const Tensor &a = *halves.a, &b = *halves.b;
  if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] == 0 || a.shape[0] != b.shape[1])
    refuse(adapter.path, "{}: lora_A {} and lora_B {} do not multiply", printable(weight), a.shape_text(),
           b.shape_text());
  return std::make_shared<const LowRank>(
      LowRank{a, b, configuration.scale(weight, a.shape[0]), configuration.transposed()});
}

std::vector<std::size_t> shape_of(const LowRank& product) {
  const std::size_t outputs = product.b.shape[0], inputs = product.a.shape[1];
  return product.transposed ? std::vector{inputs, outputs} : std::vector{outputs, inputs};
}

/// The tensor of the base that an adapter means: the same name, or the only one with the same end of it.
std::string name_in_base(const Contents& base, const std::string& weight) {
  if (base.find(weight) != nullptr) return weight;
  const Tensor* found = nullptr;
  for (const Tensor& tensor : base.tensors()) {
    if (!tensor.name.ends_with("." + weight) && !weight.ends_with("." + tensor.name)) continue;
    if (found != nullptr)
      refuse(base.path, "'{}' of the adapter may be '{}' or '{}'", printable(weight), printable(found->name),
             printable(tensor.name));
    found = &tensor;
  }
  if (found == nullptr) refuse(base.path, "has no tensor '{}' that the adapter changes", printable(weight));
  return found->name;
}

}  // namespace

Contents with_adapter(const Contents& adapter, const std::string& config, const Contents* base) {
  const AdapterConfiguration configuration(config);
  Contents contents(adapter.path, adapter.format);
  std::map<std::string, std::shared_ptr<const LowRank>> products;
  for (const auto& [weight, halves] : pairs_of(adapter, contents.skipped)) {
    const std::string name = base == nullptr ? weight : name_in_base(*base, weight);
    const auto [place, first] = products.emplace(name, product_of(adapter, weight, halves, configuration));
    if (!first) refuse(adapter.path, "changes the tensor '{}' of the base twice", printable(name));
    if (base != nullptr) continue;
    Tensor tensor;
    tensor.name = name;
    tensor.file = halves.b->file;
    tensor.shape = shape_of(*place->second);
    tensor.low_rank = place->second;
    contents.add(std::move(tensor));
  }
  if (base == nullptr) return contents;
  for (Tensor tensor : base->tensors()) {
    const auto product = products.find(tensor.name);
    if (product != products.end()) {
      if (tensor.shape != shape_of(*product->second))
        refuse(adapter.path, "{}: the base has the shape {}, the adapter does not", printable(tensor.name),
               tensor.shape_text());
      tensor.low_rank = product->second;
    }
    contents.add(std::move(tensor));
  }
  *contents.metadata = *base->metadata;
  contents.tokens = base->tokens;
  return contents;
}

}  // namespace attnlaw::checkpoint
