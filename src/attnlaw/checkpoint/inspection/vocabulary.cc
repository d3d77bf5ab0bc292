#include "attnlaw/checkpoint/inspection/vocabulary.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

bool nearer(const TokenMatch& a, const TokenMatch& b) {
  const double x = std::abs(a.cosine), y = std::abs(b.cosine);
  return x > y || (x == y && a.token < b.token);
}

/// Keeps the best matches of one direction.
void offer(std::vector<TokenMatch>& best, std::size_t count, const TokenMatch& match) {
  if (best.size() == count && !nearer(match, best.back())) return;
  best.insert(std::upper_bound(best.begin(), best.end(), match, nearer), match);
  if (best.size() > count) best.pop_back();
}

void offer_rows(const Eigen::MatrixXd& direction, Eigen::Index first, const Eigen::MatrixXd& rows,
                const Eigen::VectorXd& norms, std::size_t count, std::vector<TokenMatch>& best) {
  if (direction.rows() != rows.cols()) return;
  const Eigen::VectorXd products = rows * direction.col(0);
  for (Eigen::Index i = 0; i < rows.rows(); ++i)
    if (norms[i] > 0) offer(best, count, {static_cast<int>(first + i), "", products[i] / norms[i]});
}

}  // namespace

void match_tokens(const Model& model, int count, std::vector<OutlierDirections>& directions) {
  if (directions.empty()) return;
  visit_vocabulary(model, [&](Eigen::Index first, const Eigen::MatrixXd& rows) {
    const Eigen::VectorXd norms = rows.rowwise().norm();
    for (OutlierDirections& at : directions) {
      offer_rows(at.left, first, rows, norms, base::size(count), at.left_tokens);
      offer_rows(at.right, first, rows, norms, base::size(count), at.right_tokens);
    }
  });
  const std::vector<std::string> texts = read_tokens(model);
  for (OutlierDirections& at : directions)
    for (auto* matches : {&at.left_tokens, &at.right_tokens})
      for (TokenMatch& match : *matches)
        if (base::size(match.token) < texts.size()) match.text = printable(texts[base::size(match.token)]);
}

}  // namespace attnlaw::checkpoint
