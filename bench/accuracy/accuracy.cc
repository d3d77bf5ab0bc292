/// Prints the tables of docs/accuracy.md: the worst error of every law and functional against a 50-digit reference.
/// Exit code 1 if an allowed error is exceeded.

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "table.h"

namespace {

constexpr const char* kIntroduction =
    "# Accuracy\n\n"
    "The worst error of every law and functional against a reference in 50 digits, over random parameters (fixed "
    "seeds). Regenerate with\n\n"
    "    cmake --build build/release --target accuracy_tables && build/release/bench/accuracy/accuracy_tables --output "
    "docs/accuracy.md\n\n"
    "which takes minutes and ends with exit code 1 if an error exceeds what is allowed. A small part of it runs with "
    "the tests (`tests/theory/accuracy_test.cc`).\n\n"
    "The reference shares no code with the library. It finds w with x = w + a²G(w) by Newton's iteration in 50 digits "
    "from several starts – at real x at most one root lies in the upper half plane, so any root found there is the "
    "right one – or, for a Wishart spectrum, from the real root of its cubic by bisection and division. Distribution "
    "functions and the integrals of q, m and V come in closed form from the primitives of x^k g^p along the curve "
    "x(w), without quadrature; moments from free cumulants; ∫ρ³ by adaptive Gauss-Legendre panels "
    "in 50 digits.\n\n"
    "Errors are relative unless said otherwise: densities and g to themselves, at points whose distance from the edges "
    "of their band is at least 10⁻³ of its width (and in bands wider than 10⁻² |x|: in narrower ones the rounding of x "
    "is visible); edges and quantiles to the root mean square of the law, distribution functions absolute, moments to "
    "the power of the root mean square if that is larger. `where` names the worst point.\n";

constexpr const char* kChecks = R"(
## What results rest on, and what checks them

Every result of theory or experiment has a field `evidence`, the level of its weakest step: `theorem` (proved, under the conditions of the source), `derived` (from a convex problem or a known law, by steps that are proved in like cases), `heuristic` (by the methods of statistical physics alone) or `simulated` (measured in drawn samples). Numerical errors are stated beside the figures. Each kind of number is compared with a second route that shares no formula with it:

| what | evidence | second route | tests |
|---|---|---|---|
| laws of S + aZ, edges, outliers, optimal denoisers | theorem | 50 digits (the tables above); sampled matrices | `Accuracy`, `SemicircleSum.AgreesWithASampledMatrix`, `CrossAttentionLaw.SlowOneMatrixOfSize`, `OptimalDenoiser.OfASampledMatrixReachesItsError` |
| overlaps of the prior channel | theorem | sampled matrices, closed forms | `Denoiser.OverlapsAreThoseOfASampledMatrix`, `NarrowStudent.IsWhatSampledMatricesGive` |
| proximal points | theorem | search by brute force; the tables above | `GlobalProximal`, `LeastLogisticCurvature` |
| conjugates of the output channel | theorem | sequences drawn one by one, with the proximal point in the scores; gradient of the envelope; another rule of points | `CrossEntropyChannel`, `EntryChannel`, `SignChannel`, `SampledChannel.ConjugatesAreTheGradientOfTheEnvelope`, `SampledChannel.GridsAndSobolPointsAgree` |
| errors of the linear head, one token, tied or bayes | theorem | published tables; experiments | `StateEvolution.QuadraticNetworkGivesThePublishedErrors`, `Bayes.AgreesWithThePublishedQuadraticNetwork`, `Experiment.SlowReproducesTheTheoryAtDimension` |
| errors of other convex losses | derived | experiments; closed forms of ridge regression | `DirectStudent.OnALinearHeadSolvesAQuadraticEquation`, `CrossEntropy.GivesTheCheckedFacts`, `SmallErrors` |
| errors of softmax with the squared loss, and of the untied student of self-attention | heuristic | experiments; the replicon; identities over random problems | `StateEvolution.TwoTokensGiveTheCheckedFacts`, `UntiedSelfAttention.SlowReproducesTheFixedPointAtDimension`, `Properties` |
| the posterior mean | heuristic | message passing with its denoiser; published tables; no student is better | `BayesGamp.SlowReproducesTheTheory`, `Bayes`, `Properties.NoStudentBeatsThePosteriorMeanSlow` |
| stated sampling errors | – | solutions a hundred times as accurate | `StatedError` |
| minima that are trained | simulated | L-BFGS, proximal gradients, message passing and optimality conditions against each other | `Trainers`, `DirectStudents`, `Gamp` |
| singular values of softmax attention | derived (orthonormal tokens), heuristic | sampled attention matrices; free cumulants; reference values | `SoftmaxSimulation`, `SoftmaxLaw` |
| attention pooling | derived | sampled vocabularies; reference values | `PoolingSimulation`, `PoolingLaw` |
| in-context regression | derived | trained layers; 60-digit arithmetic; reference values | `InContextFiniteSize`, `InContextLaw`, `InContextSpectrum` |
| adapters of rank one | heuristic | trained adapters; limits in closed form | `LoraSimulation` |
| layer-wise spectral filtering | derived | drawn samples; published figures | `Lofi` |
| query-key maps against their nulls | derived | null heads drawn one by one; planted spikes; students that were trained; published values | `NullHeads.OutlierPValuesAreUniformSlow`, `PlantedHeads`, `BartlettTable`, `TrainedLaw` |
| any of these, over random problems | – | a second accuracy ([reliability.md](reliability.md)) | the program `reliability` |
)";

int usage() {
  std::fputs("usage: accuracy_tables [--output FILE] [--effort SHARE]\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::string output;
  double effort = 1;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return usage();
    if (std::strcmp(argv[i], "--output") == 0)
      output = argv[i + 1];
    else if (std::strcmp(argv[i], "--effort") == 0)
      effort = std::stod(argv[i + 1]);
    else
      return usage();
  }
  std::vector<attnlaw::accuracy::Table> tables = attnlaw::accuracy::law_tables(effort);
  std::vector<attnlaw::accuracy::Table> theory = attnlaw::accuracy::theory_tables(effort);
  tables.insert(tables.end(), std::make_move_iterator(theory.begin()), std::make_move_iterator(theory.end()));
  std::string text = kIntroduction;
  int missed = 0;
  for (const auto& table : tables) {
    text += "\n" + table.markdown();
    for (const auto& row : table.rows) {
      if (!row.missed()) continue;
      ++missed;
      fmt::print(stderr, "accuracy_tables: {}, {}, {}: {:.1e} at {}\n", table.title, row.quantity, row.range, row.worst,
                 row.where);
    }
  }
  text += kChecks;
  if (output.empty()) {
    std::fputs(text.c_str(), stdout);
  } else {
    std::ofstream file(output, std::ios::binary);
    if (!(file << text).flush()) {
      fmt::print(stderr, "accuracy_tables: cannot write {}\n", output);
      return 2;
    }
  }
  if (missed > 0) fmt::print(stderr, "accuracy_tables: {} rows exceed the allowed error\n", missed);
  return missed > 0 ? 1 : 0;
}
