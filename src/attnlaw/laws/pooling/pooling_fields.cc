/// Describes the fields of attention pooling: the law, and what was simulated.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/pooling/simulation.h"

namespace attnlaw::laws {
namespace {

using base::figure_of;
using base::kPositive;

constexpr base::Named<Place> kPlaces[] = {{Place::above, "above"}, {Place::gap, "gap"}, {Place::hidden, "hidden"}};

struct Bulk {
  double zero_mass = 0, s_lower = 0, s_upper = 0;
  std::vector<std::vector<double>> edges;
  std::vector<double> moments;
};

const base::Description& describe(const Bulk*) {
  static const base::Description description{
      "the bulk of the sample",
      {base::field("zero_mass", &Bulk::zero_mass, {.doc = "mass of the atom at 0"}),
       base::field("edges", &Bulk::edges, {.doc = "ends of its band"}),
       base::field("s_lower", &Bulk::s_lower, {.symbol = "s", .doc = "s at the lower end"}),
       base::field("s_upper", &Bulk::s_upper, {.symbol = "s", .doc = "s at the upper end"}),
       base::field("moments", &Bulk::moments, {.doc = "the first four moments"})}};
  return description;
}

Bulk bulk_of(const PoolingPrediction& prediction) {
  const auto& [ratios, mu2, alpha_pool, kappa_pool] = prediction.model;
  Bulk bulk{prediction.zero_mass,
            prediction.critical.lower,
            prediction.critical.upper,
            {{prediction.band.lower, prediction.band.upper}},
            {}};
  constexpr int kMoments = 4;
  double scale = 1;
  for (int n = 1; n <= kMoments; ++n) bulk.moments.push_back(pooling_moment(ratios, n) * (scale *= kappa_pool));
  return bulk;
}

/// One value for each matrix.
template <class T>
struct OfLevels {
  T table, population, sample;
  std::optional<T> nuisance = {};
};

template <base::Described T>
const base::Description& describe(const OfLevels<T>*) {
  using L = OfLevels<T>;
  static const base::Description description{
      "the same of each matrix",
      {base::field("table", &L::table, {.doc = "covariance of the vocabulary"}),
       base::field("population", &L::population, {.doc = "covariance of infinitely many pooled sequences"}),
       base::field("sample", &L::sample, {.doc = "covariance of N pooled sequences"}),
       base::field("nuisance", &L::nuisance,
                   {.doc = "outlier of the mean of the vocabulary: not centred, and visible in every instance"})}};
  return description;
}

OfLevels<PoolingLevel> levels_of(const PoolingPrediction& prediction) {
  return {prediction.table, prediction.population, prediction.sample};
}

/// The spike that the theory predicts for what was drawn.
struct DrawnSpike {
  MeasuredSpike spike;
  Place place = Place::hidden;
};

const base::Description& describe(const DrawnSpike*) {
  static const base::Description description{
      "theory of what was drawn",
      {base::flat(&DrawnSpike::spike), base::field("place", &DrawnSpike::place, {.doc = "where the spike stands"})}};
  return description;
}

struct Difference {
  base::Estimate eigenvalue, alignment;
};

const base::Description& describe(const Difference*) {
  static const base::Description description{
      "experiment beside the theory of what was drawn",
      {base::field("eigenvalue", &Difference::eigenvalue, {.doc = "relative difference"}),
       base::field("alignment", &Difference::alignment, {.doc = "absolute difference"})}};
  return description;
}

MeasuredSpike mean(const PoolingSummary& summary) { return {summary.eigenvalue.value, summary.alignment.value}; }
MeasuredSpike standard_error(const PoolingSummary& summary) {
  return {summary.eigenvalue.standard_error, summary.alignment.standard_error};
}
Difference difference(const PoolingSummary& summary) {
  return {summary.eigenvalue_difference, summary.alignment_difference};
}

/// Returns one figure of every matrix.
template <auto figure>
auto of_levels(const PoolingExperiment& experiment) {
  OfLevels<decltype(figure(experiment.table))> all{figure(experiment.table), figure(experiment.population),
                                                   figure(experiment.sample)};
  if (experiment.nuisance) all.nuisance = figure(*experiment.nuisance);
  return all;
}

}  // namespace

std::span<const base::Named<Place>> names_table(Place) { return kPlaces; }

const base::Description& describe(const PoolingRatios*) {
  static const base::Description description{"dimension over vocabulary and over sequences",
                                             {base::field("delta", &PoolingRatios::delta,
                                                          {.symbol = "δ",
                                                           .unit = "d/V",
                                                           .range = kPositive,
                                                           .doc = "δ = d/V, dimension over vocabulary",
                                                           .required = true}),
                                              base::field("gamma", &PoolingRatios::gamma,
                                                          {.symbol = "γ",
                                                           .unit = "d/N",
                                                           .range = kPositive,
                                                           .doc = "γ = d/N, dimension over sequences",
                                                           .required = true})}};
  return description;
}

const base::Description& describe(const PoolingModel*) {
  using M = PoolingModel;
  static const base::Description description{
      "a vocabulary with a signal, and sequences that are pooled",
      {base::flat(&M::ratios),
       base::field("mu2", &M::mu2,
                   {.symbol = "|μ|²", .range = {0}, .doc = "|μ|², strength of the signal", .required = true}),
       base::field("alpha_pool", &M::alpha_pool,
                   {.symbol = "α", .range = {0}, .doc = "α = wᵀRw", .otherwise = "required without --profile"}),
       base::field("kappa_pool", &M::kappa_pool, {.symbol = "κ", .range = kPositive, .doc = "κ = |w|²"})}};
  return description;
}

const base::Description& describe(const PoolingDensity*) {
  static const base::Description description{
      "a density along the band",
      {base::field("x", &PoolingDensity::x, {.doc = "eigenvalues, ascending"}),
       base::field("density", &PoolingDensity::density, {.doc = "density there"})}};
  return description;
}

const base::Description& describe(const Spike*) {
  static const base::Description description{
      "a spike beside a bulk",
      {base::field("place", &Spike::place, {.doc = "hidden, above the band, or in the gap below it"}),
       base::field("eigenvalue", &Spike::eigenvalue, {.doc = "its eigenvalue, the upper edge if hidden"}),
       base::field("overlap", &Spike::overlap, {.doc = "squared overlap with the direction of the spike"})}};
  return description;
}

const base::Description& describe(const PoolingLevel*) {
  using L = PoolingLevel;
  static const base::Description description{
      "the signal in one matrix",
      {base::field(
           "threshold", &L::threshold,
           {.unit = "|μ|²", .doc = "from which on there is an outlier; negative: without a signal; null: never"}),
       base::field("s", &L::s, {.symbol = "s", .doc = "strength of its direction, less δ"}), base::flat(&L::spike),
       base::field("alignment", &L::alignment, {.doc = "squared overlap of the outlier with μ"})}};
  return description;
}

const base::Description& describe(const PoolingPrediction*) {
  using P = PoolingPrediction;
  static const base::Description description{
      "bulk, outliers and alignment",
      {figure_of<P>("bulk", bulk_of, {.doc = "bulk of the sample"}),
       figure_of<P>("levels", levels_of, {.doc = "the signal in each matrix"}),
       base::field("ceiling", &P::ceiling, {.doc = "mu2/(mu2 + delta), the largest overlap that any weights reach"}),
       base::field("phantom_ratio", &P::phantom_ratio,
                   {.symbol = "α/κ", .doc = "α/κ above which the sample has an outlier without a signal"}),
       base::figure("phantom", &P::phantom, {.doc = "whether α/κ is above it"})}};
  return description;
}

const base::Description& describe(const PoolingScalars*) {
  using S = PoolingScalars;
  static const base::Description description{"what weights mean for the theory",
                                             {base::field("alpha_pool", &S::alpha, {.symbol = "α", .doc = "wᵀRw"}),
                                              base::field("kappa_pool", &S::kappa, {.symbol = "κ", .doc = "|w|²"}),
                                              base::field("sum", &S::sum, {.doc = "sum of the weights"}),
                                              base::figure("ratio", &S::ratio, {.symbol = "α/κ", .doc = "α/κ"})}};
  return description;
}

const base::Description& describe(const PoolingChoice*) {
  static const base::Description description{
      "one way to pool",
      {base::flat(&PoolingChoice::scalars),
       base::field("threshold", &PoolingChoice::threshold, {.unit = "|μ|²", .doc = "threshold in the sample"})}};
  return description;
}

const base::Description& describe(const PoolingChoices*) {
  using C = PoolingChoices;
  static const base::Description description{
      "weights held against others",
      {base::field("given", &C::given, {.doc = "the weights asked for"}),
       base::field("mean", &C::mean, {.doc = "equal weights"}),
       base::field("harmonic", &C::harmonic, {.doc = "causal uniform attention"}),
       base::field("optimal", &C::optimal, {.doc = "weights of the largest α/κ"}),
       base::figure("harmonic_beats_mean", &C::harmonic_beats_mean,
                    {.doc = "whether α/κ of harmonic weights is larger than that of equal ones"})}};
  return description;
}

const base::Description& describe(const FixedLengthLaw*) {
  using L = FixedLengthLaw;
  static const base::Description description{
      "the law of sequences of few tokens",
      {base::field("zero_mass", &L::zero_mass, {.doc = "mass of the atom at 0"}),
       base::field("x", &L::x, {.doc = "eigenvalues, ascending"}),
       base::field("density", &L::density, {.doc = "density there"}),
       base::field("cdf", &L::cdf, {.doc = "distribution function there, the mass at zero included"}),
       base::field("mass_error", &L::mass_error, {.doc = "how far all mass is from 1"})}};
  return description;
}

const base::Description& describe(const MeasuredSpike*) {
  static const base::Description description{
      "an eigenvalue and its eigenvector",
      {base::field("eigenvalue", &MeasuredSpike::eigenvalue, {.doc = "the eigenvalue"}),
       base::field("alignment", &MeasuredSpike::alignment, {.doc = "squared overlap of its eigenvector with μ"})}};
  return description;
}

const base::Description& describe(const PoolingMeasurement*) {
  using M = PoolingMeasurement;
  static const base::Description description{
      "one matrix of one instance",
      {base::flat(&M::measured), figure_of<M>("theory",
                                              [](const M& one) {
                                                return DrawnSpike{one.theory, one.place};
                                              },
                                              {.doc = "for what was drawn"})}};
  return description;
}

const base::Description& describe(const PoolingInstance*) {
  using I = PoolingInstance;
  static const base::Description description{
      "one vocabulary with its sequences",
      {base::field("seed", &I::seed, {.doc = "number of the instance"}),
       base::field("table", &I::table, {.doc = "covariance of the vocabulary"}),
       base::field("population", &I::population, {.doc = "covariance of infinitely many pooled sequences"}),
       base::field("sample", &I::sample, {.doc = "covariance of N pooled sequences"}),
       base::field("nuisance", &I::nuisance, {.doc = "outlier of the mean of the vocabulary"}),
       base::field("kolmogorov_distance", &I::kolmogorov_distance, {.doc = "of the bulk to its law"}),
       base::field("q2", &I::q2, {.doc = "|EᵀV y/V|² as drawn"}),
       base::field("alpha_pool", &I::alpha, {.symbol = "α", .doc = "α as drawn"})}};
  return description;
}

const base::Description& describe(const PoolingExperiment*) {
  using E = PoolingExperiment;
  static const base::Description description{
      "what was simulated",
      {base::field("d", &E::d, {.symbol = "d", .doc = "dimension"}),
       base::field("vocabulary", &E::vocabulary, {.symbol = "V", .doc = "size of the vocabulary"}),
       base::field("sequences", &E::sequences, {.symbol = "N", .doc = "number of sequences"}),
       base::field("centred", &E::centred, {.doc = "whether the mean was subtracted"}),
       base::field("instances", &E::instances, {.doc = "one by one"}),
       figure_of<E>("mean", of_levels<mean>, {.doc = "means over the instances"}),
       figure_of<E>("standard_error", of_levels<standard_error>, {.doc = "standard errors of these"}),
       figure_of<E>("difference", of_levels<difference>, {.doc = "experiment minus the theory of what was drawn"}),
       base::field("kolmogorov_distance", &E::kolmogorov_distance, {.doc = "of the bulk, outliers left out"}),
       base::field("fixed_length_distance", &E::fixed_length_distance, {.doc = "the same to the law at this length"}),
       base::figure("eigenvalues", &E::eigenvalues, {.doc = "of all instances together, ascending"})}};
  return description;
}

}  // namespace attnlaw::laws
