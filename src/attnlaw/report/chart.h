#pragma once
/// Draws charts, which are Vega-Lite v5 specifications with their data inside; web/*.json has their templates.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/report/chart.h"
///
/// namespace report = attnlaw::report;
/// const report::Chart chart = report::errors_chart({
///     .title = "Learning curve",
///     .description = "Test error against the number of samples.",
///     .x = {.title = "alpha"},
///     .y = {.title = "error", .scale = report::Scale::log},
///     .series = {{.name = "test", .theory = {{0.5, 0.2}, {1, 0.1}, {2, 0.05}}, .experiment = {{1, 0.11, 0.02}}}},
/// });
/// std::printf("%zu bytes of CSV\n", report::csv(chart.data).size());
/// ```

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/report/table.h"

namespace attnlaw::report {

/// A chart is a drawing together with the text and the numbers that stand in for it where it cannot be seen.
struct Chart {
  /// One or two sentences that say what is shown, for screen readers.
  std::string description;
  nlohmann::json spec;
  /// The numbers that are drawn.
  Table data;
};

enum class Scale { linear, log };

struct Axis {
  std::string title;
  Scale scale = Scale::linear;
  std::string id = {};  ///< the name of its column in CSV; empty: the title
  /// Of an axis x of errors: words that stand at 0, 1, 2, … in place of numbers. There are no lines between words.
  std::vector<std::string> words = {};
};

struct Point {
  double x = 0;
  double y = 0;
  /// This is half the length of the error bar; at 0 or NaN the point has none.
  double standard_error = 0;
  /// Of a measured point, the prediction for the very systems that were measured; NaN: there is none.
  double own_theory = std::numeric_limits<double>::quiet_NaN();
};

/// What something on a page is of, in words ("α = 0.3") and by the names of CSV ("alpha", 0.3): a point of a curve
/// leads to the spectra that agree with it.
struct Subject {
  std::string name = {};
  std::vector<std::pair<std::string, Cell>> keys = {};
};

/// A series is one quantity: the predicted curve (ascending x; a value that is not finite breaks the line) and the
/// measured points.
struct Series {
  std::string name;
  std::vector<Point> theory = {};
  std::vector<Point> experiment = {};
  /// The guide is a dotted line with which the curve is compared, e.g. a power law.
  std::vector<Point> guide = {};
  /// Says what the series is of, in columns of the table: ("figure", "test"), ("lambda", 0.1).
  std::vector<std::pair<std::string, Cell>> keys = {};
  /// Series of one group have one colour: what was measured at several d, and the line through it. Empty: a group
  /// alone.
  std::string group = {};
};

/// A rule is a vertical line with its label.
struct Rule {
  std::string label;
  double x = 0;
};

/// This chart draws lines of theory through experimental points.
struct ErrorsChart {
  std::string title;
  std::string description;
  Axis x;
  Axis y;
  std::vector<Series> series = {};
  std::vector<Rule> rules = {};
  /// The notes and the table call the guides by this name, e.g. "predicted exponents".
  std::string guide_title = "guide";
};

/// Makes the chart of errors. Values that cannot be drawn (not finite, or not positive on a logarithmic axis) are left
/// out and counted in the subtitle; they stay in the table. An error bar that would reach below zero on a logarithmic
/// axis ends at the lowest drawn value. Series have one of six colours, those of a group the same; beyond six, dashes
/// tell lines of one colour apart, and shapes the points of a group. Throws std::invalid_argument if two series have
/// the same name.
Chart errors_chart(const ErrorsChart& chart);

/// This chart draws a measured spectrum as a histogram under the predicted law, and the atom at zero as bars whose
/// height is its mass, on an axis of their own.
struct SpectrumChart {
  std::string title;
  std::string description = {};
  /// This noun, in the singular, names one value of the spectrum.
  std::string value = "eigenvalue";
  /// Density of the predicted law off zero, ascending x; its integral is 1 - predicted_zero_mass. May be empty.
  std::vector<Point> density = {};
  double predicted_zero_mass = 0;
  /// The predicted eigenvalues outside the bulk.
  std::vector<double> outliers = {};
  /// All measured eigenvalues stand here together; without any, the prediction is drawn alone.
  std::vector<double> eigenvalues = {};
  /// Measured eigenvalues this close to zero belong to the atom.
  double zero_tolerance = 1e-6;
  /// The number of bins; 0 lets the data choose it (histogram.h).
  int bins = 0;
  Subject subject = {};
};

/// Makes the chart of a spectrum. Values that are not finite are left out and counted in the subtitle. Throws
/// std::invalid_argument if the number of bins or the tolerance is negative.
Chart spectrum_chart(const SpectrumChart& chart);

/// A ridge is the density of one spectrum, ascending x, beside an atom at zero.
struct Ridge {
  Cell at;            ///< its value along the axis of the ridges: a number or a word
  std::string label;  ///< and how that is written
  std::vector<Point> density = {};
  double zero_mass = 0;
  Subject subject = {};
};

/// This chart draws many densities one before the other, from the first at the bottom to the last at the top.
struct RidgeChart {
  std::string title;
  std::string description = {};
  std::string value = "eigenvalue";
  Axis along;  ///< its title; the ridges are evenly spaced
  std::vector<Ridge> ridges = {};
};

Chart ridge_chart(const RidgeChart& chart);

/// A heat map draws one quantity over a plane, as cells around the points of a grid, with lines over them.
struct HeatMap {
  std::string title;
  std::string description;
  Axis x;
  Axis y;
  Axis value;
  /// The values of an axis are ascending, two or more, and positive on a logarithmic axis.
  std::vector<double> x_values;
  std::vector<double> y_values;
  /// There is one row of y for each x.
  std::vector<double> values = {};
  /// The values are numbers of these names; none: they are figures.
  std::vector<std::string> categories = {};
  struct Line {
    std::string name;
    std::vector<Point> points;  ///< a point that is not finite breaks the line
    std::string above = {};     ///< the name of the region above it, up to the next line that has one
    std::string below = {};     ///< the name of the region below it, where it is the lowest of them
  };
  /// What is above a line is at larger x, on its right, instead of at larger y.
  bool above_is_right = false;
  std::vector<Line> lines = {};
};

/// Makes the chart of a heat map. From 60 times 60 cells on the cells are one image, which the page paints from their
/// values: rectangles would leave seams between them. Values that cannot be drawn leave their cell blank and are
/// counted in the subtitle. Throws std::invalid_argument if the number of values is not that of the cells.
Chart heat_map(const HeatMap& map);

}  // namespace attnlaw::report
