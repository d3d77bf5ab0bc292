#include "attnlaw/laws/filtering/sequence.h"

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Matrix = base::Matrix<double>;

ArrayXXd repeated_weights(const ArrayXXd& t, int tokens) {
  ArrayXXd repeated(t.rows() * tokens, t.cols());
  for (Index mu = 0; mu < t.rows(); ++mu) repeated.middleRows(mu * tokens, tokens) = t.row(mu).replicate(tokens, 1);
  return repeated;
}

WeightedTokens rotated_tokens(const Matrix& phi, const ArrayXXd& w, int tokens) {
  if (w.cols() != static_cast<Index>(tokens) * tokens || phi.rows() != w.rows() * tokens)
    base::reject("{} tokens a sample need {} weights a sample and as many rows, got {} and {} rows for {} samples",
                 tokens, tokens * tokens, w.cols(), phi.rows(), w.rows());
  WeightedTokens rotated{Matrix(phi.rows(), phi.cols()), ArrayXXd(phi.rows(), 1)};
  Matrix square(tokens, tokens);
  for (Index mu = 0; mu < w.rows(); ++mu) {
    for (Index a = 0; a < tokens; ++a)
      for (Index b = 0; b < tokens; ++b) square(a, b) = 0.5 * (w(mu, a * tokens + b) + w(mu, b * tokens + a));
    const base::Eigensystem system = base::eigensystem(square);
    rotated.phi.middleRows(mu * tokens, tokens) = system.vectors * phi.middleRows(mu * tokens, tokens);
    rotated.t.col(0).segment(mu * tokens, tokens) = Eigen::Map<const ArrayXd>(system.values.data(), tokens);
  }
  return rotated;
}

}  // namespace attnlaw::laws
