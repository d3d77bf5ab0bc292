#pragma once
/// Inspects all heads of a model against exact null laws.
///
/// ```cpp
/// #include <iostream>
///
/// #include "attnlaw/checkpoint/inspection/inspect.h"
/// #include "attnlaw/checkpoint/open.h"
///
/// using namespace attnlaw::checkpoint;
///
/// try {
///   const Inspection found = inspect(open_model("model.safetensors"), {});
///   for (const HeadReport& head : found.heads) std::cout << head.layer << "." << head.head << " " <<
///   head.tests.product.p << "\n";
/// } catch (const std::exception& error) {
///   std::cout << error.what() << "\n";
/// }
/// ```

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/inspection/head_report.h"
#include "attnlaw/checkpoint/model.h"
#include "attnlaw/checkpoint/open.h"

namespace attnlaw::checkpoint {

const base::Description& describe(const OpenOptions*);

struct InspectOptions {
  NullOptions nulls = {};
  MapKind map = MapKind::query_key;
  std::optional<int> offset = {};  ///< rotary positions: the map at this distance; none: at 0
  std::optional<int> window = {};  ///< the mean map over so many distances
  bool interleaved = false;        ///< rotary planes are coordinates 2j and 2j + 1, whatever the layout says
  int tokens = 0;                  ///< tokens of the vocabulary that are named beside each outlier
  bool keep_directions = false;
  bool keep_going = false;  ///< a head that cannot be read is a line of the result and not the end
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all; the same results for any number
};
const base::Description& describe(const InspectOptions*);

/// Facts of the model that belong beside every figure.
struct ModelFacts {
  std::string file, format, architecture, positions;
  double logit_scale = kAbsent;  ///< c of logits c · xᵀ S y
  double logit_cap = kAbsent;
  bool folded = false, qk_norm = false, adapter_alone = false;
  int layers = 0, heads = 0;
  int embedding_dimension = 0;
  std::vector<std::string> notes = {};
  std::vector<Skipped> skipped = {};
};
const base::Description& describe(const ModelFacts*);
const base::Description& describe(const Skipped*);

/// A token with the cosine between its embedding and a direction.
struct TokenMatch {
  int token = 0;
  std::string text;  ///< empty if the model comes without its tokens
  double cosine = 0;
};
const base::Description& describe(const TokenMatch*);

/// The directions of one outlier (or block of outliers, of which the first is taken to name tokens).
struct OutlierDirections {
  int layer = 0, head = 0;
  std::string block;
  int outlier = 1;              ///< its number, from 1
  Eigen::MatrixXd left, right;  ///< d×size, unit columns: what queries (outputs), what keys (values)
  std::vector<TokenMatch> left_tokens = {}, right_tokens = {};
};
const base::Description& describe(const OutlierDirections*);

/// What one null says of all heads.
struct NullSummary {
  std::string null;
  std::string claim;              ///< what a rejection means
  int heads = 0;                  ///< that were tested
  int discoveries = 0;            ///< of single heads: Holm at the level
  int listed = 0;                 ///< for lists: Benjamini-Yekutieli at the level
  double pooled_score = kAbsent;  ///< Σ score/√heads, where scores exist; near N(0,1) for independent null heads
};
const base::Description& describe(const NullSummary*);

struct Inspection {
  ModelFacts model;
  MapKind map = MapKind::query_key;
  double level = 0.05;
  bool exact_tables = false;
  bool keep_going = false;  ///< heads that cannot be read are no failure
  std::vector<NullSummary> nulls = {};
  std::vector<HeadReport> heads = {};  ///< in order of layers and heads
  std::vector<OutlierDirections> directions = {};

  /// Whether there are figures, and no head has weights that cannot be read or are not finite, unless those were to be
  /// left out.
  bool complete() const;
  /// The places of the heads in order of evidence: smallest adjusted p-value of N1 first, then largest T.
  std::vector<std::size_t> by_evidence() const;
};
const base::Description& describe(const Inspection*);

/// One head of a model, with the place of its layer among all.
struct Place {
  std::size_t layer = 0;
  int head = 0;
};
/// The places of all heads, in order of layers and heads.
std::vector<Place> places_of(const Model& model);

/// Returns which maps of a head factors_of needs.
Maps maps_of(const InspectOptions& options);

/// Returns the factors of the map of one head that the options ask for. Throws std::invalid_argument if the model has
/// none.
Factors factors_of(const Head& head, const Layer& layer, const Model& model, const InspectOptions& options);

/// Inspects all heads; each thread holds the maps of one. Throws what read_head throws, unless it is to keep going, and
/// std::invalid_argument for options that the model cannot meet.
Inspection inspect(const Model& model, const InspectOptions& options,
                   const std::function<void(int, int)>& progress = {});
/// The same with tables that several models share; they must be those of the seed of the options.
Inspection inspect(const Model& model, const InspectOptions& options, NullTables& tables,
                   const std::function<void(int, int)>& progress = {});

/// Fills adjusted p-values and returns the summary over all heads, its claims in the words of the map; of nulls that
/// were tested.
std::vector<NullSummary> summarise(std::vector<HeadReport>& heads, double level, MapKind map = MapKind::query_key);

}  // namespace attnlaw::checkpoint
