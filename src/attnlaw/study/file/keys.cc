#include "attnlaw/study/file/keys.h"

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/fields/schema.h"
#include "attnlaw/study/study.h"
#include "attnlaw/theory/accuracy_field.h"

namespace attnlaw::study {
namespace {

constexpr base::Named<Spacing> kSpacings[] = {{Spacing::linear, "linear"}, {Spacing::geometric, "log"}};
constexpr base::Named<ChartRequest::Kind> kCharts[] = {{ChartRequest::Kind::curves, "curves"},
                                                       {ChartRequest::Kind::spectrum, "spectrum"},
                                                       {ChartRequest::Kind::map, "map"}};

template <base::Described Table>
nlohmann::json schema_of() {
  return base::schema_of(base::detail::description_of<Table>(), base::json_of(Table{}));
}

}  // namespace

std::span<const base::Named<Spacing>> names_table(Spacing) { return kSpacings; }
std::span<const base::Named<ChartRequest::Kind>> names_table(ChartRequest::Kind) { return kCharts; }

const base::Description& describe(const PartKeys*) {
  using P = PartKeys;
  static const base::Description description{
      "what is computed, and for which problems",
      {base::field(
           "problem", &P::problem,
           {.doc = "problem options without their dashes; a target `file:PATH` is looked for beside the study first",
            .accepts = "a table"}),
       base::field("axes", &P::axes,
                   {.doc = "what varies: tables multiply, the keys of one table go together",
                    .accepts = "a list of tables",
                    .otherwise = "one point"}),
       base::field("theory", &P::theory,
                   {.accepts = "`true`, `false`, or a table", .otherwise = "`true` if nothing else is asked for"}),
       base::field("experiment", &P::experiment, {.accepts = "a table, or `false`"}),
       base::field("thresholds", &P::thresholds,
                   {.doc = "recovery and interpolation thresholds", .accepts = "`true`, `false`, or a table"}),
       base::field("scaling", &P::scaling, {.accepts = "a table, or `false`"})}};
  return description;
}

const base::Description& describe(const PartTableKeys*) {
  using P = PartTableKeys;
  static const base::Description description{
      "a [[part]]",
      {base::field("name", &P::name, {.doc = "unique", .required = true, .accepts = "letters, digits, `-`, `_`"}),
       base::field("like", &P::like, {.doc = "the part that this one starts from", .accepts = "name of another part"}),
       base::flat(&P::keys),
       base::field("fast", &P::fast,
                   {.doc = "what `--fast` changes: keys of a part but `name` and `like`", .accepts = "a table"})}};
  return description;
}

const base::Description& describe(const StudyKeys*) {
  using S = StudyKeys;
  static const base::Description description{
      "a study",
      {base::field("title", &S::title, {.doc = "of the report", .otherwise = "name of the file"}),
       base::field("description", &S::description, {.doc = "a text of the report"}),
       base::field("seed", &S::seed, {.range = {0}, .doc = "of all experiments"}), theory::accuracy_field(&S::accuracy),
       base::flat(&S::keys), base::field("fast", &S::fast, {.doc = "as in a part", .accepts = "a table"}),
       base::field("part", &S::part,
                   {.doc = "as often as needed", .accepts = "`[[part]]`", .otherwise = "the file itself"}),
       base::field("chart", &S::chart, {.doc = "as often as needed", .accepts = "`[[chart]]`", .otherwise = "none"})}};
  return description;
}

const base::Description& describe(const TheoryKeys*) {
  using T = TheoryKeys;
  static const base::Description description{
      "the theory of every point",
      {base::field("density", &T::density, {.doc = "keep the density of the trained spectrum"}),
       base::field("warm_start", &T::warm_start, {.doc = "start from the neighbour"})}};
  return description;
}

const base::Description& describe(const ThresholdsKeys*) {
  static const base::Description description{
      "the thresholds of every point",
      {base::field(
          "detachment", &ThresholdsKeys::detachment,
          {.doc = "also where the upper bulk detaches, at the λ of the problem: needs some twenty solutions"})}};
  return description;
}

const base::Description& describe(const ExperimentKeys*) {
  using E = ExperimentKeys;
  static const base::Description description{"trained students at finite d, one task for each instance",
                                             {base::field("d", &E::d,
                                                          {.range = {1},
                                                           .doc = "embedding dimensions",
                                                           .required = true,
                                                           .accepts = "an integer, or a list of "
                                                                      "different ones"}),
                                              base::flat(&E::options)}};
  return description;
}

const base::Description& describe(const ScalingKeys*) {
  static const base::Description description{
      "the learning curve of a power-law target",
      {base::field("n", &ScalingKeys::n,
                   {.doc = "numbers of sequences at d = D, ascending, at least three",
                    .required = true,
                    .accepts = "a list or a range of numbers of sequences"})}};
  return description;
}

const base::Description& describe(const RangeKeys*) {
  using R = RangeKeys;
  static const base::Description description{
      "a range",
      {base::field("from", &R::from, {.doc = "first value", .required = true}),
       base::field("to", &R::to, {.doc = "last value, above the first", .required = true}),
       base::field("count", &R::count,
                   {.range = {2}, .doc = "how many, both ends included; at most 100 000", .required = true}),
       base::field("spacing", &R::spacing, {.doc = "equal steps, or equal ratios"})}};
  return description;
}

const base::Description& describe(const ChartRequest*) {
  using C = ChartRequest;
  static const base::Description description{
      "a [[chart]]",
      {base::field("kind", &C::kind, {.doc = "curves, trained spectra over their law, or one figure over two axes"}),
       base::field("title", &C::title, {.doc = "heading"}), base::field("text", &C::text, {.doc = "what to look at"}),
       base::field("parts", &C::parts, {.doc = "names of parts", .otherwise = "all"}),
       base::field("x", &C::x,
                   {.doc = "what is drawn along: an axis, or another number of the results",
                    .otherwise = "required for `curves` and `map`"}),
       base::field("y", &C::y, {.doc = "the second axis of a `map`", .otherwise = "required for `map`"}),
       base::field("values", &C::values,
                   {.doc = "figures drawn: `train`, `test`, `estimation`, `q`, …; exactly one for a `map`",
                    .otherwise = "required for `curves` and `map`"}),
       base::field("by", &C::by,
                   {.doc = "axes, problem options, `d`, `part`, `trainer` or `outputs` that tell the curves apart",
                    .otherwise = "every axis that takes several values at one x; `d` if experiments have several; "
                                 "`trainer`, `outputs` and `part` where they are still needed"}),
       base::field("x_title", &C::x_title, {.doc = "title of the axis", .otherwise = "its name"}),
       base::field("y_title", &C::y_title, {.doc = "title of the axis", .otherwise = "its name"}),
       base::field("log_x", &C::log_x, {.doc = "logarithmic axis"}),
       base::field("log_y", &C::log_y, {.doc = "logarithmic axis"}),
       base::field("ratios", &C::ratios,
                   {.doc = "`curves`: also a chart of experiments over the theory of their own targets"}),
       base::field(
           "square_roots", &C::square_roots,
           {.doc = "`spectrum`: of √s, which for a tied student are the singular values of W but for their unit"}),
       base::field("best_over", &C::best_over,
                   {.doc = "`curves`: an axis other than `x`, an option of the problem, along which every instance of "
                           "an experiment draws its result of least "
                           "`test` alone, as a search for the best `lambda`",
                    .otherwise = "all are drawn"}),
       base::field(
           "lines", &C::lines,
           {.doc = "`curves` along α and `map`: the thresholds of the parts that are drawn as lines: `recovery`, "
                   "`interpolation`, `bayes_recovery`, `detachment`",
            .otherwise = "all that there are"})}};
  return description;
}

nlohmann::json schema_of_files() {
  return {{"study", schema_of<StudyKeys>()},
          {"part", schema_of<PartTableKeys>()},
          {"range", schema_of<RangeKeys>()},
          {"chart", schema_of<ChartRequest>()}};
}

}  // namespace attnlaw::study
