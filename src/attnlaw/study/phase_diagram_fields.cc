/// The fields of a phase diagram: the `diagram` of docs/json.md.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/phase_diagram.h"

namespace attnlaw::study {
namespace {

using Json = nlohmann::json;
using D = PhaseDiagram;

/// One figure over the plane: a row of alphas for each value of the variable.
template <class Figure>
base::FieldOf<D> plane(const char* name, Figure figure, const base::About& about) {
  using Number = std::invoke_result_t<Figure, const DiagramPoint&>;
  const auto rows_of = [figure](const D& diagram) {
    std::vector<std::vector<Number>> rows(diagram.values.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t k = 0; k < diagram.alphas.size(); ++k) rows[i].push_back(figure(diagram.at(i, k)));
    return rows;
  };
  return base::figure_of<D>(name, rows_of, about);
}

/// A field that the diagram has of its plane.
template <class Value>
base::FieldOf<D> of_plane(const char* name, Value Plane::*member, const base::About& about) {
  Value D::*const inherited = member;
  return base::field(name, inherited, about);
}

/// The lines of the thresholds, null where there is none.
struct Lines {
  std::vector<Json> recovery, interpolation, bayes_recovery;
};

const base::Description& describe(const Lines*) {
  static const base::Description description{
      "α of every threshold at each value of the variable, null where there is none",
      {base::field("recovery", &Lines::recovery, {.doc = "of the student at λ → 0"}),
       base::field("interpolation", &Lines::interpolation, {.doc = "of the student at λ → 0"}),
       base::field("bayes_recovery", &Lines::bayes_recovery, {.doc = "of the posterior"})}};
  return description;
}

Lines lines_of(const PhaseDiagram& diagram) {
  Lines lines;
  for (const Thresholds& line : diagram.lines) {
    lines.recovery.push_back(line.recovery ? Json(line.recovery->alpha) : Json());
    lines.interpolation.push_back(line.interpolation ? Json(line.interpolation->alpha) : Json());
    lines.bayes_recovery.push_back(base::value_json(line.bayes_recovery));
  }
  return lines;
}

std::vector<Json> reasons_of(const PhaseDiagram& diagram) {
  std::vector<Json> reasons;
  for (const Thresholds& line : diagram.lines) reasons.push_back(base::json_of(line)["reasons"]);
  return reasons;
}

}  // namespace

std::span<const base::Named<DiagramVariable>> names_table(DiagramVariable) {
  static constexpr base::Named<DiagramVariable> kVariables[] = {{DiagramVariable::kappa, "kappa"},
                                                                {DiagramVariable::noise, "noise"}};
  return kVariables;
}

const base::Description& describe(const PhaseDiagram*) {
  using P = DiagramPoint;
  static const base::Description description{
      "solutions over a plane, one row of alphas for each value of the variable",
      {of_plane("variable", &Plane::variable, {.doc = "what varies beside alpha"}),
       of_plane("values", &Plane::values, {.doc = "of the variable, ascending"}),
       of_plane("alpha", &Plane::alphas, {.symbol = "α", .unit = "n/d²", .doc = "ascending"}),
       plane("train", [](const P& p) { return p.train; }, {.doc = "training error"}),
       plane("test", [](const P& p) { return p.test; }, {.doc = "test error"}),
       plane("estimation", [](const P& p) { return p.estimation; }, {.symbol = "E", .doc = "‖S − S*‖²_F/d"}),
       plane("replicon", [](const P& p) { return p.replicon; },
             {.symbol = "R", .doc = "the solution is stable where R < 1"}),
       plane("converged", [](const P& p) { return p.converged; }, {.doc = "whether the figures can be used"}),
       base::figure_of<D>("lines", lines_of, {}),
       base::figure_of<D>("reasons", reasons_of,
                          {.doc = "at each value, why there is none of the thresholds that there are not"})}};
  return description;
}

}  // namespace attnlaw::study
