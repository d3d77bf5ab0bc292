#include "attnlaw/checkpoint/layout/layouts.h"

#include <algorithm>
#include <charconv>

#include "attnlaw/base/numbers.h"

namespace attnlaw::checkpoint {
namespace {

// Sources: the modelling files of Hugging Face's transformers, timm, OpenCLIP and llama.cpp's conversion script.
// clang-format off
constexpr Layout kLayouts[] = {
    // Queries, keys and values under self_attn.
    {.name = "llama", .models = "llama mistral mixtral ministral qwen2 qwen2_moe qwen3 qwen3_moe qwen2_vl qwen2_5_vl stablelm olmo olmo2 olmoe granite starcoder2 smollm3 phimoe exaone4 glm4 nemotron yi",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.o_proj.weight", .norm = "layers.{}.input_layernorm.weight", .positions = Positions::rotary},
    {.name = "gemma", .models = "gemma gemma2 gemma3 gemma3_text",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.o_proj.weight", .norm = "layers.{}.input_layernorm.weight",
     .norm_kind = Norm::rms_plus_one, .positions = Positions::rotary},
    {.name = "cohere", .models = "cohere cohere2",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.o_proj.weight", .norm = "layers.{}.input_layernorm.weight",
     .norm_kind = Norm::layer, .positions = Positions::rotary, .interleaved = true},
    {.name = "phi", .models = "phi",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.dense.weight", .norm = "layers.{}.input_layernorm.weight", .norm_kind = Norm::layer,
     .positions = Positions::rotary},
    {.name = "phi3", .models = "phi3 phi4",
     .stem = "layers.{}.self_attn.", .fused = "qkv_proj.weight", .output = "layers.{}.self_attn.o_proj.weight",
     .norm = "layers.{}.input_layernorm.weight", .fusing = Fusing::blocks, .positions = Positions::rotary},
    {.name = "baichuan", .models = "baichuan",
     .stem = "layers.{}.self_attn.", .fused = "W_pack.weight", .output = "layers.{}.self_attn.o_proj.weight",
     .norm = "layers.{}.input_layernorm.weight", .fusing = Fusing::blocks, .positions = Positions::rotary},
    {.name = "opt", .models = "opt mbart pegasus m2m_100 xglm",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.out_proj.weight", .norm = "layers.{}.self_attn_layer_norm.weight",
     .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "whisper", .models = "whisper",
     .stem = "encoder.layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "encoder.layers.{}.self_attn.out_proj.weight", .norm = "encoder.layers.{}.self_attn_layer_norm.weight",
     .norm_kind = Norm::layer, .positions = Positions::sinusoidal},
    {.name = "whisper", .models = "whisper",
     .stem = "decoder.layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "decoder.layers.{}.self_attn.out_proj.weight", .norm = "decoder.layers.{}.self_attn_layer_norm.weight",
     .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "whisper", .models = "whisper mbart pegasus m2m_100",
     .stem = "layers.{}.encoder_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.encoder_attn.out_proj.weight", .norm = "layers.{}.encoder_attn_layer_norm.weight",
     .norm_kind = Norm::layer, .positions = Positions::learned, .cross = true},
    {.name = "bart", .models = "bart marian blenderbot-small",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.out_proj.weight", .norm_kind = Norm::behind, .positions = Positions::learned},
    {.name = "bart", .models = "bart marian blenderbot-small",
     .stem = "layers.{}.encoder_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.encoder_attn.out_proj.weight", .norm_kind = Norm::behind, .positions = Positions::learned, .cross = true},
    {.name = "clip", .models = "clip clip_text_model clip_vision_model siglip siglip_text_model siglip_vision_model",
     .stem = "layers.{}.self_attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.self_attn.out_proj.weight", .norm = "layers.{}.layer_norm1.weight", .norm_kind = Norm::layer,
     .positions = Positions::learned},
    {.name = "torch", .stem = "layers.{}.self_attn.", .fused = "in_proj_weight",
     .output = "layers.{}.self_attn.out_proj.weight", .fusing = Fusing::blocks, .norm_kind = Norm::unknown},
    // GPT and its relatives.
    {.name = "gpt2", .models = "gpt2",
     .stem = "h.{}.attn.", .fused = "c_attn.weight", .output = "h.{}.attn.c_proj.weight", .norm = "h.{}.ln_1.weight",
     .fusing = Fusing::blocks, .storage = Storage::input_first, .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "gpt_bigcode", .models = "gpt_bigcode",
     .stem = "h.{}.attn.", .fused = "c_attn.weight", .output = "h.{}.attn.c_proj.weight", .norm = "h.{}.ln_1.weight",
     .fusing = Fusing::blocks, .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "qwen", .models = "qwen",
     .stem = "h.{}.attn.", .fused = "c_attn.weight", .output = "h.{}.attn.c_proj.weight", .norm = "h.{}.ln_1.weight",
     .fusing = Fusing::blocks, .norm_kind = Norm::rms, .positions = Positions::rotary},
    {.name = "gptj", .models = "gptj",
     .stem = "h.{}.attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "h.{}.attn.out_proj.weight", .norm = "h.{}.ln_1.weight", .norm_kind = Norm::layer,
     .positions = Positions::rotary, .interleaved = true},
    {.name = "gpt_neo", .models = "gpt_neo",
     .stem = "h.{}.attn.attention.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "h.{}.attn.attention.out_proj.weight", .norm = "h.{}.ln_1.weight", .norm_kind = Norm::layer,
     .positions = Positions::learned, .unscaled = true},
    {.name = "gpt_neox", .models = "gpt_neox",
     .stem = "layers.{}.attention.", .fused = "query_key_value.weight", .output = "layers.{}.attention.dense.weight",
     .norm = "layers.{}.input_layernorm.weight", .fusing = Fusing::per_head, .norm_kind = Norm::layer,
     .positions = Positions::rotary},
    {.name = "bloom", .models = "bloom",
     .stem = "h.{}.self_attention.", .fused = "query_key_value.weight", .output = "h.{}.self_attention.dense.weight",
     .norm = "h.{}.input_layernorm.weight", .fusing = Fusing::per_head, .norm_kind = Norm::layer, .positions = Positions::alibi},
    {.name = "falcon", .models = "falcon RefinedWebModel RefinedWeb",
     .stem = "h.{}.self_attention.", .fused = "query_key_value.weight", .output = "h.{}.self_attention.dense.weight",
     .norm = "h.{}.input_layernorm.weight", .fusing = Fusing::per_head, .norm_kind = Norm::layer, .positions = Positions::rotary},
    {.name = "falcon-multi-query", .models = "falcon:multi_query RefinedWebModel:multi_query RefinedWeb:multi_query",
     .stem = "h.{}.self_attention.", .fused = "query_key_value.weight", .output = "h.{}.self_attention.dense.weight",
     .norm = "h.{}.input_layernorm.weight", .fusing = Fusing::blocks, .norm_kind = Norm::layer, .positions = Positions::rotary},
    {.name = "falcon-groups", .models = "falcon:groups RefinedWeb:groups",
     .stem = "h.{}.self_attention.", .fused = "query_key_value.weight", .output = "h.{}.self_attention.dense.weight",
     .norm = "h.{}.ln_attn.weight|h.{}.input_layernorm.weight", .fusing = Fusing::groups, .norm_kind = Norm::layer,
     .positions = Positions::rotary},
    {.name = "chatglm", .models = "chatglm",
     .stem = "layers.{}.self_attention.", .fused = "query_key_value.weight", .output = "layers.{}.self_attention.dense.weight",
     .norm = "layers.{}.input_layernorm.weight", .fusing = Fusing::blocks, .norm_kind = Norm::rms,
     .positions = Positions::rotary, .interleaved = true},
    {.name = "phi-mixer", .models = "phi-msft mixformer-sequential",
     .stem = "h.{}.mixer.", .fused = "Wqkv.weight", .output = "h.{}.mixer.out_proj.weight", .norm = "h.{}.ln.weight",
     .fusing = Fusing::blocks, .norm_kind = Norm::layer, .positions = Positions::rotary},
    {.name = "mpt", .models = "mpt",
     .stem = "blocks.{}.attn.", .fused = "Wqkv.weight", .output = "blocks.{}.attn.out_proj.weight",
     .norm = "blocks.{}.norm_1.weight", .fusing = Fusing::blocks, .norm_kind = Norm::layer, .positions = Positions::alibi},
    {.name = "internlm2", .models = "internlm2",
     .stem = "layers.{}.attention.", .fused = "wqkv.weight", .output = "layers.{}.attention.wo.weight",
     .norm = "layers.{}.attention_norm.weight", .fusing = Fusing::groups, .norm_kind = Norm::rms, .positions = Positions::rotary},
    {.name = "meta-llama", .stem = "layers.{}.attention.", .query = "wq.weight", .key = "wk.weight", .value = "wv.weight",
     .output = "layers.{}.attention.wo.weight", .norm = "layers.{}.attention_norm.weight", .norm_kind = Norm::rms,
     .positions = Positions::rotary, .interleaved = true},
    // Encoders of text.
    {.name = "bert", .models = "bert roberta xlm-roberta camembert electra ernie data2vec-text layoutlm",
     .stem = "layer.{}.attention.self.", .query = "query.weight", .key = "key.weight", .value = "value.weight",
     .output = "layer.{}.attention.output.dense.weight", .norm_kind = Norm::behind, .positions = Positions::learned},
    {.name = "deberta", .models = "deberta-v2",
     .stem = "layer.{}.attention.self.", .query = "query_proj.weight", .key = "key_proj.weight", .value = "value_proj.weight",
     .output = "layer.{}.attention.output.dense.weight", .norm_kind = Norm::behind, .positions = Positions::relative},
    {.name = "distilbert", .models = "distilbert",
     .stem = "layer.{}.attention.", .query = "q_lin.weight", .key = "k_lin.weight", .value = "v_lin.weight",
     .output = "layer.{}.attention.out_lin.weight", .norm_kind = Norm::behind, .positions = Positions::learned},
    {.name = "albert", .models = "albert",
     .stem = "albert_layer_groups.{}.albert_layers.0.attention.", .query = "query.weight", .key = "key.weight", .value = "value.weight",
     .output = "albert_layer_groups.{}.albert_layers.0.attention.dense.weight", .norm_kind = Norm::behind,
     .positions = Positions::learned},
    {.name = "mpnet", .models = "mpnet",
     .stem = "layer.{}.attention.attn.", .query = "q.weight", .key = "k.weight", .value = "v.weight",
     .output = "layer.{}.attention.attn.o.weight", .norm_kind = Norm::behind, .positions = Positions::relative},
    {.name = "t5", .models = "t5 mt5 umt5 longt5",
     .stem = "block.{}.layer.0.SelfAttention.", .query = "q.weight", .key = "k.weight", .value = "v.weight",
     .output = "block.{}.layer.0.SelfAttention.o.weight", .norm = "block.{}.layer.0.layer_norm.weight",
     .norm_kind = Norm::rms, .positions = Positions::relative, .unscaled = true},
    {.name = "t5", .models = "t5 mt5 umt5 longt5",
     .stem = "block.{}.layer.1.EncDecAttention.", .query = "q.weight", .key = "k.weight", .value = "v.weight",
     .output = "block.{}.layer.1.EncDecAttention.o.weight", .norm = "block.{}.layer.1.layer_norm.weight",
     .norm_kind = Norm::rms, .positions = Positions::none, .cross = true, .unscaled = true},
    {.name = "wav2vec2", .models = "wav2vec2 hubert",
     .stem = "layers.{}.attention.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.attention.out_proj.weight", .norm_kind = Norm::unknown, .positions = Positions::relative},
    // Encoders of images.
    {.name = "vit", .models = "vit deit dinov2 vit_mae ijepa",
     .stem = "layer.{}.attention.attention.", .query = "query.weight", .key = "key.weight", .value = "value.weight",
     .output = "layer.{}.attention.output.dense.weight", .norm = "layer.{}.layernorm_before.weight|layer.{}.norm1.weight",
     .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "timm", .stem = "blocks.{}.attn.", .fused = "qkv.weight", .output = "blocks.{}.attn.proj.weight",
     .norm = "blocks.{}.norm1.weight", .fusing = Fusing::blocks, .norm_kind = Norm::layer, .positions = Positions::learned},
    {.name = "open_clip", .stem = "resblocks.{}.attn.", .fused = "in_proj_weight",
     .output = "resblocks.{}.attn.out_proj.weight", .norm = "resblocks.{}.ln_1.weight", .fusing = Fusing::blocks,
     .norm_kind = Norm::layer, .positions = Positions::learned},
    // Names of other programs.
    {.name = "transformer_lens", .stem = "blocks.{}.attn.", .query = "W_Q", .key = "W_K", .value = "W_V",
     .output = "blocks.{}.attn.W_O", .norm = "blocks.{}.ln1.w", .storage = Storage::heads_first},
    {.name = "gguf", .stem = "blk.{}.", .query = "attn_q.weight", .key = "attn_k.weight", .value = "attn_v.weight",
     .output = "blk.{}.attn_output.weight", .norm = "blk.{}.attn_norm.weight"},
    {.name = "gguf", .stem = "blk.{}.", .fused = "attn_qkv.weight", .output = "blk.{}.attn_output.weight",
     .norm = "blk.{}.attn_norm.weight", .fusing = Fusing::blocks},
    {.name = "gguf", .stem = "blk.{}.", .query = "cross_attn_q.weight", .key = "cross_attn_k.weight", .value = "cross_attn_v.weight",
     .output = "blk.{}.cross_attn_o.weight", .norm = "blk.{}.cross_attn_norm.weight", .cross = true},
    {.name = "projections", .stem = "blocks.{}.attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "blocks.{}.attn.o_proj.weight|blocks.{}.attn.out_proj.weight", .norm = "blocks.{}.norm1.weight"},
    {.name = "projections", .stem = "layers.{}.attn.", .query = "q_proj.weight", .key = "k_proj.weight", .value = "v_proj.weight",
     .output = "layers.{}.attn.o_proj.weight|layers.{}.attn.out_proj.weight", .norm = "layers.{}.norm1.weight|layers.{}.input_layernorm.weight"},
    {.name = "arrays", .query = "q_proj.weight|q|Q|wq|WQ|W_Q|w_q|query", .key = "k_proj.weight|k|K|wk|WK|W_K|w_k|key",
     .value = "v_proj.weight|v|V|wv|WV|W_V|w_v|value", .output = "o_proj.weight|o|O|wo|WO|W_O|w_o|output"},
};
// clang-format on

/// The last component that is a number; 0 without.
int last_number(std::string_view prefix) {
  const std::vector<std::string_view> parts = base::split(prefix, '.');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    if (const auto number = base::number_in<unsigned short>(*part)) return *number;
  return 0;
}

bool begins_component(std::string_view prefix) { return prefix.empty() || prefix.ends_with('.'); }

}  // namespace

std::span<const Layout> layouts() { return kLayouts; }

std::vector<std::string> layout_names() {
  std::vector<std::string> names;
  for (const Layout& layout : kLayouts)
    if (std::find(names.begin(), names.end(), layout.name) == names.end()) names.emplace_back(layout.name);
  return names;
}

bool has_word(std::string_view words, std::string_view word) {
  if (word.empty()) return false;
  const std::vector<std::string_view> list = base::split(words, ' ');
  return std::find(list.begin(), list.end(), word) != list.end();
}

Match match(std::string_view pattern, std::string_view name) {
  const std::size_t hole = pattern.find("{}");
  const std::string_view tail = hole == std::string_view::npos ? pattern : pattern.substr(hole + 2);
  if (!name.ends_with(tail)) return {};
  std::string_view rest = name.substr(0, name.size() - tail.size());
  if (hole == std::string_view::npos) return {begins_component(rest), rest, last_number(rest)};
  const std::size_t digits = rest.size() - (rest.find_last_not_of("0123456789") + 1);
  constexpr std::size_t kMostDigits = 6;
  if (digits == 0 || digits > kMostDigits) return {};
  const int layer = *base::number_in<int>(rest.substr(rest.size() - digits));
  rest.remove_suffix(digits);
  const std::string_view head = pattern.substr(0, hole);
  if (!rest.ends_with(head)) return {};
  rest.remove_suffix(head.size());
  return {begins_component(rest), rest, layer};
}

std::string with_layer(std::string_view pattern, int layer) {
  std::string name(pattern);
  const std::size_t hole = name.find("{}");
  return hole == std::string::npos ? name : name.replace(hole, 2, std::to_string(layer));
}

std::span<const base::Named<Positions>> names_table(Positions) {
  static constexpr base::Named<Positions> kPositions[] = {
      {Positions::unknown, "unknown"},       {Positions::none, "none"},     {Positions::learned, "learned"},
      {Positions::sinusoidal, "sinusoidal"}, {Positions::rotary, "rotary"}, {Positions::relative, "relative"},
      {Positions::alibi, "alibi"}};
  return kPositions;
}

}  // namespace attnlaw::checkpoint
