#include "attnlaw/laws/filtering/data.h"

#include <algorithm>

#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// Cuts rows of T tokens into one row per token; for tokens = 0 it leaves them as they are.
Matrix cut_into_tokens(const std::string& path, const Matrix& rows, int tokens) {
  if (tokens == 0) return rows;
  if (tokens < 1 || rows.cols() % tokens != 0)
    reject("{}: --tokens must divide the {} numbers of a sample, got {}", path, rows.cols(), tokens);
  return Eigen::Map<const Matrix>(rows.data(), rows.rows() * tokens, rows.cols() / tokens);
}

}  // namespace

LabelledSamples read_labelled(const std::string& path, const std::string& labels, int tokens) {
  const base::NumberArray all = base::read_number_array(path);
  if (all.inner > 0 && tokens > 0)
    reject("{}: --tokens is for rows; an array of three axes has {} tokens", path, all.inner);
  if (all.inner > 0 && labels.empty()) reject("{}: an array of three axes needs --labels beside it", path);
  LabelledSamples samples;
  samples.tokens = std::max({1, all.inner, tokens});
  if (labels.empty()) {
    if (all.values.cols() < 3)
      reject("{}: two or more features and a label (the last column) are needed, got {} columns", path,
             all.values.cols());
    samples.x = cut_into_tokens(path, all.values.leftCols(all.values.cols() - 1), tokens);
    samples.y = all.values.rightCols(1);
  } else {
    samples.x = cut_into_tokens(path, all.values, tokens);
    const base::NumberArray y = base::read_number_array(labels);
    samples.attention = y.inner > 0;
    if (samples.attention && (y.inner != samples.tokens || y.values.cols() != samples.tokens))
      reject("{}: labels of three axes are T x T for each sample of T = {} tokens, got {} x {}", labels, samples.tokens,
             y.inner, y.values.cols());
    // One row of as many numbers as there are samples is a label for each.
    const bool labels_in_a_row = !samples.attention && y.values.rows() == 1 && y.values.cols() > 1 &&
                                 y.values.cols() * samples.tokens == samples.x.rows();
    if (labels_in_a_row)
      samples.y = y.values.transpose();
    else
      samples.y = samples.attention
                      ? Eigen::Map<const Matrix>(y.values.data(), y.values.rows() / y.inner, y.inner * y.values.cols())
                      : y.values;
  }
  if (samples.y.rows() * samples.tokens != samples.x.rows())
    reject("{}: {} labels for the {} samples of {}", labels, samples.y.rows(), samples.x.rows() / samples.tokens, path);
  if (samples.x.cols() < 2) reject("{}: two or more features are needed, got {}", path, samples.x.cols());
  return samples;
}

Split split_samples(const LabelledSamples& samples, int test) {
  constexpr Index kLeast = 10;
  const Index n = samples.size(), train = n - test, tokens = samples.tokens;
  constexpr Index kLeastTest = 2;
  if (n < kLeast + kLeastTest)
    reject("the data must have {} samples or more, {} of them for the test, got {} in all", kLeast + kLeastTest,
           kLeastTest, n);
  if (test < kLeastTest || train < kLeast)
    reject("test samples must be {} to {} of the {}, got {}", kLeastTest, n - kLeast, n, test);
  return {{samples.x.topRows(train * tokens), samples.y.topRows(train), samples.tokens, samples.attention},
          {samples.x.bottomRows(test * tokens), samples.y.bottomRows(test), samples.tokens, samples.attention}};
}

}  // namespace attnlaw::laws
