#include "attnlaw/checkpoint/inspection/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "attnlaw/base/file.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/inspection/rotary.h"
#include "attnlaw/checkpoint/inspection/vocabulary.h"
#include "attnlaw/matrix_laws/nulls/multiple_tests.h"

namespace attnlaw::checkpoint {
namespace {

void require_options(const Model& model, const InspectOptions& options) {
  const bool rotary = std::any_of(model.layers.begin(), model.layers.end(),
                                  [](const Layer& layer) { return layer.rotary.dimensions > 0; });
  if (options.offset && options.window) base::reject("--offset and --window exclude each other");
  if ((options.offset || options.window || options.interleaved) && !rotary)
    base::reject("--offset, --window and --interleaved are for rotary positions; those of the model are {}",
                 base::name(model.positions));
  if ((options.offset || options.window) && options.map == MapKind::output_value)
    base::reject("--offset and --window are for the query-key map: positions do not turn outputs");
  const auto other = std::find_if(model.layers.begin(), model.layers.end(),
                                  [](const Layer& layer) { return !layer.rotary.other_angles.empty(); });
  if ((options.offset || options.window) && other != model.layers.end())
    base::reject("--offset and --window take the angles base^(−2j/dimensions), and of {} {}", model.file,
                 other->rotary.other_angles);
}

/// A summary of one null, and the adjusted p-values of all heads.
NullSummary summary_of(const char* null, const char* claim, double level, const std::vector<double>& p,
                       const std::vector<double>& scores, std::vector<double>& adjusted) {
  NullSummary summary{null, claim};
  adjusted = matrix_laws::holm(p);
  const std::vector<double> listed = matrix_laws::benjamini_yekutieli(p);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (std::isnan(p[i])) continue;
    ++summary.heads;
    summary.discoveries += adjusted[i] <= level;
    summary.listed += listed[i] <= level;
    if (!scores.empty()) sum += scores[i];  // a score stands beside every p-value
  }
  if (!scores.empty() && summary.heads > 0) summary.pooled_score = sum / std::sqrt(summary.heads);
  return summary;
}

template <class Figure>
std::vector<double> over(const std::vector<HeadReport>& heads, const Figure& figure) {
  std::vector<double> values;
  for (const HeadReport& head : heads) values.push_back(figure(head));
  return values;
}

/// Figures of the head beside those of its map.
void add_positions(const Head& head, const Layer& layer, HeadReport& report) {
  if (head.query_bias.size() > 0 && head.query_bias.allFinite())
    report.key_bias = (head.key.transpose() * head.query_bias).norm() / report.ranks.frobenius_norm;
  if (layer.rotary.dimensions > 0) report.offset_energy = offset_energy_ratio(head.query, head.key, layer.rotary);
}

std::vector<OutlierDirections> directions_of(const Factors& factors, const HeadReport& report) {
  std::vector<OutlierDirections> all;
  if (report.outliers.outliers.empty()) return all;
  const Factors scaled = factors.divided(binary_scale(factors.left), binary_scale(factors.right));
  const SingularVectors vectors = leading_vectors(scaled.left, scaled.right, report.outliers.count);
  for (std::size_t i = 0; i < report.outliers.outliers.size(); ++i) {
    const Outlier& outlier = report.outliers.outliers[i];
    all.push_back({report.layer, report.head, report.block, static_cast<int>(i) + 1,
                   vectors.left.middleCols(outlier.first - 1, outlier.size),
                   vectors.right.middleCols(outlier.first - 1, outlier.size)});
  }
  return all;
}

void name_head(const Layer& layer, int head, HeadReport& report) {
  report.layer = layer.index;
  report.head = head;
  report.key_head = layer.key_head(head);
  report.block = layer.block;
}

/// Reads and inspects one head; what cannot be read or computed is a defect of the report if that is allowed.
void inspect_head(const Model& model, const Model& stored, const Place& place, std::uint64_t number,
                  const InspectOptions& options, NullTables& tables, HeadReport& report,
                  std::vector<OutlierDirections>& directions) {
  const Layer& layer = model.layers[place.layer];
  name_head(layer, place.head, report);
  const auto fail = [&](const std::exception& error) {
    // What was filled before the failure counts for nothing.
    report = {};
    name_head(layer, place.head, report);
    report.defect = error.what();
  };
  try {
    Head head = read_stored_head(model, layer, place.head, maps_of(options));
    report.defect = head.defect;
    if (!report.inspected()) return;
    std::optional<Factors> unfolded;
    if (model.folded && !layer.normalisation.empty()) {
      unfolded = factors_of(head, layer, stored, options);
      fold_normalisation(model, layer, head);
    }
    const Factors factors = factors_of(head, layer, model, options);
    fill_report(factors, options.nulls, tables, {options.seed, number}, report, unfolded ? &*unfolded : nullptr);
    if (!report.inspected()) return;
    if (options.map == MapKind::query_key) add_positions(head, layer, report);
    if (options.keep_directions || options.tokens > 0) directions = directions_of(factors, report);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    if (options.keep_going) return fail(error);
    // These name what is wrong already.
    if (dynamic_cast<const base::FileError*>(&error) || dynamic_cast<const std::invalid_argument*>(&error)) throw;
    throw std::runtime_error(fmt::format("layer {}{}, head {}: {}", report.layer,
                                         report.block.empty() ? "" : " of " + report.block, report.head, error.what()));
  }
}

/// Draws the table that the first head of a layer takes, if any; what cannot be read is said in its turn.
void draw_table(const Model& model, const Layer& layer, const InspectOptions& options, NullTables& tables) try {
  const Factors factors = factors_of(read_head(model, layer, 0, maps_of(options)), layer, model, options);
  const NullShape shape = null_shape(factors);
  if (shape.has_product() && takes_table(shape.rows, shape.query_dimension, options.nulls) && full_rank(factors))
    tables.at(shape.rows, shape.query_dimension, options.nulls.table_draws);
} catch (const base::FileError&) {
} catch (const std::invalid_argument&) {
}

/// Draws the tables of all shapes, which heads would otherwise wait for.
void draw_tables(const Model& model, const InspectOptions& options, NullTables& tables) {
  const bool values = options.map == MapKind::output_value;
  for (const Layer& layer : model.layers)
    // Most heads take none, which need not be read to see it.
    if (takes_table(values ? layer.value_dimension : layer.head_dimension, layer.query_dimension, options.nulls))
      draw_table(model, layer, options, tables);
}

bool any_named(const std::vector<OutlierDirections>& directions) {
  return std::any_of(directions.begin(), directions.end(),
                     [](const OutlierDirections& at) { return !at.left_tokens.empty() || !at.right_tokens.empty(); });
}

/// Why an option about directions has no effect; empty if it has one.
std::string what_directions_lack(const InspectOptions& options, const std::vector<OutlierDirections>& directions) {
  if (directions.empty() && (options.tokens > 0 || options.keep_directions))
    return "No directions are known: no head has outliers beside values that the law describes.";
  if (options.tokens > 0 && !any_named(directions))
    return "no token is named: the checkpoint holds no matrix of embeddings whose rows are as long as the directions";
  return "";
}

ModelFacts facts_of(const Model& model) {
  ModelFacts facts{model.file, model.format, model.architecture, std::string(base::name(model.positions))};
  if (model.logit_scale > 0) facts.logit_scale = model.logit_scale;
  if (model.logit_cap > 0) facts.logit_cap = model.logit_cap;
  facts.folded = model.folded;
  facts.qk_norm = model.qk_norm;
  facts.adapter_alone = model.adapter_alone;
  facts.layers = static_cast<int>(model.layers.size());
  facts.heads = static_cast<int>(model.heads());
  facts.embedding_dimension = model.embedding_dimension;
  facts.notes = model.notes;
  facts.skipped = model.skipped;
  return facts;
}

}  // namespace

std::vector<Place> places_of(const Model& model) {
  std::vector<Place> places;
  for (std::size_t layer = 0; layer < model.layers.size(); ++layer)
    for (int head = 0; head < model.layers[layer].heads; ++head) places.push_back({layer, head});
  return places;
}

Maps maps_of(const InspectOptions& options) {
  return options.map == MapKind::output_value ? Maps::all : Maps::query_key;
}

Factors factors_of(const Head& head, const Layer& layer, const Model& model, const InspectOptions& options) {
  if (options.map == MapKind::output_value) {
    if (head.value.size() == 0 || head.output.size() == 0)
      base::reject("no values and outputs were found for layer {}{}: only --map query-key can be inspected", head.layer,
                   head.block.empty() ? "" : " of " + head.block);
    // A cross-attention head reads values from the other stream.
    return {head.output, head.value, !layer.cross && head.output.cols() == head.value.cols(), true};
  }
  Factors factors{head.query, head.key, !layer.cross && head.query.cols() == head.key.cols(), !model.product_only};
  if (options.offset) factors.right = keys_at_offset(head.key, layer.rotary, *options.offset);
  if (options.window) factors.right = keys_over_window(head.key, layer.rotary, *options.window);
  return factors;
}

std::vector<NullSummary> summarise(std::vector<HeadReport>& heads, double level, MapKind map) {
  const auto claim = [map](const char* of_queries, const char* of_outputs) {
    return map == MapKind::query_key ? of_queries : of_outputs;
  };
  std::vector<double> product, shuffle, rotation, permuted, largest, symmetry, trace, tied;
  const auto p = [&](auto figure) { return over(heads, figure); };
  std::vector<NullSummary> nulls{
      summary_of("N1 product", "the map is not a random product", level,
                 p([](const HeadReport& h) { return h.tests.product.p; }), {}, product),
      summary_of("N1s shuffle", "the same, of heads whose entries have heavy tails", level,
                 p([](const HeadReport& h) { return h.heavy_tailed() ? h.tests.product.shuffle_p : kAbsent; }), {},
                 shuffle),
      summary_of("N2 rotation",
                 claim("queries and keys are matched inside the head space, in this parametrisation (score > 0), or "
                       "avoid each other (< 0)",
                       "values and outputs are matched inside the head space, in this parametrisation (score > 0), or "
                       "avoid each other (< 0)"),
                 level, p([](const HeadReport& h) { return h.tests.rotation.energy_p; }),
                 p([](const HeadReport& h) { return h.tests.rotation.energy_score; }), rotation),
      summary_of("N2s permutation", "the same, whatever the law of the entries", level,
                 p([](const HeadReport& h) { return h.tests.rotation.permuted_p; }),
                 p([](const HeadReport& h) { return h.tests.rotation.permuted_score; }), permuted),
      summary_of("N2 top",
                 claim("queries and keys are matched in the leading direction of the head space",
                       "values and outputs are matched in the leading direction of the head space"),
                 level, p([](const HeadReport& h) { return h.tests.rotation.largest_p; }), {}, largest),
      summary_of("N3 symmetry",
                 claim("what a head asks for and what it finds are related",
                       "what a head reads and what it writes are related"),
                 level, p([](const HeadReport& h) { return h.tests.symmetry.p; }),
                 p([](const HeadReport& h) { return h.tests.symmetry.score; }), symmetry),
      summary_of("N3 trace",
                 claim("a head asks for what it is (score > 0) or for its opposite (< 0)",
                       "a head writes what it reads (score > 0) or its opposite (< 0)"),
                 level, p([](const HeadReport& h) { return h.tests.symmetry.trace_p; }),
                 p([](const HeadReport& h) { return h.tests.symmetry.trace_score; }), trace),
      summary_of("N4 tied", "a head that is like a tied one is not a random one", level,
                 p([](const HeadReport& h) { return h.tests.tied.p; }), {}, tied)};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    heads[i].product_holm = product[i];
    heads[i].shuffle_holm = shuffle[i];
    heads[i].rotation_holm = rotation[i];
    heads[i].permuted_holm = permuted[i];
    heads[i].largest_holm = largest[i];
    heads[i].symmetry_holm = symmetry[i];
    heads[i].trace_holm = trace[i];
    heads[i].tied_holm = tied[i];
  }
  std::erase_if(nulls, [](const NullSummary& null) { return null.heads == 0; });
  return nulls;
}

bool Inspection::complete() const {
  const bool some = std::any_of(heads.begin(), heads.end(), [](const HeadReport& head) { return head.inspected(); });
  const bool all =
      std::none_of(heads.begin(), heads.end(), [](const HeadReport& head) { return head.singular_values.empty(); });
  return some && (all || keep_going);
}

std::vector<std::size_t> Inspection::by_evidence() const {
  std::vector<std::size_t> order(heads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Heads without a p-value come last.
  const auto key = [&](std::size_t i) {
    const ProductTest& test = heads[i].tests.product;
    const bool none = std::isnan(test.p);
    return std::tuple(none, none ? 0 : test.p, none ? 0 : -test.score);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

Inspection inspect(const Model& model, const InspectOptions& options, const std::function<void(int, int)>& progress) {
  NullTables tables(options.seed, options.threads);
  return inspect(model, options, tables, progress);
}

Inspection inspect(const Model& given, const InspectOptions& asked, NullTables& tables,
                   const std::function<void(int, int)>& progress) {
  require_options(given, asked);
  Model model = given;
  InspectOptions options = asked;
  options.nulls.family = std::max(1, static_cast<int>(model.heads()));
  if (options.interleaved)
    for (Layer& layer : model.layers) layer.rotary.interleaved = true;
  Inspection found{facts_of(model), options.map, options.nulls.level, options.nulls.exact_tables, options.keep_going};
  Model stored = model;
  stored.folded = false;
  draw_tables(stored, options, tables);
  if (model.folded) draw_tables(model, options, tables);  // outliers are those of the folded map
  const std::vector<Place> places = places_of(model);
  found.heads.resize(places.size());
  std::vector<std::vector<OutlierDirections>> directions(places.size());
  base::parallel_for(
      places.size(), options.threads,
      [&](std::size_t i) { inspect_head(model, stored, places[i], i, options, tables, found.heads[i], directions[i]); },
      progress);
  for (auto& of_head : directions) std::move(of_head.begin(), of_head.end(), std::back_inserter(found.directions));
  found.nulls = summarise(found.heads, options.nulls.level, options.map);
  if (options.tokens > 0) match_tokens(model, options.tokens, found.directions);
  if (const std::string missing = what_directions_lack(options, found.directions); !missing.empty())
    found.model.notes.push_back(missing);
  return found;
}

}  // namespace attnlaw::checkpoint
