#pragma once
/// Describes a model whose attention heads can be read, without its weights.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/layout/positions.h"
#include "attnlaw/checkpoint/tensor/skipped.h"

namespace attnlaw::checkpoint {

/// The shape of the heads of one layer.
struct Layer {
  /// The number in the names of the tensors.
  int index = 0;
  /// Its place among the layers of the model.
  std::size_t position = 0;
  /// "encoder", "decoder", "cross", or the prefix of the names where one file has several models; empty otherwise.
  std::string block;
  int heads = 0;
  /// Divides heads.
  int key_heads = 0;
  /// The key head that a query head meets.
  int key_head(int head) const { return head / (heads / key_heads); }
  /// Rows m of the maps of a head, and rows of its value map.
  int head_dimension = 0;
  int value_dimension = 0;
  /// Sizes of the residual vectors that queries and keys read; they differ only in cross-attention.
  int query_dimension = 0;
  int key_dimension = 0;
  /// Queries and keys come from different residual streams: symmetry, trace and eigenvalues of the map have no meaning.
  bool cross = false;
  /// Value and output maps were found.
  bool has_values = false;
  /// How positions turn the heads; no dimensions where they do not, as between the streams of cross-attention.
  Rotary rotary;
  /// The tensor with the gain of the normalisation in front of the layer; empty if there is none to fold, and then
  /// `no_folding` says why.
  std::string normalisation;
  std::string no_folding;
  /// Names of the tensors that queries and keys are read from.
  std::string query_tensor;
  std::string key_tensor;
};

struct Weights;

/// What is true of a whole model. Copies share the mapped files.
struct Model {
  /// The layout that was recognised: "llama", "gpt2", "arrays", ...
  std::string architecture;
  /// What was read, as the user can find it: a file, or the index of several.
  std::string file;
  /// "safetensors", "GGUF", "ONNX", "npz", "npy".
  std::string format;
  int embedding_dimension = 0;
  /// Those of the first layer.
  Positions positions = Positions::unknown;
  /// c of the logits c · xᵀ W_Qᵀ W_K y: 1/√m unless the model says otherwise.
  double logit_scale = 0;
  /// Logits are capped, c' tanh(·/c'), at this value (Gemma 2); zero without.
  double logit_cap = 0;
  /// Queries and keys are normalised per head, so that logits are not bilinear; the gains are folded into the maps.
  bool qk_norm = false;
  /// The maps carry the gain (and the centring) of the normalisation in front of their layer.
  bool folded = false;
  /// The maps are the product of low rank that an adapter adds, without its base.
  bool adapter_alone = false;
  /// The file is one matrix, which is taken as the map S itself: W_Q = 1, W_K = S.
  bool product_only = false;
  std::vector<Layer> layers;
  std::vector<Skipped> skipped;
  /// Sentences that a reader of the results should see.
  std::vector<std::string> notes;
  /// The tensors, mapped; for the functions of head.h.
  std::shared_ptr<const Weights> weights;

  /// The number of heads over all layers.
  std::size_t heads() const;
};

}  // namespace attnlaw::checkpoint
