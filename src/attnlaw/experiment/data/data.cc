#include "attnlaw/experiment/data/data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/experiment/data/custom_scores.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/score_map.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/data/sharding.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::Matrix;
using Eigen::Index;

/// Draws the sequences of one purpose from a stream of queries and, with cross-attention, one of keys.
class Source {
 public:
  Source(base::Stream queries, base::Stream keys, std::uint64_t seed, Index d, std::uint64_t instance)
      : queries_(seed, base::stream_id(queries, static_cast<std::uint64_t>(d), instance)),
        keys_(seed, base::stream_id(keys, static_cast<std::uint64_t>(d), instance)),
        d_(d) {}

  /// Writes the standard normal rows of sequences first, …, first+count−1 into X and, with cross-attention, Y; returns
  /// where the keys are.
  template <class Real>
  const Real* draw(const ScoreLayout& layout, Index first, Index count, Real* X, Real* Y) const {
    fill(queries_, first * layout.rows, count * layout.rows, X);
    if (layout.self) return X;
    fill(keys_, first * layout.columns, count * layout.columns, Y);
    return Y;
  }

 private:
  template <class Real>
  void fill(const base::NormalStream& stream, Index first_row, Index rows, Real* out) const {
    stream.fill(static_cast<std::uint64_t>(first_row) * static_cast<std::uint64_t>(d_),
                std::span<Real>(out, static_cast<std::size_t>(rows * d_)));
  }

  base::NormalStream queries_, keys_;
  Index d_;
};

/// Predicts outputs: σ_β(h(S)), or its mean over points, each row of `points` with both signs, that are added to h.
template <class Real>
struct Predictor {
  ScoreMap<Real> map;
  Columns<Real> points;

  /// Computes the outputs from the scores h(S).
  void predict(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) const {
    if (points.rows() == 0) return student_outputs(problem, scores, outputs);
    Columns<Real> moved(scores.rows(), scores.cols()), part(outputs.rows(), outputs.cols());
    outputs.setZero();
    for (Index point = 0; point < points.rows(); ++point) {
      for (const Real sign : {Real(1), Real(-1)}) {
        moved = scores.rowwise() + sign * points.row(point);
        student_outputs(problem, moved, part);
        outputs += part;
      }
    }
    outputs /= static_cast<Real>(2 * points.rows());
  }
};

/// Returns √V Ξ for half of the points, the same for all sequences, seeds and instances; nothing for V = 0.
template <class Real>
Columns<Real> posterior_points(const model::Problem& problem, double V) {
  if (V <= 0) return {};
  const ScoreLayout layout = student_layout(problem);
  Columns<Real> points(kPosteriorPoints / 2, layout.count());
  base::NormalStream(0, base::stream_id(base::Stream::fixed_points, 0, 0))
      .fill(0, std::span(points.data(), static_cast<std::size_t>(points.size())));
  layout.for_each(
      [&](int a, int b, int k) { points.col(k) *= static_cast<Real>(std::sqrt(layout.variance(a, b) * V)); });
  return points;
}

/// What a student makes of sequences: its loss summed over them, and (not of a custom loss) the labels beside its
/// outputs.
template <class Real>
struct Judged {
  double loss = 0;
  Columns<Real> labels, given;
};

/// Judges a student by the outputs that are wanted and its scores.
template <class Real>
Judged<Real> judge(const model::Problem& problem, const Predictor<Real>& predictor, const Columns<Real>& wanted,
                   const Columns<Real>& scores) {
  if (problem.custom_loss) return {expected_custom_loss<Real>(problem, wanted, scores), {}, {}};
  Judged<Real> judged{0, Columns<Real>(wanted.rows(), label_count(problem)),
                      Columns<Real>(wanted.rows(), wanted.cols())};
  labels_of(problem, wanted, {}, judged.labels);
  if (predictor.points.rows() == 0) {
    judged.loss = loss<Real>(problem, judged.labels, scores, judged.given);
  } else {
    predictor.predict(problem, scores, judged.given);
    judged.loss = squared_distance<Real>(problem, judged.labels, judged.given);
  }
  return judged;
}

/// Sums the errors over sequences, given the noiseless outputs of the target and the scores of the student.
template <class Real>
TestFigures figures_of(const model::Problem& problem, const Predictor<Real>& predictor, const Columns<Real>& wanted,
                       const Columns<Real>& scores) {
  const auto [loss, labels, given] = judge(problem, predictor, wanted, scores);
  TestFigures figures;
  figures.loss = loss;
  if (problem.custom_loss) return figures;
  if (predictor.points.rows() > 0) {
    figures.squared = loss;
    return figures;
  }
  if (problem.labels == model::Labels::sign) {
    figures.wrong = static_cast<double>((labels.col(0) * given.col(0) < Real(0)).count());
  } else {
    figures.squared = squared_distance<Real>(problem, labels, given);
  }
  if (problem.loss == model::Loss::cross_entropy) figures.entropy = entropy(wanted);
  return figures;
}

/// The scores of the target in the layout of a student, and their multiple that is closest to those of the student.
template <class Real>
struct Multiples {
  Columns<Real> own, aligned;

  /// Sums the losses of both against the outputs that are wanted.
  void judge_both(const model::Problem& problem, const Predictor<Real>& predictor, const Columns<Real>& wanted,
                  double& of_own, double& of_aligned) const {
    of_own = judge(problem, predictor, wanted, own).loss;
    of_aligned = judge(problem, predictor, wanted, aligned).loss;
  }
};

/// Returns ⟨S, S*⟩/‖S*‖², S* = diag(target_eigenvalues); 0 for a target of zeros.
double along_target(std::span<const double> target_eigenvalues, const Matrix<double>& S) {
  const Eigen::Map<const Eigen::VectorXd> target(target_eigenvalues.data(), S.rows());
  const double square = target.squaredNorm();
  return square > 0 ? S.diagonal().dot(target) / square : 0;
}

/// Sums the errors over sequences first … first+count−1; `of_noisy` predicts their noisy labels, and `ratio` is that of
/// the student along its target.
template <class Real>
TestFigures figures_of_block(const model::Problem& problem, std::span<const double> target_eigenvalues, double ratio,
                             const Predictor<Real>& predictor, const Predictor<Real>& of_noisy, const Source& source,
                             const base::NormalStream& noise, Index first, Index count) {
  const auto d = static_cast<Index>(target_eigenvalues.size());
  const ScoreLayout layout = student_layout(problem), labelled = target_layout(problem);
  Matrix<Real> X(count * layout.rows, d), Y(layout.self ? 0 : count * layout.columns, d),
      product(count * ScoreMap<Real>::product_rows(layout), d), scaled;
  Columns<Real> h_star(count, labelled.count()), scores(count, layout.count()), wanted(count, output_count(problem));
  const Real* keys = source.draw(layout, first, count, X.data(), Y.data());
  target_scores(labelled, target_eigenvalues, X.data(), keys, scaled, h_star);
  target_outputs(problem, h_star, wanted);
  predictor.map.scores(X.data(), keys, product.data(), scores);
  TestFigures figures = figures_of(problem, predictor, wanted, scores);
  const bool is_matrix = predictor.points.rows() == 0;
  Multiples<Real> multiples{h_star, {}};
  if (layout.symmetric != labelled.symmetric) {
    multiples.own.resize(count, layout.count());
    target_scores(layout, target_eigenvalues, X.data(), keys, scaled, multiples.own);
  }
  multiples.aligned = static_cast<Real>(ratio) * multiples.own;
  if (is_matrix) multiples.judge_both(problem, predictor, wanted, figures.floor, figures.aligned);
  figures.noisy_loss = figures.loss, figures.noisy_floor = figures.floor, figures.noisy_aligned = figures.aligned;
  if (problem.noise == 0) return figures;
  add_noise(problem, noise, first, h_star);
  target_outputs(problem, h_star, wanted);
  figures.noisy_loss = judge(problem, of_noisy, wanted, scores).loss;
  if (is_matrix) multiples.judge_both(problem, of_noisy, wanted, figures.noisy_floor, figures.noisy_aligned);
  return figures;
}

}  // namespace

double wanted_sequences(const model::Problem& problem, int d) { return std::round(problem.alpha * d * d); }

std::int64_t sequence_count(const model::Problem& problem, int d) {
  const double n = wanted_sequences(problem, d);
  if (n < 1) base::reject("alpha d^2 must be at least 1 sequence, got alpha = {} with d = {}", problem.alpha, d);
  if (n * std::max(problem.tokens, problem.keys()) > std::numeric_limits<std::int32_t>::max()) {
    base::reject("alpha d^2 T must stay below 2^31 rows of data, got alpha = {} with d = {}", problem.alpha, d);
  }
  return static_cast<std::int64_t>(n);
}

template <class Real>
void target_scores(const ScoreLayout& layout, std::span<const double> target_eigenvalues, const Real* X, const Real* Y,
                   Matrix<Real>& scaled, Columns<Real>& scores) {
  const auto d = static_cast<Index>(target_eigenvalues.size());
  const Eigen::Map<const Eigen::RowVectorXd> eigenvalues(target_eigenvalues.data(), d);
  double trace = 0;
  for (const double eigenvalue : target_eigenvalues) trace += eigenvalue;
  const Eigen::Map<const Matrix<Real>> rows(Y, scores.rows() * layout.columns, d);
  scaled = rows * eigenvalues.cast<Real>().asDiagonal();
  const double normalisation = 1 / std::sqrt(static_cast<double>(d));
  pair_scores(layout, d, X, scaled.data(), normalisation, normalisation * trace, scores);
}

template <class Real>
void add_noise(const model::Problem& problem, const base::NormalStream& stream, Index first, Columns<Real>& scores) {
  const auto K = static_cast<std::size_t>(problem.score_count());
  std::vector<Real> noise(static_cast<std::size_t>(scores.rows()) * K);
  stream.fill(static_cast<std::uint64_t>(first) * K, std::span<Real>(noise));
  const ScoreLayout layout = target_layout(problem);
  layout.for_each([&](int a, int b, int k) {
    const auto scale = static_cast<Real>(std::sqrt(layout.variance(a, b) * problem.noise));
    for (Index mu = 0; mu < scores.rows(); ++mu)
      scores(mu, k) += scale * noise[static_cast<std::size_t>(mu) * K + static_cast<std::size_t>(k)];
  });
}

Columns<double> label_chances(const model::Problem& problem, const base::UniformStream& stream, Index first,
                              Index count) {
  const Index rows = drawn_rows(problem);
  if (rows == 0) return {};
  Matrix<double> chances(count, rows);
  stream.fill(static_cast<std::uint64_t>(first * rows),
              std::span(chances.data(), static_cast<std::size_t>(chances.size())));
  return chances;
}

template <class Real>
Data<Real> draw_data(const model::Problem& problem, std::span<const double> target_eigenvalues, std::uint64_t seed,
                     std::uint64_t instance, base::Communicator* communicator) {
  const auto d = static_cast<Index>(target_eigenvalues.size());
  const Shard shard = shard_of(sequence_count(problem, static_cast<int>(d)), communicator);
  const Index n = shard.count;
  const ScoreLayout layout = target_layout(problem);
  const Source source(base::Stream::data, base::Stream::keys, seed, d, instance);
  const base::NormalStream noise(seed, base::stream_id(base::Stream::label_noise, target_eigenvalues.size(), instance));
  const base::UniformStream draws(seed,
                                  base::stream_id(base::Stream::label_draws, target_eigenvalues.size(), instance));
  Data<Real> data{Matrix<Real>(n * layout.rows, d), {}, {}, Columns<Real>(n, label_count(problem)), communicator};
  if (!layout.self) data.Y.resize(n * layout.columns, d);
  Matrix<Real> scaled;
  for (Index first = 0; first < n; first += block_sequences(problem)) {
    const Index count = std::min(block_sequences(problem), n - first);
    Columns<Real> scores(count, layout.count()), outputs(count, output_count(problem)),
        labels(count, label_count(problem));
    Real* X = data.X.data() + first * layout.rows * d;
    Real* Y = layout.self ? nullptr : data.Y.data() + first * layout.columns * d;
    const Real* keys = source.draw(layout, shard.first + first, count, X, Y);
    target_scores<Real>(layout, target_eigenvalues, X, keys, scaled, scores);
    if (problem.noise > 0) add_noise(problem, noise, shard.first + first, scores);
    target_outputs(problem, scores, outputs);
    labels_of(problem, outputs, label_chances(problem, draws, shard.first + first, count), labels);
    data.labels.middleRows(first, count) = labels;
  }
  return data;
}

template <class Real>
TestFigures test_figures(const model::Problem& problem, std::span<const double> target_eigenvalues,
                         const Matrix<double>& S, std::int64_t sequences, std::uint64_t seed, std::uint64_t instance,
                         int threads, double posterior_variance, base::Communicator* communicator) {
  base::use_one_blas_thread();
  const model::Problem asked = undrawn(problem);
  const Source source(base::Stream::test_data, base::Stream::test_keys, seed, S.rows(), instance);
  const base::NormalStream noise(
      seed, base::stream_id(base::Stream::test_noise, static_cast<std::uint64_t>(S.rows()), instance));
  const Predictor<Real> predictor{ScoreMap<Real>::of_matrix(student_layout(asked), S),
                                  posterior_points<Real>(asked, posterior_variance)};
  // The posterior of a noisy score is wider by its noise.
  const double noisy_variance = posterior_variance > 0 ? posterior_variance + problem.noise : 0;
  const Predictor<Real> of_noisy{predictor.map, posterior_points<Real>(asked, noisy_variance)};
  const Shard shard = shard_of(sequences, communicator);
  const Index block = block_sequences(problem);
  const Index blocks = (shard.count + block - 1) / block;
  const double ratio = along_target(target_eigenvalues, S);
  std::vector<TestFigures> parts(static_cast<std::size_t>(blocks));
  base::parallel_for(parts.size(), threads, [&](std::size_t b) {
    const Index first = static_cast<Index>(b) * block;
    parts[b] = figures_of_block(asked, target_eigenvalues, ratio, predictor, of_noisy, source, noise,
                                shard.first + first, std::min<Index>(block, shard.count - first));
  });
  using F = TestFigures;
  constexpr std::array kFigures{&F::loss,  &F::noisy_loss, &F::entropy,     &F::squared,      &F::wrong,
                                &F::floor, &F::aligned,    &F::noisy_floor, &F::noisy_aligned};
  std::array<double, kFigures.size()> totals{};
  for (const TestFigures& part : parts)
    for (std::size_t i = 0; i < totals.size(); ++i) totals[i] += part.*kFigures[i];
  sum_over_processes(communicator, S, totals, nullptr);
  TestFigures result;
  for (std::size_t i = 0; i < totals.size(); ++i) result.*kFigures[i] = totals[i] / static_cast<double>(sequences);
  return result;
}

#define ATTNLAW_INSTANTIATE(Real)                                                                                   \
  template Data<Real> draw_data(const model::Problem&, std::span<const double>, std::uint64_t, std::uint64_t,       \
                                base::Communicator*);                                                               \
  template void target_scores(const ScoreLayout&, std::span<const double>, const Real*, const Real*, Matrix<Real>&, \
                              Columns<Real>&);                                                                      \
  template void add_noise(const model::Problem&, const base::NormalStream&, Index, Columns<Real>&);                 \
  template TestFigures test_figures<Real>(const model::Problem&, std::span<const double>, const Matrix<double>&,    \
                                          std::int64_t, std::uint64_t, std::uint64_t, int, double,                  \
                                          base::Communicator*);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
