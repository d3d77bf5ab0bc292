#include "attnlaw/report/chart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attnlaw/report/histogram.h"
#include "report/samples.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

const double nan = std::numeric_limits<double>::quiet_NaN();

/// The layers of a chart, those of a layer in its place.
std::vector<json> layers_of(const json& spec) {
  std::vector<json> layers;
  for (const json& one : spec.at("layer")) {
    const std::vector<json> inner = one.contains("layer") ? layers_of(one) : std::vector{one};
    layers.insert(layers.end(), inner.begin(), inner.end());
  }
  return layers;
}

json layer(const Chart& chart, const std::string& name) {
  for (const json& one : layers_of(chart.spec)) {
    if (one.at("name") == name) return one;
  }
  return nullptr;
}

std::vector<std::string> layer_names(const Chart& chart) {
  std::vector<std::string> names;
  for (const json& one : layers_of(chart.spec)) names.push_back(one.at("name"));
  return names;
}

/// No null stands for a number anywhere in the data.
void expect_numbers_are_finite(const json& datasets) {
  for (const auto& [name, rows] : datasets.items()) {
    for (const json& row : rows) {
      for (const auto& [field, value] : row.items()) EXPECT_FALSE(value.is_null()) << name << "." << field;
    }
  }
}

TEST(ErrorsChart, DrawsLinesBarsAndPointsFromInlinedData) {
  const Chart chart = errors_chart(test::learning_curves(40, 8));
  EXPECT_EQ(chart.spec.at("$schema"), "https://vega.github.io/schema/vega-lite/v5.json");
  EXPECT_EQ(chart.spec.at("width"), "container");
  EXPECT_EQ(layer_names(chart), (std::vector<std::string>{"theory", "theory_hover", "error_bars", "experiment"}));
  EXPECT_EQ(chart.spec.at("datasets").at("theory").size(), 3 * 40);
  EXPECT_EQ(chart.spec.at("datasets").at("experiment").size(), 3 * 8);
  EXPECT_EQ(layer(chart, "theory").at("mark").at("type"), "line");
  EXPECT_EQ(layer(chart, "error_bars").at("encoding").at("y").at("field"), "lower");
  EXPECT_EQ(layer(chart, "error_bars").at("encoding").at("y2").at("field"), "upper");
  EXPECT_EQ(layer(chart, "experiment").at("encoding").at("y").at("scale").at("type"), "log");
  EXPECT_FALSE(layer(chart, "experiment").at("encoding").at("x").at("scale").contains("type"));
  EXPECT_EQ(layer(chart, "experiment").at("encoding").at("x").at("title"), "α = n/d²");
}

TEST(ErrorsChart, EverySeriesHasItsColourAndShape) {
  const Chart chart = errors_chart(test::learning_curves(4, 4));
  const json encoding = layer(chart, "experiment").at("encoding");
  for (const char* channel : {"color", "shape"}) {
    const json scale = encoding.at(channel).at("scale");
    EXPECT_EQ(scale.at("domain"), (json{"train", "test", "estimation"}));
    EXPECT_EQ(std::set<std::string>(scale.at("range").begin(), scale.at("range").end()).size(), 3);
  }
}

/// What was measured at several d has the colour of its theory; its shape tells the d.
TEST(ErrorsChart, SeriesOfAGroupShareTheirColour) {
  ErrorsChart chart{.title = "", .description = "", .x = {}, .y = {}};
  for (const char* figure : {"train", "test"}) {
    chart.series.push_back({.name = figure, .theory = {{0, 1}, {1, 2}}, .group = figure});
    for (const char* d : {"16", "24"})
      chart.series.push_back({.name = std::string(figure) + d, .experiment = {{1, 2}}, .group = figure});
  }
  const json encoding = layer(errors_chart(chart), "experiment").at("encoding");
  const json colours = encoding.at("color").at("scale").at("range"),
             shapes = encoding.at("shape").at("scale").at("range");
  EXPECT_EQ(shapes, (json{"stroke", "circle", "square", "stroke", "circle", "square"}));
  for (const int i : {1, 2, 4, 5}) EXPECT_EQ(colours[i], colours[i / 3 * 3]) << i;
  EXPECT_NE(colours[0], colours[3]);
}

TEST(ErrorsChart, ErrorBarsReachOneStandardErrorToEachSide) {
  const Chart chart =
      errors_chart({.title = "", .description = "", .x = {}, .y = {}, .series = {{"a", {}, {{1, 4, 0.5}}}}});
  const json row = chart.spec.at("datasets").at("experiment").at(0);
  EXPECT_EQ(row,
            (json{{"series", "a"}, {"x", 1.0}, {"y", 4.0}, {"lower", 3.5}, {"upper", 4.5}, {"standard_error", 0.5}}));
}

TEST(ErrorsChart, ValuesThatAreNotFiniteBreakTheLineAndAreCounted) {
  const Chart chart =
      errors_chart({.title = "t",
                    .description = "",
                    .x = {},
                    .y = {},
                    .series = {{"a", {{1, 1}, {2, nan}, {3, 3}, {4, 4}}, {{1, INFINITY, 1}, {2, 2, nan}}}}});
  const json theory = chart.spec.at("datasets").at("theory");
  ASSERT_EQ(theory.size(), 3);
  EXPECT_NE(theory[0].at("piece"), theory[1].at("piece"));
  EXPECT_EQ(theory[1].at("piece"), theory[2].at("piece"));
  const json experiment = chart.spec.at("datasets").at("experiment");
  ASSERT_EQ(experiment.size(), 1);
  EXPECT_FALSE(experiment[0].contains("lower"));
  EXPECT_EQ(chart.spec.at("title").at("subtitle").back(), "Not drawn: 2 values not finite.");
  expect_numbers_are_finite(chart.spec.at("datasets"));
  EXPECT_EQ(chart.data.rows.size(), 4);
}

TEST(ErrorsChart, LogarithmicAxesLeaveOutWhatTheyCannotShow) {
  const Chart chart = errors_chart({.title = "t",
                                    .description = "",
                                    .x = {.title = "x", .scale = Scale::log},
                                    .y = {.title = "y", .scale = Scale::log},
                                    .series = {{"a", {{0, 1}, {1, 0}, {2, 0.1}}, {{1, 0.2, 0.5}, {2, -1, 0.1}}}}});
  EXPECT_EQ(chart.spec.at("datasets").at("theory").size(), 1);
  const json experiment = chart.spec.at("datasets").at("experiment");
  ASSERT_EQ(experiment.size(), 1);
  EXPECT_EQ(experiment[0].at("lower"), 0.1) << "ends at the lowest value that is drawn";
  EXPECT_EQ(chart.spec.at("title").at("subtitle").back(), "Not drawn: 3 values not finite or not positive.");
}

TEST(ErrorsChart, LegendPromisesNoSeriesThatIsNotDrawn) {
  const Chart chart = errors_chart({.title = "",
                                    .description = "",
                                    .x = {},
                                    .y = {"y", Scale::log},
                                    .series = {{"gone", {{1, 0}, {2, 0}}}, {"there", {{1, 1}, {2, 2}}}}});
  EXPECT_EQ(layer(chart, "theory").at("encoding").at("color").at("scale").at("domain"), json{"there"});
  EXPECT_EQ(chart.data.rows.size(), 4u) << "the numbers are all there";
}

/// Charts of a page that draw different series of the same list give each the same colour, shape and dash.
TEST(ErrorsChart, ASeriesThatIsNotDrawnKeepsItsLook) {
  ErrorsChart chart{.title = "", .description = "", .x = {}, .y = {"y", Scale::log}};
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"})
    chart.series.push_back({.name = name, .theory = {{1, 1}, {2, 2}}, .experiment = {{1, 1}}});
  const auto looks = [](const ErrorsChart& asked) {
    const Chart made = errors_chart(asked);
    std::map<std::string, json> found;
    for (const auto& [name, channel] :
         {std::pair{"experiment", "color"}, std::pair{"experiment", "shape"}, std::pair{"theory", "strokeDash"}}) {
      const json scale = layer(made, name).at("encoding").at(channel).at("scale");
      for (std::size_t i = 0; i < scale.at("domain").size(); ++i)
        found[scale.at("domain")[i].get<std::string>()][channel] = scale.at("range")[i];
    }
    return found;
  };
  std::map<std::string, json> whole = looks(chart);
  ASSERT_EQ(whole.size(), 7u);
  EXPECT_NE(whole.at("b"), whole.at("c"));
  for (Point& point : chart.series[1].theory) point.y = 0;
  chart.series[1].experiment[0].y = 0;
  whole.erase("b");
  EXPECT_EQ(looks(chart), whole);
}

TEST(ErrorsChart, LogarithmicTicksAreRoundNumbersWithinTheData) {
  const auto ticks = [](std::vector<Point> points) {
    const Chart chart = errors_chart({.title = "",
                                      .description = "",
                                      .x = {},
                                      .y = {.title = "", .scale = Scale::log},
                                      .series = {{"a", std::move(points), {}}}});
    return layer(chart, "theory").at("encoding").at("y").at("axis").value("values", json::array());
  };
  EXPECT_EQ(ticks({{0, 0.04}, {1, 3}}), (json{0.05, 0.1, 0.2, 0.5, 1.0, 2.0}));
  EXPECT_EQ(ticks({{0, 0.0009}, {1, 20}}), (json{0.001, 0.01, 0.1, 1.0, 10.0}));
  EXPECT_EQ(ticks({{0, 0.21}, {1, 0.4}}), json::array()) << "left to Vega";
}

TEST(ErrorsChart, TablePutsTheoryBesideExperiment) {
  const Chart chart = errors_chart({.title = "t",
                                    .description = "",
                                    .x = {.title = "alpha"},
                                    .y = {},
                                    .series = {{"a", {{1, 10}, {2, 20}}, {{3, 31, 1}, {2, 21, 0}}}}});
  EXPECT_EQ(csv(chart.data),
            "series,alpha,theory,experiment,standard_error\r\na,1,10,,\r\na,2,20,21,\r\na,3,,31,1\r\n");
}

TEST(ErrorsChart, TheoryAloneHasNoPointsLayer) {
  const Chart chart = errors_chart(test::learning_curves(5, 0));
  EXPECT_EQ(layer_names(chart), (std::vector<std::string>{"theory", "theory_hover"}));
}

TEST(ErrorsChart, RefusesTwoSeriesOfOneName) {
  EXPECT_THROW(
      errors_chart({.title = "", .description = "", .x = {}, .y = {}, .series = {{"a", {}, {}}, {"a", {}, {}}}}),
      std::invalid_argument);
}

ErrorsChart scaling_chart() {
  return {.title = "E",
          .description = "error against n",
          .x = {.title = "n", .scale = Scale::log},
          .y = {.title = "E", .scale = Scale::log},
          .series = {{"γ = 1", {{1, 4}, {2, 2}}, {{2, 2.5, 0.5}}, {{1, 3}, {2, 1.5}, {nan, nan}, {4, 1}}}},
          .rules = {{"mode 1", 1.5}, {"mode 2", -1}},
          .guide_title = "predicted exponents"};
}

TEST(ErrorsChart, GuidesAreDottedInTheColourOfTheirSeries) {
  const Chart chart = errors_chart(scaling_chart());
  EXPECT_EQ(layer_names(chart), (std::vector<std::string>{"rules", "rule_labels", "guide", "theory", "theory_hover",
                                                          "error_bars", "experiment"}));
  const json guide = layer(chart, "guide");
  EXPECT_EQ(guide.at("mark").at("strokeDash"), (json{2, 3}));
  EXPECT_EQ(guide.at("encoding").at("color"), layer(chart, "theory").at("encoding").at("color"));
  const json rows = chart.spec.at("datasets").at("guide");
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].at("piece"), rows[1].at("piece"));
  EXPECT_NE(rows[1].at("piece"), rows[2].at("piece"));
  EXPECT_EQ(chart.spec.at("title").at("subtitle"),
            (json{"Lines: theory. Points: experiment.", "Error bars: one standard error to each side.",
                  "Dotted: predicted exponents."}))
      << "the break between two pieces is no value left out";
  expect_numbers_are_finite(chart.spec.at("datasets"));
}

TEST(ErrorsChart, RulesStandAtTheirXWithTheirLabels) {
  const Chart chart = errors_chart(scaling_chart());
  EXPECT_EQ(chart.spec.at("datasets").at("rules"), (json::array({{{"label", "mode 1"}, {"x", 1.5}}})))
      << "-1 has no place on a logarithmic axis";
  EXPECT_EQ(layer(chart, "rules"), json::parse(R"({
    "name": "rules", "data": {"name": "rules"},
    "mark": {"type": "rule", "style": "annotation", "strokeDash": [4, 3], "opacity": 0.7, "clip": true},
    "encoding": {"x": {"field": "x", "type": "quantitative", "title": "n", "axis": {"format": "~g", "values": [1.0, 2.0]},
                       "scale": {"type": "log", "nice": false, "padding": 10}}}})"));
  EXPECT_EQ(layer(chart, "rule_labels").at("encoding").at("text").at("field"), "label");
}

/// Words have places 0, 1, … on their axis, no line between them, and stand in the table.
TEST(ErrorsChart, WordsHavePlaces) {
  ErrorsChart words{.title = "errors",
                    .description = "errors of students",
                    .x = {.title = "student", .words = {"tied", "direct"}},
                    .y = {.title = "error"},
                    .series = {{.name = "test", .theory = {{0, 4}, {1, 2}}, .experiment = {{1, 2.5, 0.5}}}}};
  const Chart chart = errors_chart(words);
  EXPECT_EQ(layer_names(chart), (std::vector<std::string>{"theory_at_words", "error_bars", "experiment"}));
  const json x = layer(chart, "experiment").at("encoding").at("x");
  EXPECT_EQ(x.at("axis").at("values"), json({0, 1}));
  EXPECT_EQ(x.at("axis").at("labelExpr"), R"(["tied","direct"][datum.value])");
  EXPECT_EQ(x.at("scale").at("domain"), json({-0.5, 1.5}));
  EXPECT_EQ(chart.spec.at("datasets").at("experiment")[0].at("word"), "direct");
  EXPECT_EQ(csv(chart.data),
            "series,student,theory,experiment,standard_error\r\ntest,tied,4,,\r\ntest,direct,2,2.5,0.5\r\n");
  words.series[0].guide = {{0, 3}};
  EXPECT_EQ(csv(errors_chart(words).data),
            "series,student,theory,experiment,standard_error,guide\r\ntest,tied,4,,,3\r\ntest,direct,2,2.5,0.5,\r\n");
}

/// A measured point may have a prediction of its own, for the very systems that were measured.
TEST(ErrorsChart, PointsHaveTheirOwnTheory) {
  ErrorsChart own = scaling_chart();
  own.series[0].experiment[0].own_theory = 2.25;
  const Chart chart = errors_chart(own);
  EXPECT_EQ(chart.spec.at("datasets").at("experiment")[0].at("own_theory"), 2.25);
  const json tooltip = layer(chart, "experiment").at("encoding").at("tooltip");
  EXPECT_EQ(tooltip.back().at("field"), "own_theory");
  EXPECT_NE(csv(chart.data).find("standard_error,own_theory,guide\r\n"), std::string::npos) << csv(chart.data);
  EXPECT_NE(csv(chart.data).find("γ = 1,2,2,2.5,0.5,2.25,1.5\r\n"), std::string::npos) << csv(chart.data);
  EXPECT_NE(csv(chart.data).find("γ = 1,4,,,,,1\r\n"), std::string::npos) << csv(chart.data);
  EXPECT_EQ(layer(errors_chart(scaling_chart()), "experiment").at("encoding").at("tooltip").size(), tooltip.size() - 1);
  // What stands where no line is has its theory all the same.
  own.series[0].theory.clear();
  EXPECT_NE(csv(errors_chart(own).data).find("γ = 1,2,2.25,2.5,0.5,2.25,"), std::string::npos)
      << csv(errors_chart(own).data);
}

/// A layer without rows would have no extent, of which the browser warns.
TEST(ErrorsChart, HasNoErrorBarsWithoutStandardErrors) {
  ErrorsChart bare = scaling_chart();
  for (Series& series : bare.series)
    for (Point& point : series.experiment) point.standard_error = 0;
  EXPECT_TRUE(layer(errors_chart(bare), "error_bars").is_null());
  EXPECT_FALSE(layer(errors_chart(bare), "experiment").is_null());
}

/// Bars of atoms do not reach into the ridges behind the next.
TEST(RidgeChart, AtomsAreAtMostOneRowHigh) {
  RidgeChart ridges{.title = "Densities", .along = {"α"}};
  for (const double mass : {0.2, 0.8, 0.0})
    ridges.ridges.push_back({.at = mass, .label = "x", .density = {{0.5, 1}, {1, 2}}, .zero_mass = mass});
  const json atoms = ridge_chart(ridges).spec.at("datasets").at("atoms");
  ASSERT_EQ(atoms.size(), 2u);
  EXPECT_EQ(atoms[0].at("top").get<double>() - atoms[0].at("ridge").get<double>(), 1);
  EXPECT_EQ(atoms[1].at("top").get<double>() - atoms[1].at("ridge").get<double>(), 0.25);
}

/// A narrow band of one spectrum leaves the others their height.
TEST(RidgeChart, CutsOffADensityThatWouldFlattenTheOthers) {
  RidgeChart ridges{.title = "Densities", .along = {"α"}};
  for (const double peak : {1.0, 2.0, 1.5, 100.0})
    ridges.ridges.push_back({.at = peak, .label = "x", .density = {{0.5, 0}, {1, peak}}});
  const Chart chart = ridge_chart(ridges);
  double cut = 0, least = std::numeric_limits<double>::infinity();
  for (const json& row : chart.spec.at("datasets").at("ridges")) {
    if (row.at("density") == 0) continue;
    const double height = row.at("top").get<double>() - row.at("ridge").get<double>();
    cut = std::max(cut, height), least = std::min(least, height);
  }
  EXPECT_NEAR(cut / least, 4, 1e-12) << "twice the median of the peaks, 2";
  EXPECT_NE(chart.spec.at("title").at("subtitle").dump().find("Cut off: densities beyond 4."), std::string::npos);
  EXPECT_NE(csv(chart.data).find(",100\r\n"), std::string::npos) << "the numbers are whole";
}

/// The law is a line, in the legend as well.
TEST(SpectrumChart, LegendShowsALineForTheLaw) {
  const Chart chart = spectrum_chart({.title = "s", .density = {{0, 0}, {1, 1}}, .eigenvalues = {0.2, 0.4, 0.6}});
  const json shape =
      layer(chart, "density").at("encoding").at("color").at("legend").at("encoding").at("symbols").at("shape");
  EXPECT_NE(shape.dump().find("'predicted' ? 'stroke'"), std::string::npos) << shape;
  const auto legend_values = [](const Chart& drawn) {
    return layer(drawn, "density").at("encoding").at("color").at("legend").at("values").size();
  };
  EXPECT_EQ(legend_values(chart), 2u);
  EXPECT_EQ(legend_values(spectrum_chart({.title = "s", .density = {{0, 0}, {1, 1}}})), 1u);
}

TEST(ErrorsChart, TableHasGuidesAndRules) {
  EXPECT_EQ(csv(errors_chart(scaling_chart()).data),
            "series,n,theory,experiment,standard_error,guide\r\n"
            "γ = 1,1,4,,,3\r\n"
            "γ = 1,2,2,2.5,0.5,1.5\r\n"
            "γ = 1,4,,,,1\r\n"
            "mode 1,1.5,,,,\r\n"
            "mode 2,-1,,,,\r\n");
}

TEST(ErrorsChart, BeyondSixSeriesDashesTellLinesOfOneColourApart) {
  ErrorsChart many{.title = "", .description = "", .x = {}, .y = {}, .series = {}};
  for (int i = 0; i < 6; ++i) many.series.push_back({std::to_string(i), {{0, 1}, {1, 2}}, {}});
  EXPECT_FALSE(layer(errors_chart(many), "theory").at("encoding").contains("strokeDash"));
  for (int i = 6; i < 24; ++i) many.series.push_back({std::to_string(i), {{0, 1}, {1, 2}}, {}});
  const json encoding = layer(errors_chart(many), "theory").at("encoding");
  std::set<std::string> looks;
  for (std::size_t i = 0; i < many.series.size(); ++i)
    looks.insert(encoding.at("color").at("scale").at("range")[i].dump() +
                 encoding.at("strokeDash").at("scale").at("range")[i].dump());
  EXPECT_EQ(looks.size(), 24);
  EXPECT_EQ(encoding.at("strokeDash").at("scale").at("domain"), encoding.at("color").at("scale").at("domain"))
      << "one legend for both";
}

TEST(ErrorsChart, CsvHasPlainIdentifiersAndWhatASeriesIsOf) {
  const Chart chart = errors_chart({.title = "",
                                    .description = "",
                                    .x = {.title = "α = n/d²", .id = "alpha"},
                                    .y = {},
                                    .series = {{.name = "test, λ = 0.1",
                                                .theory = {{1, 2}},
                                                .experiment = {{1, 2.5, 0.5}},
                                                .keys = {{"figure", "test"}, {"lambda", 0.1}}},
                                               {.name = "train", .theory = {{1, 3}}, .keys = {{"figure", "train"}}}}});
  EXPECT_EQ(csv(chart.data),
            "series,alpha,theory,experiment,standard_error,figure,lambda\r\n"
            "\"test, λ = 0.1\",1,2,2.5,0.5,test,0.1\r\n"
            "train,1,3,,,train,\r\n");
}

TEST(Histogram, HasThirtyBinsOrMoreWhereThereAreValuesForThem) {
  EXPECT_GE(histogram(test::semicircle_spectrum(50, 200).eigenvalues, 0, 1e-6).bins.size(), 30U);
  EXPECT_LE(histogram(test::semicircle_spectrum(50, 20).eigenvalues, 0, 1e-6).bins.size(), 6U);
}

TEST(Histogram, HasMassOneTogetherWithTheAtom) {
  const auto sample = test::semicircle_spectrum(50, 500);
  for (const int bins : {0, 1, 7, 40}) {
    const Histogram found = histogram(sample.eigenvalues, bins, 1e-6);
    double mass = found.zero_mass;
    for (const Bin& bin : found.bins) mass += bin.density * (bin.upper - bin.lower);
    EXPECT_NEAR(mass, 1, 1e-12);
    EXPECT_NEAR(found.zero_mass, 0.4, 1e-12);
    if (bins > 0) {
      EXPECT_EQ(found.bins.size(), static_cast<std::size_t>(bins));
    }
  }
}

TEST(Histogram, CountsTheLargestValueInTheLastBin) {
  const std::vector<double> values = {1, 2, 3, 4};
  const Histogram found = histogram(values, 3, 0);
  EXPECT_EQ(found.bins[0].count, 1);
  EXPECT_EQ(found.bins[1].count, 1);
  EXPECT_EQ(found.bins[2].count, 2);
  EXPECT_EQ(found.bins[2].upper, 4);
}

TEST(Histogram, HandlesEqualEmptyAndNotFiniteValues) {
  EXPECT_TRUE(histogram({}, 0, 0).bins.empty());
  const std::vector<double> equal = {3, 3, 3};
  EXPECT_EQ(histogram(equal, 0, 0).bins.at(0).count, 3);
  const std::vector<double> zeros = {0, 0};
  EXPECT_EQ(histogram(zeros, 0, 0).zero_mass, 1);
  const std::vector<double> bad = {nan, 1, INFINITY};
  EXPECT_EQ(histogram(bad, 0, 0).not_finite, 2);
  EXPECT_THROW(histogram(equal, -1, 0), std::invalid_argument);
  EXPECT_THROW(histogram(equal, 0, nan), std::invalid_argument);
}

TEST(Histogram, NumberOfBinsIsBoundedForFarOutliers) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 1.0);
  values.push_back(1e9);
  EXPECT_EQ(histogram(values, 0, 0).bins.size(), 120);
}

TEST(SpectrumChart, DrawsBarsDensityAndAtom) {
  auto sample = test::semicircle_spectrum(50, 500);
  sample.outliers = {2.5};
  sample.bins = 20;
  const Chart chart = spectrum_chart(sample);
  EXPECT_EQ(layer_names(chart),
            (std::vector<std::string>{"histogram", "density", "density_hover", "outliers", "atom", "atom_label"}));
  EXPECT_EQ(chart.spec.at("datasets").at("histogram").size(), 20);
  EXPECT_EQ(chart.spec.at("datasets").at("density").size(), 50);
  const json atom = chart.spec.at("datasets").at("atom");
  ASSERT_EQ(atom.size(), 2);
  EXPECT_EQ(atom[0].at("kind"), "measured");
  EXPECT_NEAR(atom[0].at("mass").get<double>(), 0.4, 1e-12);
  EXPECT_EQ(atom[0].at("right"), 0);
  EXPECT_EQ(atom[1].at("kind"), "predicted");
  EXPECT_EQ(atom[1].at("mass"), 0.4);
  EXPECT_EQ(atom[1].at("left"), 0);
  EXPECT_EQ(layer(chart, "atom").at("encoding").at("y").at("field"), "mass") << "its height is its mass";
  EXPECT_EQ(chart.spec.at("datasets").at("atom_label").at(0).at("label"),
            "mass at 0\npredicted 0.4000\nmeasured 0.4000");
  const json domain = layer(chart, "histogram").at("encoding").at("x").at("scale").at("domain");
  EXPECT_LT(domain[0], 0);
  EXPECT_GT(domain[1], 2.5);
  EXPECT_EQ(chart.data.rows.size(), 1 + 1 + 20 + 50) << "atom, outlier, bars, density";
}

TEST(SpectrumChart, PredictionAloneNeedsNoEigenvalues) {
  const Chart chart = spectrum_chart({.title = "", .description = "", .density = {{1, 0}, {2, 1}, {3, nan}, {4, 0}}});
  EXPECT_EQ(layer_names(chart), (std::vector<std::string>{"density", "density_hover"}));
  expect_numbers_are_finite(chart.spec.at("datasets"));
  EXPECT_EQ(chart.data.rows.size(), 4);
}

TEST(SpectrumChart, ADivergingDensityDoesNotFlattenTheBars) {
  auto sample = test::semicircle_spectrum(50, 500);
  sample.density.front().y = 1e6;
  const json top = layer(spectrum_chart(sample), "histogram").at("encoding").at("y").at("scale").at("domain").at(1);
  EXPECT_LT(top, 3);
}

TEST(SpectrumChart, TableInterpolatesThePrediction) {
  const Chart chart = spectrum_chart(
      {.title = "", .description = "", .density = {{1, 0}, {2, 1}, {3, 0}}, .eigenvalues = {1, 2}, .bins = 2});
  EXPECT_EQ(csv(chart.data),
            "kind,s,predicted,measured,count\r\nbar,1.25,0.25,1,1\r\nbar,1.75,0.75,1,1\r\n"
            "density,1,0,,\r\ndensity,2,1,,\r\ndensity,3,0,,\r\n");
}

}  // namespace
}  // namespace attnlaw::report
