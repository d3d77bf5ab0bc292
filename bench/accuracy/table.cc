#include "table.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <regex>

namespace attnlaw::accuracy {

void Row::compare(double value, const Real& reference, const Real& scale, const std::function<std::string()>& at) {
  ++points;
  double error = std::numeric_limits<double>::infinity();
  if (std::isfinite(value)) error = static_cast<double>(Real(abs(Real(value) - reference) / scale));
  if (std::isnan(error)) error = reference == value ? 0 : std::numeric_limits<double>::infinity();
  if (points > 1 && error <= worst) return;
  worst = error;
  where = at();
}

namespace {

/// The numbers of a text to 5 digits.
std::string shortened(const std::string& text) {
  static const std::regex number(R"(-?\d+\.\d+(e[-+]\d+)?)");
  std::string result;
  auto last = text.cbegin();
  for (std::sregex_iterator match(text.begin(), text.end(), number), end; match != end; ++match) {
    result.append(last, (*match)[0].first);
    result += fmt::format("{:.5g}", std::stod(match->str()));
    last = (*match)[0].second;
  }
  return result.append(last, text.cend());
}

}  // namespace

std::string Table::markdown() const {
  std::string text = fmt::format("## {}\n\n{}\n\n", title, remarks);
  text += "| what | parameters | points | worst error | allowed | where |\n|---|---|---|---|---|---|\n";
  for (const Row& row : rows)
    text += fmt::format("| {} | {} | {} | {:.1e}{} | {:.0e} | {} |\n", row.quantity, row.range, row.points, row.worst,
                        row.missed() ? " **missed**" : "", row.bound, shortened(row.where));
  return text;
}

double Draw::decades(double low, double high) { return std::pow(10, uniform(low, high)); }

double Draw::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
  return radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
}

}  // namespace attnlaw::accuracy
