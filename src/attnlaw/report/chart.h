#pragma once
/// Charts as Vega-Lite v5 specifications with their data inside.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/report/table.h"

namespace attnlaw::report {

/// A drawing with what stands in for it where it cannot be seen.
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
};

struct Point {
  double x = 0;
  double y = 0;
  /// Half the length of the error bar; 0 or NaN: no bar.
  double standard_error = 0;
};

/// One quantity: the predicted curve (ascending x; a value that is not finite breaks the line) and the measured points.
struct Series {
  std::string name;
  std::vector<Point> theory;
  std::vector<Point> experiment;
  /// Drawn dotted: what the curve is compared with, e.g. a power law.
  std::vector<Point> guide = {};
};

/// A labelled vertical line.
struct Rule {
  std::string label;
  double x = 0;
};

/// Theory lines through experimental points.
struct ErrorsChart {
  std::string title;
  std::string description;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Rule> rules = {};
  /// What the guides are, e.g. "predicted exponents".
  std::string guide_title = "guide";
};

/// Values that cannot be drawn (not finite, or not positive on a logarithmic axis) are left out and counted in the
/// subtitle; they stay in the table. An error bar that would reach below zero on a logarithmic axis ends at the lowest
/// drawn value. Series have one of six colours; beyond six, dashes tell lines of one colour apart. Throws
/// std::invalid_argument if two series have the same name.
Chart errors_chart(const ErrorsChart& chart);

/// A measured spectrum over the predicted law.
struct SpectrumChart {
  std::string title;
  std::string description;
  /// What one value of the spectrum is, in the singular.
  std::string value = "eigenvalue";
  /// Density of the predicted law off zero, ascending x; its integral is 1 - predicted_zero_mass. May be empty.
  std::vector<Point> density;
  double predicted_zero_mass = 0;
  /// Predicted eigenvalues outside the bulk.
  std::vector<double> outliers = {};
  /// All measured eigenvalues together; empty: the prediction alone.
  std::vector<double> eigenvalues = {};
  /// Measured eigenvalues this close to zero belong to the atom.
  double zero_tolerance = 1e-6;
  /// 0: chosen from the data.
  int bins = 0;
};

Chart spectrum_chart(const SpectrumChart& chart);

/// One quantity over a plane, as cells around the points of a grid, with lines over them.
struct HeatMap {
  std::string title;
  std::string description;
  Axis x;
  Axis y;
  Axis value;
  /// Ascending, two or more each; positive on a logarithmic axis.
  std::vector<double> x_values;
  std::vector<double> y_values;
  /// One row of y for each x.
  std::vector<double> values;
  struct Line {
    std::string name;
    std::vector<Point> points;  ///< what is not finite breaks the line
  };
  std::vector<Line> lines = {};
};

/// Values that cannot be drawn leave their cell blank and are counted in the subtitle. Throws std::invalid_argument if
/// the number of values is not that of the cells.
Chart heat_map(const HeatMap& map);

}  // namespace attnlaw::report
