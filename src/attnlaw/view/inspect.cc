#include "attnlaw/view/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "attnlaw/base/counted.h"
#include "attnlaw/base/estimate.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/tied_factor.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/inspect_course.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using checkpoint::HeadChange;
using checkpoint::HeadReport;
using checkpoint::Inspection;
using checkpoint::MapKind;
using checkpoint::Outlier;
using checkpoint::OutlierStatus;
using checkpoint::TokenMatch;
using report::Cell;
using report::Table;

constexpr std::size_t kMostRows = 40;  ///< heads that a table for people lists

std::string name_of(int layer, int head, const std::string& block) {
  return fmt::format("{}{}{}.{}", block, block.empty() ? "" : " ", layer, head);
}
std::string name_of(const HeadReport& head) { return name_of(head.layer, head.head, head.block); }

/// "2", "3+ (too-many)", or why there is no count.
std::string outliers_of(const HeadReport& head) {
  const auto& found = head.outliers;
  if (found.status == OutlierStatus::counted) return std::to_string(found.count);
  if (found.status == OutlierStatus::no_law || found.status == OutlierStatus::too_few_values)
    return base::name(found.status);
  return fmt::format("{}{} ({})", found.count, found.status == OutlierStatus::too_many ? "+" : "",
                     base::name(found.status));
}

/// The table for people begins with the heads of most evidence.
std::vector<std::size_t> shown_heads(const Inspection& found) {
  std::vector<std::size_t> order = found.by_evidence();
  order.resize(std::min(order.size(), kMostRows));
  return order;
}

Table null_table(const Inspection& found) {
  Table table =
      headed(fmt::format("Nulls over all heads, level {:g}", found.level),
             {"null", "heads", "reject (Holm)", "in a list (B-Y)", general("pooled score", 3), "a rejection means"});
  for (const auto& null : found.nulls)
    add(table, null.null, null.heads, null.discoveries, null.listed, null.pooled_score, null.claim);
  return table;
}

Table head_table(const Inspection& found) {
  Table table = headed("Heads, by evidence against a random product",
                       {"head", general("s₁", 4), general("stable rank", 4), general("T/d²", 4), general("p N1", 2),
                        general("Holm", 2), "outliers", general("z N2", 3), general("p N2", 2), general("p N2s", 2),
                        general("τ", 3), general("z N3", 3), general("z trace", 3), general("f₊", 3)});
  const bool shuffled = std::any_of(found.heads.begin(), found.heads.end(),
                                    [](const HeadReport& head) { return !std::isnan(head.shuffle_holm); });
  if (shuffled) add_columns(table, {general("p shuffle", 2), general("Holm shuffle", 2)});
  for (const std::size_t i : shown_heads(found)) {
    const HeadReport& head = found.heads[i];
    if (!head.inspected()) {
      add(table, name_of(head));
      continue;
    }
    add(table, name_of(head), head.ranks.spectral_norm, head.ranks.stable_rank, head.tests.product.largest,
        head.tests.product.p, head.product_holm, outliers_of(head), head.tests.rotation.energy_score,
        head.tests.rotation.energy_p, head.tests.rotation.permuted_p, head.symmetry.symmetry, head.tests.symmetry.score,
        head.tests.symmetry.trace_score, head.symmetry.positive_share, head.tests.product.shuffle_p, head.shuffle_holm);
  }
  if (found.heads.size() > kMostRows) table.title += fmt::format(" (first {} of {})", kMostRows, found.heads.size());
  return table;
}

std::string places_of(const Outlier& outlier) {
  if (outlier.size == 1) return std::to_string(outlier.first);
  return fmt::format("{}-{} together", outlier.first, outlier.first + outlier.size - 1);
}

Table outlier_table(const Inspection& found) {
  Table table = headed("Outliers of heads that the law describes otherwise",
                       {"head", "value", general("s", 5), general("z", 4), general("strength θ", 4),
                        general("squared overlap", 3), general("p", 2), general("a_Q", 3), general("a_K", 3),
                        general("ρ²", 3), general("overlap Q", 3), general("overlap K", 3)});
  for (const std::size_t i : found.by_evidence()) {
    const HeadReport& head = found.heads[i];
    for (const Outlier& outlier : head.outliers.outliers) {
      const bool first = outlier.first == 1;
      const auto once = [first](double value) { return first ? cell(value) : Cell(); };
      add(table, name_of(head), places_of(outlier), outlier.singular_value, outlier.position, outlier.strength,
          outlier.overlap, outlier.p, once(head.outliers.query_strength), once(head.outliers.key_strength),
          once(head.outliers.alignment), once(head.outliers.query_overlap), once(head.outliers.key_overlap));
    }
    if (table.rows.size() >= kMostRows) break;
  }
  return table;
}

Table fit_table(const Inspection& found) {
  // Noise is implied where the samples of training are known.
  const bool known = std::any_of(found.heads.begin(), found.heads.end(),
                                 [](const HeadReport& head) { return !std::isnan(head.fit.implied_noise); });
  Table table =
      headed("Heads close to a tied map: the law of trained attention",
             {"head", "status", general("a", 4), error_column(), general("t", 4), error_column(), general("2λ/√q̂", 4),
              general("cut", 4), error_column(), "spikes", general("p", 3), general("p random tied", 3),
              general("αK ≥", 3), error_column(), general(known ? "λ" : "λ ≥", 3), error_column()});
  if (known) add_columns(table, {general("Δ", 3), error_column()});
  for (const HeadReport& head : found.heads) {
    const auto& fit = head.fit;
    if (fit.status == checkpoint::FitStatus::not_tied_like) continue;
    add(table, name_of(head), fit.status, fit.noise, fit.noise_error, fit.threshold, fit.threshold_error, fit.ratio,
        fit.cut, fit.cut_error, fit.spikes, fit.p, fit.random_tied_p, fit.implied_samples, fit.implied_samples_error,
        fit.implied_decay, fit.implied_decay_error, fit.implied_noise, fit.implied_noise_error);
  }
  return table;
}

std::string tokens_of(const std::vector<TokenMatch>& matches) {
  return joined(matches, [](const TokenMatch& match) {
    return fmt::format("{} {:+.2f}", match.text.empty() ? fmt::format("#{}", match.token) : match.text, match.cosine);
  });
}

Table token_table(const Inspection& found) {
  const bool outputs = found.map == MapKind::output_value;
  Table table = headed("Tokens along the directions of outliers",
                       {"head", "outlier", outputs ? "written" : "queries", outputs ? "read" : "keys"});
  for (const auto& at : found.directions)
    if (!at.left_tokens.empty() || !at.right_tokens.empty())
      add(table, name_of(at.layer, at.head, at.block), at.outlier, tokens_of(at.left_tokens),
          tokens_of(at.right_tokens));
  return table;
}

/// All that was left out: names with the same reason share a row, and no name is cut.
Table skipped_table(const Inspection& found) {
  Table table = headed("Tensors and layers that were left out", {"reason", "names"});
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const checkpoint::Skipped& skipped : found.model.skipped) {
    auto at = std::find_if(reasons.begin(), reasons.end(), [&](const auto& of) { return of.first == skipped.reason; });
    if (at == reasons.end()) at = reasons.insert(reasons.end(), {skipped.reason, {}});
    at->second.push_back(skipped.name);
  }
  for (const auto& [reason, names] : reasons) add(table, reason, joined(names, [](const auto& name) { return name; }));
  return table;
}

Table change_table(const InspectOutcome& outcome) {
  Table table = headed("Changes of heads, the largest first",
                       {"head", general("‖S′−S‖/‖S‖", 4), general("cosine", 4), general("stable rank of change", 4),
                        general("left overlap", 3), general("right overlap", 3), general("‖S‖", 4), general("‖S′‖", 4),
                        general("stable rank", 4), general("after", 4), "outliers", "after"});
  std::vector<std::size_t> order(outcome.changes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto size = [&](std::size_t i) {
    const double change = outcome.changes[i].relative_change;
    return std::isnan(change) ? -1 : change;
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return size(a) > size(b); });
  for (std::size_t k = 0; k < std::min(order.size(), kMostRows); ++k) {
    const HeadChange& change = outcome.changes[order[k]];
    add(table, name_of(change.layer, change.head, change.block), change.relative_change, change.cosine,
        change.change_stable_rank, change.left_overlap, change.right_overlap, change.norm_before, change.norm_after,
        change.stable_rank_before, change.stable_rank_after, outliers_of(outcome.before->heads[order[k]]),
        outliers_of(outcome.inspection.heads[order[k]]));
  }
  return table;
}

std::vector<Table> tables_of(const InspectOutcome& outcome) {
  std::vector<Table> tables;
  // A map that is known as a whole has no nulls.
  if (!outcome.inspection.nulls.empty()) tables.push_back(null_table(outcome.inspection));
  if (outcome.course) tables.push_back(step_table(*outcome.course));
  tables.push_back(head_table(outcome.inspection));
  for (Table& more :
       std::vector{outlier_table(outcome.inspection), fit_table(outcome.inspection), token_table(outcome.inspection)})
    if (!more.rows.empty()) tables.push_back(std::move(more));
  if (outcome.before) tables.push_back(change_table(outcome));
  if (outcome.inspection.model.skipped.size() > 1) tables.push_back(skipped_table(outcome.inspection));
  return tables;
}

// ---- rows ----------------------------------------------------------------------------------------------------------

Table rows_of(const InspectOutcome& outcome) {
  std::vector<Fields> rows;
  const auto row = [&](const char* kind, const Fields& more) {
    rows.push_back({{"kind", kind}});
    append(rows.back(), more);
  };
  for (const std::size_t i : outcome.inspection.by_evidence()) row("head", fields_of(outcome.inspection.heads[i]));
  for (const HeadReport& head : outcome.inspection.heads)
    for (const Outlier& outlier : head.outliers.outliers) {
      Fields fields{{"layer", head.layer}, {"head", head.head}, {"block", head.block}};
      append(fields, fields_of(outlier));
      row("outlier", fields);
    }
  for (const HeadChange& change : outcome.changes) row("change", fields_of(change));
  if (outcome.course) {
    for (const checkpoint::Step& step : outcome.course->steps) row("step", fields_of(step));
    for (const checkpoint::HeadStep& head : outcome.course->heads) row("head-step", fields_of(head));
  }
  return table_of(rows);
}

// ---- pages ---------------------------------------------------------------------------------------------------------

/// Layers and heads of one block, as the axes of a heat map.
struct Grid {
  std::vector<double> layers, heads;
};

std::map<std::string, Grid> grids_of(const Inspection& found) {
  std::map<std::string, std::pair<std::set<int>, std::set<int>>> seen;
  for (const HeadReport& head : found.heads) {
    seen[head.block].first.insert(head.layer);
    seen[head.block].second.insert(head.head);
  }
  std::map<std::string, Grid> grids;
  for (const auto& [block, places] : seen)
    grids[block] = {{places.first.begin(), places.first.end()}, {places.second.begin(), places.second.end()}};
  return grids;
}

using Figure = double (*)(const HeadReport&);

report::Chart map_of(const Inspection& found, const std::string& block, const Grid& grid, const char* title,
                     const char* description, Figure figure) {
  report::HeatMap map{.title = title,
                      .description = description,
                      .x = {"head"},
                      .y = {"layer"},
                      .value = {title},
                      .x_values = grid.heads,
                      .y_values = grid.layers};
  map.values.assign(grid.heads.size() * grid.layers.size(), std::numeric_limits<double>::quiet_NaN());
  const auto place = [](const std::vector<double>& values, int value) {
    return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
  };
  for (const HeadReport& head : found.heads)
    if (head.block == block && head.inspected())
      map.values[place(grid.heads, head.head) * grid.layers.size() + place(grid.layers, head.layer)] = figure(head);
  return report::heat_map(map);
}

void add_maps(const Inspection& found, report::Page& page) {
  struct Map {
    const char *title, *description;
    Figure figure;
  };
  static const Map kMaps[] = {
      {"stable rank", "Σs²/s₁² of each head.", [](const HeadReport& h) { return h.ranks.stable_rank; }},
      {"outliers",
       "Singular values beyond the law of a random product, each at 1 %; the law may not describe the rest.",
       [](const HeadReport& h) { return static_cast<double>(h.outliers.count); }},
      {"symmetry τ", "Tr S²/‖S‖²: 1 for a symmetric map, −1 for an antisymmetric one, 1/d by chance.",
       [](const HeadReport& h) { return h.symmetry.symmetry; }},
      {"−log₁₀ p (N1)", "Evidence against a random product, before the correction for the number of heads.",
       [](const HeadReport& h) { return -std::log10(h.tests.product.p); }},
      {"z (N2)", "Whether queries and keys are matched inside the head space.",
       [](const HeadReport& h) { return h.tests.rotation.energy_score; }}};
  for (const auto& [block, grid] : grids_of(found)) {
    if (grid.layers.size() < 2 || grid.heads.size() < 2) continue;
    for (const Map& map : kMaps)
      page.sections.push_back({fmt::format("{}{}Layers and heads: {}", block, block.empty() ? "" : ", ", map.title), "",
                               map_of(found, block, grid, map.title, map.description, map.figure)});
  }
}

template <class Density>
std::vector<report::Point> points_of(double low, double high, const Density& density) {
  constexpr int kPoints = 120;
  std::vector<report::Point> points;
  for (int i = 0; i <= kPoints; ++i) {
    const double z = low + (high - low) * i / kPoints;
    points.push_back({z, density(z)});
  }
  return points;
}

/// The density of z = s/(σ_Q σ_K d).
std::vector<report::Point> null_density(int m, int d) {
  const matrix_laws::FactorProductLaw law(static_cast<double>(m) / d);
  return points_of(std::sqrt(law.support().lower), std::sqrt(law.support().upper),
                   [&](double z) { return 2 * z * law.density(z * z); });
}

/// The density of z = s/(σ² d) of a tied head.
std::vector<report::Point> tied_null_density(int m, int d) {
  const double beta = static_cast<double>(m) / d;
  const matrix_laws::Interval support = matrix_laws::tied_support(beta);
  return points_of(support.lower, support.upper, [beta](double z) { return matrix_laws::tied_density(beta, z); });
}

/// A short table of the figures of one head.
Table panel_table(const HeadReport& head) {
  Table table = headed("", {"figure", general("value", 4)});
  const std::pair<const char*, Value> rows[] = {
      {"s₁", head.ranks.spectral_norm},        {"‖S‖", head.ranks.frobenius_norm},
      {"stable rank", head.ranks.stable_rank}, {"effective rank", head.ranks.effective_rank},
      {"p N1", head.tests.product.p},          {"p N1, Holm", head.product_holm},
      {"outliers", outliers_of(head)},         {"z N2", head.tests.rotation.energy_score},
      {"z N3", head.tests.symmetry.score},     {"z trace", head.tests.symmetry.trace_score},
      {"f₊", head.symmetry.positive_share}};
  for (const auto& [name, value] : rows) add(table, name, value);
  if (!std::isnan(head.tests.tied.p)) add(table, "p N4", head.tests.tied.p);
  return table;
}

/// Whether a head is drawn over the law of a random tied one.
bool tied(const HeadReport& head) { return !std::isnan(head.tests.tied.p); }

/// σ² d of a tied head; σ_Q σ_K d of another: by the values that are no outliers if the law describes the rest, else by
/// the factors, or by all values where these carry gains that N1 is not asked about. A map without either is drawn as
/// it is.
double null_unit(const HeadReport& head, bool folded) {
  if (tied(head)) return base::mean_of(head.singular_values);
  if (!std::isnan(head.outliers.edge))
    return head.outliers.edge /
           std::sqrt(matrix_laws::FactorProductLaw(static_cast<double>(head.rows) / head.dimension).support().upper);
  const double first = head.tests.product.largest;
  if (folded && !std::isnan(first)) return head.ranks.frobenius_norm / std::sqrt(head.rows);
  return std::isnan(first) ? 1 : head.ranks.spectral_norm / std::sqrt(first);
}

/// Heads of one shape, which share a law or have none.
struct Shape {
  int m = 0, d = 0;
  bool has_law = false;
  bool tied = false;

  auto operator<=>(const Shape&) const = default;
};

Shape shape_of(const HeadReport& head) {
  return {head.rows, head.dimension, !std::isnan(head.tests.product.largest), tied(head)};
}

/// Panels of all heads of one shape, by evidence.
report::SpectrumGallery gallery_of(const Inspection& found, const Shape& shape) {
  report::SpectrumGallery gallery{.value = "s", .description = "Bars and ticks: singular values of a head."};
  if (shape.tied)
    gallery = {.value = "z = s/(σ² d)",
               .description =
                   "Bars and ticks: singular values of a head that is like a tied one, in the unit of the null "
                   "N4. Line: the law of a random tied head.",
               .density = tied_null_density(shape.m, shape.d)};
  else if (shape.has_law)
    gallery = {.value = "z = s/(σ_Q σ_K d)",
               .description =
                   "Bars and ticks: singular values of a head in the unit of the null. Line: the law of a "
                   "random product. Orange ticks stand out of it.",
               .density = null_density(shape.m, shape.d)};
  for (const std::size_t i : found.by_evidence()) {
    const HeadReport& head = found.heads[i];
    if (!head.inspected() || shape_of(head) != shape) continue;
    const double unit = null_unit(head, found.model.folded);
    std::vector<double> values;
    for (const double s : head.singular_values) values.push_back(s / unit);
    const std::string title = shape.tied      ? fmt::format("head {}: p of N4 {:.2g}", name_of(head), head.tests.tied.p)
                              : shape.has_law ? fmt::format("head {}: outliers {}, p {:.2g}", name_of(head),
                                                            outliers_of(head), head.tests.product.p)
                                              : fmt::format("head {}", name_of(head));
    // Outliers are those of the law of a random product.
    gallery.panels.push_back({title, std::move(values), shape.tied ? 0 : head.outliers.count, panel_table(head)});
  }
  return gallery;
}

void add_galleries(const Inspection& found, report::Page& page) {
  std::set<Shape> shapes;
  for (const HeadReport& head : found.heads)
    if (head.inspected()) shapes.insert(shape_of(head));
  for (const Shape& shape : shapes) {
    report::Section section{fmt::format("Spectra of heads with m = {}, d = {}{}", shape.m, shape.d,
                                        shape.tied      ? ", like tied ones"
                                        : shape.has_law ? ", by evidence"
                                                        : ", without a null law")};
    section.gallery = gallery_of(found, shape);
    page.sections.push_back(std::move(section));
  }
}

/// One row for every figure of a head, from its description.
void add_glossary(const base::Description& description, const std::string& before, Table& table) {
  base::for_each_field(description, [&](const base::Field& field) {
    const std::string name = before + field.name;
    add(table, name, field.about.symbol, field.about.unit, field.about.doc);
    const base::Type& type = field.type.item ? *field.type.item : field.type;
    if (type.object) add_glossary(type.object(), name + ".", table);
  });
}

/// What the columns about one kind of thing mean.
template <class Struct>
report::Section glossary_of(const char* title) {
  Table table = headed(title, {"figure", "symbol", "unit", "meaning"});
  add_glossary(base::detail::description_of<Struct>(), "", table);
  return section_of(std::move(table));
}

/// c of the logits, of which the map of queries and keys says the rest.
std::string scale_of(const Inspection& found) {
  if (found.map != MapKind::query_key || std::isnan(found.model.logit_scale)) return "";
  return fmt::format(", logits {:.4g} · xᵀ S y", found.model.logit_scale);
}

report::Page page_of(const InspectOutcome& outcome, const std::vector<Table>& tables) {
  const Inspection& found = outcome.inspection;
  report::Page page{
      .title = found.map == MapKind::query_key ? "Query-key maps against their nulls"
                                               : "Output-value maps against their nulls",
      .lead = fmt::format("{}: {} in {}, layout {}, positions {}{}.{}", found.model.file,
                          base::counted(found.model.heads, "head"), base::counted(found.model.layers, "layer"),
                          found.model.architecture, found.model.positions, scale_of(found),
                          found.nulls.empty() ? ""
                                              : " Each head is tested; a claim about a single head holds after Holm's "
                                                "correction.")};
  if (outcome.course)
    for (report::Section& section : course_sections(*outcome.course)) page.sections.push_back(std::move(section));
  add_maps(found, page);
  for (report::Section& section : sections_of(tables)) page.sections.push_back(std::move(section));
  add_galleries(found, page);
  page.sections.push_back(glossary_of<HeadReport>("Glossary"));
  if (outcome.before) page.sections.push_back(glossary_of<HeadChange>("Glossary of changes"));
  if (outcome.course) {
    page.sections.push_back(glossary_of<checkpoint::Step>("Glossary of steps"));
    page.sections.push_back(glossary_of<checkpoint::HeadStep>("Glossary of heads at a step"));
  }
  return page;
}

// ---- warnings ------------------------------------------------------------------------------------------------------

Warnings warnings_of(const Inspection& found) {
  Warnings lines(found.model.notes.begin(), found.model.notes.end());
  for (const HeadReport& head : found.heads)
    if (!head.inspected()) lines.push_back(fmt::format("head {}: {}", name_of(head), head.defect));
  const auto heavy =
      std::count_if(found.heads.begin(), found.heads.end(), [](const HeadReport& head) { return head.heavy_tailed(); });
  if (heavy > 0)
    lines.push_back(
        fmt::format("heavy-tailed entries (kurtosis > {:g}): {} of {}; for these N1 is about entries; read p N2s{}",
                    checkpoint::kHeavyTails, heavy, base::counted(found.heads.size(), "head"),
                    found.exact_tables ? " and p shuffle" : ", and p shuffle of --exact-tables"));
  const auto lower = std::count_if(found.heads.begin(), found.heads.end(),
                                   [](const HeadReport& head) { return head.tests.lower_rank.value_or(false); });
  if (lower > 0)
    lines.push_back(fmt::format(
        "a factor of lower rank than it has rows, as that of an adapter, is no random one: N1 is not asked of {} of {}",
        lower, base::counted(found.heads.size(), "head")));
  const auto too_few = std::count_if(found.heads.begin(), found.heads.end(),
                                     [](const HeadReport& head) { return head.fit.too_few_samples; });
  if (too_few > 0)
    lines.push_back(
        fmt::format("a spectrum that needs more than --samples (column αK ≥): {} of {}, without decay and noise",
                    too_few, base::counted(found.heads.size(), "head")));
  if (const auto& skipped = found.model.skipped; skipped.size() == 1)
    lines.push_back(fmt::format("left out: {}: {}", skipped.front().name, skipped.front().reason));
  else if (!skipped.empty())
    lines.push_back(fmt::format("{} tensors or layers were left out, which the last table lists", skipped.size()));
  return lines;
}

/// Whether every head has figures at every step.
bool complete(const checkpoint::Course& course) {
  return std::all_of(course.heads.begin(), course.heads.end(),
                     [](const checkpoint::HeadStep& head) { return head.defect.empty(); });
}

/// Heads without figures at a step before the last, which stands among the others.
void append_defects(const checkpoint::Course& course, Warnings& lines) {
  for (const checkpoint::HeadStep& head : course.heads)
    if (!head.defect.empty() && static_cast<std::size_t>(head.step) + 1 < course.steps.size())
      lines.push_back(fmt::format("step {:g}, head {}: {}", course.steps[static_cast<std::size_t>(head.step)].number,
                                  name_of(head.layer, head.head, head.block), head.defect));
}

}  // namespace

Result show(const InspectOutcome& outcome, bool draw) {
  const Inspection& found = outcome.inspection;
  Result result{.tables = tables_of(outcome), .rows = rows_of(outcome), .warnings = warnings_of(found)};
  if (outcome.course) append_defects(*outcome.course, result.warnings);
  result.converged = found.complete() && (!outcome.before || outcome.before->complete()) &&
                     (found.keep_going || !outcome.course || complete(*outcome.course));
  result.tables.front().title +=
      fmt::format(": {}, layout {}, positions {}{}, {}", found.model.file, found.model.architecture,
                  found.model.positions, scale_of(found), found.exact_tables ? "exact tables" : "closed forms");
  if (draw) result.page = page_of(outcome, result.tables);
  return result;
}

}  // namespace attnlaw::view
