#include "attnlaw/view/pooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using laws::Place;
using laws::PoolingChoice;
using laws::PoolingLevel;
using laws::PoolingPrediction;
using laws::PoolingSummary;
using report::Table;

/// This is one of the three matrices, under the names of tables and of JSON.
struct Level {
  const char* title;
  const char* key;
  PoolingLevel PoolingPrediction::*prediction;
  PoolingSummary laws::PoolingExperiment::*measured;
};

constexpr Level kLevels[] = {
    {"vocabulary", "table", &PoolingPrediction::table, &laws::PoolingExperiment::table},
    {"pooled, N = ∞", "population", &PoolingPrediction::population, &laws::PoolingExperiment::population},
    {"pooled, N sequences", "sample", &PoolingPrediction::sample, &laws::PoolingExperiment::sample}};

/// The compared weights stand here under the names of tables and of JSON.
constexpr std::pair<const char*, PoolingChoice laws::PoolingChoices::*> kChoices[] = {
    {"given", &laws::PoolingChoices::given},
    {"mean", &laws::PoolingChoices::mean},
    {"harmonic", &laws::PoolingChoices::harmonic},
    {"optimal", &laws::PoolingChoices::optimal}};

const char* place_of(Place place) {
  static constexpr base::Named<Place> kWords[] = {
      {Place::above, "outlier"}, {Place::gap, "outlier in the gap"}, {Place::hidden, "hidden"}};
  return base::name_in(kWords, place);
}

/// Says how the signal shows: whether there is one is another question.
const char* place_of(const PoolingLevel& level, double mu2) {
  if (level.spike.place != Place::above || level.threshold >= 0) return place_of(level.spike.place);
  return mu2 > 0 ? "outlier, also without signal" : "phantom outlier";
}

/// A matrix has two measured figures, each with its standard error; their cells are empty where there are none.
constexpr int kMeasuredCells = 4;
Row measured_cells(const PoolingSummary* measured) {
  return measured ? row(measured->eigenvalue, measured->alignment) : Row(kMeasuredCells);
}

/// Returns what was measured of a matrix; null if nothing was.
const PoolingSummary* measured(const PoolingOutcome& outcome, const Level& level) {
  return outcome.experiment ? &((*outcome.experiment).*level.measured) : nullptr;
}
const PoolingSummary* measured_nuisance(const PoolingOutcome& outcome) {
  return outcome.experiment && outcome.experiment->nuisance ? &*outcome.experiment->nuisance : nullptr;
}

/// The outcome is named in one line: "δ = 0.5, γ = 0.5, …".
std::string headline(const PoolingOutcome& outcome) {
  const laws::PoolingModel& model = outcome.prediction.model;
  std::string text = fmt::format("δ = {:.6g}, γ = {:.6g}, |μ|² = {:.6g}, α = {:.6g}, κ = {:.6g} (α/κ = {:.6g})",
                                 model.ratios.delta, model.ratios.gamma, model.mu2, model.alpha_pool, model.kappa_pool,
                                 model.alpha_pool / model.kappa_pool);
  if (const auto& sequences = outcome.sequences)
    text += fmt::format("; weights {}, profile {}, L = {}", sequences->weights, sequences->profile,
                        sequences->values.size());
  if (const auto& experiment = outcome.experiment)
    text += fmt::format("; {} instances at d = {}, V = {}, N = {}{}", experiment->instances.size(), experiment->d,
                        experiment->vocabulary, experiment->sequences, experiment->centred ? "" : ", not centred");
  return text;
}

/// The table has threshold, eigenvalue and alignment of the signal in the three matrices, and what was measured.
Table level_table(const PoolingOutcome& outcome) {
  Table table = headed("Signal", {"matrix", "threshold in |μ|²", "signal", "eigenvalue", "alignment"});
  if (outcome.experiment)
    for (const char* name : {"eigenvalue measured", "alignment measured"})
      add_columns(table, {general(name, 4), error_column()});
  for (const Level& entry : kLevels) {
    const PoolingLevel& level = outcome.prediction.*entry.prediction;
    add(table, entry.title, level.threshold, place_of(level, outcome.prediction.model.mu2), level.spike.eigenvalue,
        level.alignment, measured_cells(measured(outcome, entry)));
  }
  if (const auto& nuisance = outcome.nuisance)
    add(table, "mean of the vocabulary", kNothing, place_of(nuisance->place), nuisance->eigenvalue, 0.0,
        measured_cells(measured_nuisance(outcome)));
  return table;
}

Table bulk_table(const PoolingOutcome& outcome) {
  const PoolingPrediction& prediction = outcome.prediction;
  Table table = headed("", {"mass at zero", "band from", "to", "least α/κ of a phantom", "ceiling of the alignment"});
  const auto& experiment = outcome.experiment;
  if (experiment) add_columns(table, {general("Kolmogorov distance of the bulk", 3), error_column()});
  add(table, prediction.zero_mass, prediction.band.lower, prediction.band.upper, prediction.phantom_ratio,
      prediction.ceiling, experiment ? &experiment->kolmogorov_distance : nullptr);
  return table;
}

std::optional<Table> fixed_length_table(const PoolingOutcome& outcome) {
  if (!outcome.fixed_length) return std::nullopt;
  Table table = headed(fmt::format("Sequences of {} tokens, not of many", outcome.sequences->values.size()),
                       {"mass at zero", general("Kolmogorov distance to the law above", 3)});
  const bool measured = outcome.experiment && outcome.experiment->fixed_length_distance;
  if (measured) add_columns(table, {general("of the measured bulk", 3), error_column()});
  add(table, outcome.fixed_length->zero_mass, outcome.fixed_length->distance,
      measured ? &*outcome.experiment->fixed_length_distance : nullptr);
  return table;
}

std::optional<Table> weights_table(const PoolingOutcome& outcome) {
  if (!outcome.weights) return std::nullopt;
  Table table = headed("Weights", {"weights", "α", "κ", "α/κ", "threshold in |μ|²"});
  if (const std::optional<double> crossing = outcome.weights->harmonic_crossing)
    table.title +=
        std::isnan(*crossing)
            ? ": harmonic never beats the mean at this length"
            : fmt::format(": harmonic beats the mean for a decay B > {:.5f} at this length ({:.5f} as L → ∞)",
                          *crossing, laws::kHarmonicCrossingLimit);
  for (const auto& [name, member] : kChoices) {
    const PoolingChoice& choice = outcome.weights->compared.*member;
    add(table, name, choice.scalars.alpha, choice.scalars.kappa, choice.scalars.ratio(), choice.threshold);
  }
  return table;
}

Table rows_of(const PoolingOutcome& outcome) {
  Table table =
      records({"kind", "name", "eigenvalue", "alignment", "threshold", "place", "density", "mass", "alpha_pool",
               "kappa_pool", "measured_eigenvalue", "eigenvalue_error", "measured_alignment", "alignment_error"});
  const auto add_spike = [&](const Fields& cells, const auto& predicted, const PoolingSummary* measured) {
    add_row(table, cells, predicted);
    if (measured) std::ranges::copy(measured_cells(measured), table.rows.back().end() - kMeasuredCells);
  };
  for (const Level& entry : kLevels)
    add_spike({{"kind", "level"}, {"name", entry.key}}, outcome.prediction.*entry.prediction, measured(outcome, entry));
  if (outcome.nuisance)
    add_spike({{"kind", "nuisance"}, {"alignment", 0.0}}, *outcome.nuisance, measured_nuisance(outcome));
  add_row(table, {{"kind", "zero"}, {"eigenvalue", 0.0}, {"mass", outcome.prediction.zero_mass}});
  if (outcome.weights)
    for (const auto& [name, member] : kChoices)
      add_row(table, {{"kind", "weights"}, {"name", name}}, outcome.weights->compared.*member);
  const auto add_density = [&](const char* kind, const auto& law) {
    for (std::size_t i = 0; i < law.x.size(); ++i)
      add_row(table, {{"kind", kind}, {"eigenvalue", law.x[i]}, {"density", law.density[i]}});
  };
  add_density("density", outcome.density);
  if (outcome.fixed_length) add_density("fixed_length_density", *outcome.fixed_length);
  if (outcome.experiment)
    for (const double x : outcome.experiment->eigenvalues())
      add_row(table, {{"kind", "eigenvalue"}, {"eigenvalue", x}});
  return table;
}

report::Chart spectrum_chart(const PoolingOutcome& outcome) {
  const PoolingPrediction& prediction = outcome.prediction;
  const bool hidden = prediction.sample.spike.place == Place::hidden;
  report::SpectrumChart chart{
      .title = "Spectrum of the covariance of pooled sequences",
      .description = fmt::format("Density of the eigenvalues between {:.4g} and {:.4g}{}{}.", prediction.band.lower,
                                 prediction.band.upper, outcome.experiment ? ", over a histogram of measured ones" : "",
                                 hidden ? "; no outlier" : ", with an outlier"),
      .density = points(outcome.density.x, outcome.density.density),
      .predicted_zero_mass = prediction.zero_mass};
  // Densities that diverge at 0 would flatten the rest of the chart.
  constexpr double kTallest = 10;
  const double typical = (1 - prediction.zero_mass) / (prediction.band.upper - prediction.band.lower);
  std::erase_if(chart.density, [&](const report::Point& point) { return !(point.y < kTallest * typical); });
  if (!hidden) chart.outliers.push_back(prediction.sample.spike.eigenvalue);
  if (outcome.nuisance && outcome.nuisance->place != Place::hidden)
    chart.outliers.push_back(outcome.nuisance->eigenvalue);
  std::sort(chart.outliers.begin(), chart.outliers.end());
  if (outcome.experiment) chart.eigenvalues = outcome.experiment->eigenvalues();
  return report::spectrum_chart(chart);
}

/// The chart draws the alignment against the strength of the signal.
report::Chart alignment_chart(const PoolingOutcome& outcome) {
  const PoolingPrediction& prediction = outcome.prediction;
  constexpr int kPoints = 240;
  constexpr double kBeyond = 2;  // times the largest threshold or the signal
  double most = std::max(prediction.model.mu2, prediction.table.threshold);
  if (std::isfinite(prediction.sample.threshold)) most = std::max(most, prediction.sample.threshold);
  report::ErrorsChart chart{
      .title = "Alignment with the signal",
      .description =
          "Squared overlap of the outlier with the signal against the strength of the signal, in the vocabulary, for "
          "infinitely many pooled sequences, and for N of them; each is zero up to its threshold.",
      .x = {"|μ|²", Scale::linear, "mu2"},
      .y = {"squared overlap"}};
  for (const Level& entry : kLevels) {
    report::Series series{entry.title};
    for (int i = 0; i <= kPoints; ++i) {
      laws::PoolingModel model = prediction.model;
      model.mu2 = kBeyond * most * i / kPoints;
      series.theory.push_back({model.mu2, (laws::predict_pooling(model).*entry.prediction).alignment});
    }
    if (const PoolingSummary* found = measured(outcome, entry))
      series.experiment.push_back(measured_point(prediction.model.mu2, found->alignment));
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

Warnings warnings_of(const PoolingOutcome& outcome) {
  Warnings result;
  const PoolingPrediction& prediction = outcome.prediction;
  if (prediction.phantom())
    result.push_back(
        fmt::format("α/κ > {:.6g}: the sample has an outlier even without a signal; an outlier shows that tokens are "
                    "correlated, not that |μ|² > 0",
                    prediction.phantom_ratio));
  if (outcome.nuisance && outcome.nuisance->place == Place::above &&
      outcome.nuisance->eigenvalue > prediction.sample.spike.eigenvalue)
    result.push_back("not centred: the largest eigenvalue belongs to the mean of the vocabulary, not to the signal");
  const double excess = outcome.weights ? outcome.weights->fixed_length_excess : 0;
  constexpr double kNegligible = 1e-3;  // where the Kolmogorov distance of the bulk begins to see it: L = 2 to 4
  if (excess > kNegligible)
    result.push_back(fmt::format(
        "the weights rest on few positions: the law is that of many, and the fourth moment of the spectrum is "
        "{:.2g} % larger{}",
        100 * excess, outcome.fixed_length ? "" : " (--fixed-length gives the law of this length)"));
  return result;
}

report::Page page_of(const PoolingOutcome& outcome) {
  report::Page page{"Signal recovery from attention-pooled sequences",
                    headline(outcome),
                    {{"Spectrum", "", spectrum_chart(outcome), bulk_table(outcome)}}};
  if (const auto table = fixed_length_table(outcome)) page.sections.push_back(section_of(*table));
  page.sections.push_back({"Signal",
                           "The vocabulary hides a signal below a first threshold, pooling infinitely many sequences "
                           "shifts it, and a finite number of sequences puts a second one above it.",
                           alignment_chart(outcome), level_table(outcome)});
  if (const auto table = weights_table(outcome)) page.sections.push_back(section_of(*table));
  return page;
}

}  // namespace

Result show(const PoolingOutcome& outcome, bool draw) {
  Result result{.tables = {level_table(outcome), bulk_table(outcome)},
                .rows = rows_of(outcome),
                .warnings = warnings_of(outcome)};
  result.tables.front().title = "Attention pooling: " + headline(outcome);
  for (const auto& table : {fixed_length_table(outcome), weights_table(outcome)})
    if (table) result.tables.push_back(*table);
  if (draw) result.page = page_of(outcome);
  return result;
}

}  // namespace attnlaw::view
