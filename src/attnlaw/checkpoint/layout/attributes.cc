#include "attnlaw/checkpoint/layout/attributes.h"

#include <cmath>

#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

// The architectures of llama.cpp by their positions; those of the first list turn neighbours (LLAMA_ROPE_TYPE_NORM).
constexpr std::string_view kInterleaved =
    "llama llama4 deci baichuan internlm2 minicpm xverse command-r cohere2 olmo arctic deepseek deepseek2 chatglm glm4 "
    "granite granitemoe chameleon orion plm arcee smollm3 ernie4_5 bailingmoe";
constexpr std::string_view kHalves =
    "falcon dbrx stablelm bitnet qwen qwen2 qwen2moe qwen3 qwen3moe olmo2 olmoe phi2 phi3 phimoe plamo gemma gemma2 "
    "gemma3 "
    "starcoder2 openelm gptneox codeshell nemotron exaone nomic-bert";
constexpr std::string_view kAlibi = "mpt bloom refact jais jina-bert-v2";
constexpr std::string_view kLearned = "gpt2 starcoder bert";
constexpr std::string_view kRelative = "t5 t5encoder";

Positions positions_of_gguf(const std::string& model, const Configuration& configuration) {
  if (has_word(kInterleaved, model) || has_word(kHalves, model)) return Positions::rotary;
  if (has_word(kAlibi, model)) return Positions::alibi;
  if (has_word(kLearned, model)) return Positions::learned;
  if (has_word(kRelative, model)) return Positions::relative;
  return configuration.number({"rotary_dim", "rope_theta"}) ? Positions::rotary : Positions::unknown;
}

/// Why planes turn by other angles than offset · base^(−2j/dimensions), by what configurations say; empty: they do not.
std::string other_angles(const Configuration& configuration) {
  for (const char* key : {"rope_scaling.rope_type", "rope_scaling.type", "rope_parameters.rope_type",
                          "rope_parameters.full_attention.rope_type", "rope_scaling_type"}) {
    const std::string type = configuration.text(key).value_or("default");
    if (type != "default" && type != "none")
      return fmt::format("frequencies are scaled ({}: {})", key, printable(type));
  }
  for (const char* key : {"rope_local_base_freq", "local_rope_theta", "rope_parameters.sliding_attention.rope_theta"})
    if (const auto base = configuration.number({key}))
      return fmt::format("layers of local attention turn at another base ({}: {})", key, *base);
  if (const double ratio = configuration.number({"rope_ratio"}).value_or(1); ratio != 1)
    return fmt::format("frequencies are scaled (rope_ratio: {})", ratio);
  return "";
}

}  // namespace

Positions positions_of(const LayerPlan& plan, const Configuration& configuration, bool gguf) {
  if (plan.cross()) return plan.layout->positions;
  if (gguf) return positions_of_gguf(configuration.model(), configuration);
  if (configuration.flag("alibi").value_or(false)) return Positions::alibi;
  if (plan.layout->positions == Positions::alibi && !configuration.flag("attn_config.alibi").value_or(true))
    return configuration.flag("attn_config.rope").value_or(false) ? Positions::rotary : Positions::learned;
  const std::string type = configuration.text("position_embedding_type").value_or("");
  if (type.starts_with("relative")) return Positions::relative;
  if (type == "alibi") return Positions::alibi;
  if (type == "rotary" || type == "rope") return Positions::rotary;
  return plan.layout->positions;
}

Rotary rotary_of(const LayerPlan& plan, const Configuration& configuration, bool gguf) {
  const auto m = static_cast<double>(plan.head_dimension);
  const std::string_view name = plan.layout->name;
  Rotary rotary;
  rotary.interleaved = gguf ? has_word(kInterleaved, configuration.model()) : plan.layout->interleaved;
  rotary.base =
      configuration.number({"rope_theta", "rotary_emb_base", "rope_parameters.rope_theta", "attn_config.rope_theta"})
          .value_or(rotary.base);
  // The shares that these models have where their configuration says nothing.
  const double share = name == "gpt_neox" ? 0.25 : name == "phi" || name == "chatglm" ? 0.5 : 1;
  const double part =
      configuration.number({"partial_rotary_factor", "rotary_pct", "rope_parameters.partial_rotary_factor"})
          .value_or(share);
  const double dimensions =
      configuration.number({"rotary_dim"}).value_or(name == "gptj" ? std::min(64.0, m) : part * m);
  if (!(dimensions >= 0 && dimensions <= m) || !(rotary.base > 0))
    refuse(configuration.source(), "rotary positions of {} coordinates and base {} do not fit heads of dimension {}",
           dimensions, rotary.base, m);
  rotary.dimensions = static_cast<int>(dimensions) / 2 * 2;
  if (rotary.dimensions > 0) rotary.other_angles = other_angles(configuration);
  return rotary;
}

double logit_scale_of(const LayerPlan& plan, const Configuration& configuration) {
  if (plan.layout->unscaled || !configuration.flag("scale_attn_weights").value_or(true)) return 1;
  const auto m = static_cast<double>(plan.head_dimension);
  const double standard = 1 / std::sqrt(configuration.number({"query_pre_attn_scalar"}).value_or(m));
  const double scale =
      configuration.number({"attention_multiplier", "attention_scale", "attn_config.softmax_scale"}).value_or(standard);
  if (!(scale > 0 && std::isfinite(scale))) refuse(configuration.source(), "the scale of logits must be positive");
  return scale;
}

}  // namespace attnlaw::checkpoint
