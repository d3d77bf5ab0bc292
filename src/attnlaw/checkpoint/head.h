#pragma once
/// Reads the query-key and output-value maps of attention heads, one layer at a time.
///
/// ```cpp
/// #include <iostream>
///
/// #include "attnlaw/checkpoint/head.h"
/// #include "attnlaw/checkpoint/open.h"
///
/// using namespace attnlaw::checkpoint;
///
/// try {
///   const Model model = open_model("model.safetensors", {.heads = 8});
///   visit_heads(model, [](std::vector<Head>&& layer) {
///     for (const Head& head : layer) std::cout << head.layer << "." << head.head << ": " << head.query.norm() << "\n";
///   });
/// } catch (const std::exception& error) {
///   std::cout << error.what() << "\n";
/// }
/// ```

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/model.h"

namespace attnlaw::checkpoint {

/// The maps of one attention head, in double precision, as they act on the (normalised) residual vector. Rows are the
/// coordinates of the head; the map of logits is queryᵀ key.
struct Head {
  int layer = 0;
  int head = 0;
  int key_head = 0;
  /// The block of its layer.
  std::string block;
  /// m × d of the queries' and of the keys' residual vectors.
  Eigen::MatrixXd query;
  Eigen::MatrixXd key;
  /// Of length m; empty without.
  Eigen::VectorXd query_bias;
  Eigen::VectorXd key_bias;
  /// m_v × d: rows of W_V, and columns of W_O as rows; the map of outputs is outputᵀ value. Empty if not found or not
  /// asked for.
  Eigen::MatrixXd value;
  Eigen::MatrixXd output;
  /// Which tensor has entries that are not finite, how many and where; empty if all are finite.
  std::string defect;
};

/// Which maps of a head are read.
enum class Maps { query_key, all };

/// Reads one head of a layer of the model; may be called from several threads. Throws base::FileError for data that
/// cannot be decoded, with file and tensor.
Head read_head(const Model& model, const Layer& layer, int head, Maps maps = Maps::all);

/// Reads a head as read_head does, but as it is stored: without the gain of the normalisation in front of the layer.
Head read_stored_head(const Model& model, const Layer& layer, int head, Maps maps = Maps::all);
/// Takes that gain, and the shift, into the maps of a head as it is stored. Leaves it as it is where there is none.
void fold_normalisation(const Model& model, const Layer& layer, Head& head);

/// Visits the heads layer by layer, in the order of model.layers, so that memory is bounded by the maps of one layer.
void visit_heads(const Model& model, const std::function<void(std::vector<Head>&& layer)>& visit,
                 Maps maps = Maps::all);

/// Visits the rows of the vocabulary matrix (token embeddings; one row for each token, of length embedding_dimension)
/// in blocks of consecutive rows. Returns the number of rows; zero if the model has none.
Eigen::Index visit_vocabulary(const Model& model,
                              const std::function<void(Eigen::Index first, const Eigen::MatrixXd& rows)>& visit);

/// Returns the strings of the tokens from the GGUF file, or from tokenizer.json or vocab.txt beside the model; empty if
/// there are none.
std::vector<std::string> read_tokens(const Model& model);

}  // namespace attnlaw::checkpoint
