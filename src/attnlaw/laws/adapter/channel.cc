#include "attnlaw/laws/adapter/channel.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <vector>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/normal.h"
#include "attnlaw/laws/adapter/linear.h"
#include "attnlaw/laws/adapter/softmax.h"
#include "attnlaw/laws/adapter/softmax_rows.h"
#include "attnlaw/theory/channel/point_set.h"

namespace attnlaw::laws {
namespace {

using theory::PointSet;

std::size_t at(int k) { return static_cast<std::size_t>(k); }

/// One sum per field of LoraAverages.
struct PackAverages {
  Pack response, pull, force, centring, train, squared_response, alignment;

  LoraAverages reduced(double total) const {
    return {response.sum() / total, pull.sum() / total,  force.sum() / total,
            centring.sum() / total, train.sum() / total, squared_response.sum() / total,
            alignment.sum() / total};
  }
};

double width_of(const LoraOverlaps& overlaps) { return std::sqrt(std::max(0.0, overlaps.q - overlaps.m * overlaps.m)); }

/// The minima of a replicate, pack by pack: searched for where none are kept, else followed from those.
template <class Loss>
class FollowedMinima {
 public:
  using Point = std::array<Pack, Loss::kDimension>;

  FollowedMinima(const Loss& loss, double V, LoraMinima& kept)
      : search_(loss), descent_(loss), V_(V), kept_(kept), follow_(!kept.empty()) {}

  /// Returns that of the next pack; `start()` is where the search begins beside its own starts.
  template <class Start>
  Point next(const typename Loss::Label& label, const Point& omega0, const Start& start) {
    Point p;
    if (follow_) {
      std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(count_), p.size(), p.begin());
      count_ += p.size();
      descent_.descend(label, omega0.data(), V_, p.data());
    } else {
      const auto& found = search_.solve(label, omega0.data(), start().data(), V_).point;
      std::copy_n(found.begin(), p.size(), p.begin());
      kept_.insert(kept_.end(), p.begin(), p.end());
    }
    return p;
  }

 private:
  theory::GlobalProximal<Loss> search_;
  theory::Proximal<Loss> descent_;
  double V_;
  LoraMinima& kept_;
  bool follow_;
  std::size_t count_ = 0;
};

// --- linear scores --------------------------------------------------------------------------------------------------

/// Returns points (v, ξ, ζ) of one token. Averages do not change with the sign of (v, ξ), so v > 0 suffices.
PointSet product_rule() {
  constexpr int kNodes = 48;  // even: none at 0
  constexpr double kNegligible = 1e-16;
  const base::GaussNodes rule = base::normal_nodes(kNodes);
  std::vector<std::array<double, 4>> points;
  for (std::size_t i = kNodes / 2; i < kNodes; ++i)
    for (std::size_t j = 0; j < kNodes; ++j)
      for (std::size_t k = 0; k < kNodes; ++k) {
        const double weight = 2 * rule.weights[i] * rule.weights[j] * rule.weights[k];
        if (weight > kNegligible) points.push_back({rule.points[i], rule.points[j], rule.points[k], weight});
      }
  PointSet set;
  set.points = points.size();
  set.first_pack = {0};
  for (std::size_t first = 0; first < points.size(); first += kLanes) {
    std::array<Pack, 4> packs;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const bool any = first + lane < points.size();
      for (std::size_t k = 0; k < 4; ++k) packs[k].lanes[lane] = any ? points[first + lane][k] : (k < 3 ? 1.0 : 0.0);
    }
    set.normals.insert(set.normals.end(), packs.begin(), packs.begin() + 3);
    set.weights.push_back(packs[3]);
  }
  set.first_pack.push_back(set.weights.size());
  return set;
}

/// Returns the |v| of T independent normal coordinates that has the probability in its law that x has in the normal
/// law.
double radius_quantile(int tokens, double x) { return std::sqrt(base::chi_square_at(tokens, x)); }

/// Averages for linear scores. The law of (v, ξ, ζ) is invariant under rotations of the tokens, so v lies along the
/// first one.
template <int kTokens>
class LinearChannel final : public LoraChannel {
 public:
  LinearChannel(const LoraTask& task, double effective_noise, int log2_points) : task_(task), noise_(effective_noise) {
    if (kTokens == 1) {
      points_ = std::make_shared<PointSet>(product_rule());
    } else {
      points_ = theory::point_set(dimension(), log2_points);
    }
    for (std::size_t pack = 0; pack < points_->weights.size(); ++pack) {
      base::check_interrupt();
      Pack radius = points_->normals[pack * dimension()];
      if (kTokens != 1)
        for (int lane = 0; lane < kLanes; ++lane) radius.lanes[lane] = radius_quantile(task.tokens, radius.lanes[lane]);
      radii_.push_back(radius);
    }
  }

  LoraAverages averages(const LoraOverlaps& overlaps, int replicate, LoraMinima&) const override {
    LinearProximal<kTokens> proximal(task_.tokens);
    theory::PackArray<kTokens * kTokens> B(task_.tokens * task_.tokens);
    theory::PackArray<kTokens> omega0(task_.tokens), v(task_.tokens);
    std::fill(v.begin(), v.end(), Pack(0));
    PackAverages sums;
    double total = 0;
    for (std::size_t pack = points_->first_pack[at(replicate)]; pack < points_->first_pack[at(replicate + 1)]; ++pack) {
      base::check_interrupt();
      v[0] = radii_[pack];
      const Pack* xi = &points_->normals[pack * dimension() + 1];
      for (int a = 0; a < task_.tokens; ++a) omega0[at(a)] = width_of(overlaps) * xi[a];
      omega0[0] += overlaps.m * v[0];
      lay_out(xi + task_.tokens, v[0], overlaps.q, B.data());
      proximal.solve(B.data(), omega0.data(), v.data(), overlaps.V);
      add(proximal, overlaps.V, points_->weights[pack], sums);
      total += points_->weights[pack].sum();
    }
    return sums.reduced(total);
  }

  double test(const LoraOverlaps&, double, int) const override { return std::numeric_limits<double>::quiet_NaN(); }
  int replicates() const override { return static_cast<int>(points_->first_pack.size()) - 1; }
  std::size_t points() const override { return points_->points; }

 private:
  std::size_t dimension() const { return at(1 + task_.tokens + task_.tokens * (task_.tokens + 1) / 2); }

  /// Sets B = ω(vvᵀ − 1) + ζ + q.
  void lay_out(const Pack* normals, Pack radius, double q, Pack* B) const {
    const int T = task_.tokens;
    const double off = std::sqrt(noise_), diagonal = std::numbers::sqrt2 * off;
    for (int a = 0, k = 0; a < T; ++a) {
      for (int b = a; b < T; ++b, ++k) {
        const Pack entry = (a == b ? diagonal : off) * normals[k] + (a == b ? q - task_.omega : 0.0);
        B[a * T + b] = B[b * T + a] = entry;
      }
    }
    B[0] += task_.omega * radius * radius;
  }

  /// Adds one pack of points. In the eigenbasis of B, ∇ℓ = 2(s − b)p, ∇²ℓ = 2(s − b) + 4ppᵀ, ∂_v∇ℓ = −2ω(v·p + v pᵀ)
  /// and ∂ℓ/∂q = tr(B − ppᵀ); Π follows from the formula of Sherman and Morrison.
  void add(const LinearProximal<kTokens>& at_point, double V, Pack weight, PackAverages& sums) const {
    Pack trace = 0, trace_square = 0, pp = 0, p_tilt = 0, ppdd = 0, pv = 0, pdv = 0, force = 0, alignment = 0, loss = 0,
         level = 0;
    const Pack s = at_point.square();
    for (int i = 0; i < task_.tokens; ++i) {
      const Pack p = at_point.p()[at(i)], b = at_point.b()[at(i)], v = at_point.v()[at(i)];
      const Pack inverse = 1 / at_point.d()[at(i)], missing = 1 - inverse, gradient = 2 * (s - b) * p;
      trace += missing;
      trace_square += missing * missing;
      pp += p * p * inverse;
      ppdd += p * p * inverse * inverse;
      p_tilt += missing * p * p * inverse * inverse;
      pv += p * v;
      pdv += p * v * inverse;
      force += gradient * gradient;
      alignment -= gradient * at_point.omega0()[at(i)];
      loss += b * b - 2 * b * p * p;
      level += b;
    }
    const Pack rank_one = 4 * V / (1 + 4 * V * pp);
    sums.response += weight * (trace + rank_one * ppdd);
    // The pull is 2ω (tr(Π)(v·p) + pᵀΠv).
    sums.pull += weight * 2 * task_.omega * ((task_.tokens - trace - rank_one * ppdd) * pv + pdv - rank_one * pp * pdv);
    sums.force += weight * force;
    sums.centring += weight * (level - s);
    sums.train += weight * 0.5 * (loss + s * s);
    sums.squared_response += weight * (trace_square + 2 * rank_one * p_tilt + rank_one * rank_one * ppdd * ppdd);
    sums.alignment += weight * alignment;
  }

  LoraTask task_;
  double noise_;
  std::shared_ptr<const PointSet> points_;
  std::vector<Pack> radii_;
};

// --- softmax --------------------------------------------------------------------------------------------------------

/// Makes h_11 − h_12 and h_22 − h_12 of a Gaussian index of unit variance, of covariance [[3,1],[1,3]], from two normal
/// coordinates.
AdapterPair::Pair score_differences(const Pack* normals) {
  constexpr double kL00 = 1.7320508075688772, kL10 = 0.57735026918962576, kL11 = 1.6329931618554521;
  return {kL00 * normals[0], kL10 * normals[0] + kL11 * normals[1]};
}

/// Samples angles of v ∈ R² from π/4 to 3π/4, a quarter of the plane: the law of a sequence does not change if both
/// tokens change sign or change places. A row responds where its score is of order 1, and for large |v| that is near
/// the rays v_1 = v_2 and v_1 = 0 alone, within `reach` of them: angles are sampled more densely there.
class RayAngles {
 public:
  explicit RayAngles(double reach) : reach_(reach) {
    for (std::size_t ray = 0; ray < 2; ++ray) {
      first_[ray] = std::atan((kFirst - kRays[ray]) / reach);
      total_[ray] = std::atan((kLast - kRays[ray]) / reach) - first_[ray];
    }
  }

  double density(double angle) const {
    double sum = (1 - kNearRays) / (kLast - kFirst);
    for (std::size_t ray = 0; ray < 2; ++ray) {
      const double distance = angle - kRays[ray];
      sum += 0.5 * kNearRays / total_[ray] * reach_ / (reach_ * reach_ + distance * distance);
    }
    return sum;
  }

  /// Returns the angle of this probability, by Newton steps inside a shrinking bracket; the last one squares its error.
  double quantile(double probability) const {
    constexpr int kSteps = 60;
    constexpr double kLastStep = 1e-7;
    double lower = kFirst, upper = kLast, angle = kFirst + probability * (kLast - kFirst);
    for (int step = 0; step < kSteps; ++step) {
      const double excess = distribution(angle) - probability;
      (excess > 0 ? upper : lower) = angle;
      double next = angle - excess / density(angle);
      if (!(next > lower && next < upper)) next = 0.5 * (lower + upper);
      const double change = std::abs(next - angle);
      angle = next;
      if (change < kLastStep) break;
    }
    return angle;
  }

  /// Returns the density of a uniform direction.
  static constexpr double uniform() { return 1 / (kLast - kFirst); }

 private:
  static constexpr double kFirst = 0.25 * std::numbers::pi, kLast = 0.75 * std::numbers::pi;
  static constexpr double kRays[2] = {0.25 * std::numbers::pi, 0.5 * std::numbers::pi};
  static constexpr double kNearRays = 0.5;  ///< share of the angles that is sampled near a ray

  double distribution(double angle) const {
    double sum = (1 - kNearRays) * (angle - kFirst) / (kLast - kFirst);
    for (std::size_t ray = 0; ray < 2; ++ray)
      sum += 0.5 * kNearRays / total_[ray] * (std::atan((angle - kRays[ray]) / reach_) - first_[ray]);
    return sum;
  }

  double reach_;
  double first_[2], total_[2];
};

class SoftmaxChannel final : public LoraChannel {
 public:
  SoftmaxChannel(const LoraTask& task, const PretrainedOverlaps& pretrained, int log2_points)
      : task_(task), pretrained_(pretrained), points_(theory::point_set(kCoordinates, log2_points)) {
    for (std::size_t pack = 0; pack < points_->weights.size(); ++pack) place(pack);
  }

  LoraAverages averages(const LoraOverlaps& overlaps, int replicate, LoraMinima& minima) const override {
    const AdapterPair loss(task_.beta, overlaps.q);
    FollowedMinima<AdapterPair> followed(loss, overlaps.V, minima);
    PackAverages sums;
    for_each(overlaps, task_.noise, replicate, [&](const Field& field, Pack weight) {
      const auto p = followed.next(field.label, field.omega0, [&] { return fit(field); });
      add(loss, field, p.data(), overlaps.V, weight, sums);
    });
    return sums.reduced(total(replicate));
  }

  double test(const LoraOverlaps& overlaps, double noise, int replicate) const override {
    const AdapterPair loss(task_.beta, overlaps.q);
    Pack sum = 0;
    for_each(overlaps, noise, replicate, [&](const Field& field, Pack weight) {
      const AdapterPair::Pair s = loss.outputs(field.label, field.omega0.data());
      for (std::size_t i = 0; i < 2; ++i) {
        const Pack residual = s[i] - field.label.t[i];
        sum += weight * 2 * residual * residual;
      }
    });
    return sum.sum() / total(replicate);
  }

  int replicates() const override { return static_cast<int>(points_->first_pack.size()) - 1; }
  std::size_t points() const override { return points_->points; }

 private:
  /// Two coordinates each for v, ξ, the frozen index, and the part of the target's index that the frozen one does not
  /// tell.
  static constexpr std::size_t kCoordinates = 8;
  /// |v| is sampled with this multiple of its width, because large ones dominate the averages.
  static constexpr double kWiden = 1.2;
  /// Scores of this size move an output: a few widths of the logistic function, and the width of the frozen index.
  static constexpr double kScoreReach = 3;

  struct Field {
    std::array<Pack, 2> v, omega0;
    AdapterPair::Label label;
  };

  /// Returns √ω v with the sign of ω0·v: the adapter that was sought, as a start of the search.
  std::array<Pack, 2> fit(const Field& field) const {
    const Pack along = field.omega0[0] * field.v[0] + field.omega0[1] * field.v[1];
    const Pack scale = select(along < Pack(0), -std::sqrt(task_.omega), std::sqrt(task_.omega));
    return {scale * field.v[0], scale * field.v[1]};
  }

  /// Sets v of a pack of points, and their weights.
  void place(std::size_t pack) {
    std::array<Pack, 2> v;
    Pack weight = points_->weights[pack];
    for (int lane = 0; lane < kLanes; ++lane) {
      const Pack* x = &points_->normals[pack * kCoordinates];
      const double radius = kWiden * radius_quantile(2, x[0].lanes[lane]);
      const RayAngles angles(std::min(1.0, kScoreReach / (1 + task_.beta * task_.omega * radius * radius)));
      const double angle = angles.quantile(base::normal_cdf(x[1].lanes[lane]));
      v[0].lanes[lane] = radius * std::cos(angle);
      v[1].lanes[lane] = radius * std::sin(angle);
      weight.lanes[lane] *= RayAngles::uniform() / angles.density(angle) * kWiden * kWiden *
                            std::exp(-0.5 * radius * radius * (1 - 1 / (kWiden * kWiden)));
    }
    v_.push_back(v);
    weights_.push_back(weight);
  }

  double total(int replicate) const {
    double sum = 0;
    for (std::size_t pack = points_->first_pack[at(replicate)]; pack < points_->first_pack[at(replicate + 1)]; ++pack)
      sum += weights_[pack].sum();
    return sum;
  }

  template <class Body>
  void for_each(const LoraOverlaps& overlaps, double noise, int replicate, Body&& body) const {
    const double width = width_of(overlaps);
    const double slope = pretrained_.Q_pre > 0 ? pretrained_.m_pre / pretrained_.Q_pre : 0;
    const double unknown = std::sqrt(std::max(0.0, pretrained_.Q_star - slope * pretrained_.m_pre) + noise);
    Field field;
    for (std::size_t pack = points_->first_pack[at(replicate)]; pack < points_->first_pack[at(replicate + 1)]; ++pack) {
      base::check_interrupt();
      const Pack* x = &points_->normals[pack * kCoordinates];
      const AdapterPair::Pair frozen = score_differences(x + 4), hidden = score_differences(x + 6);
      for (std::size_t a = 0; a < 2; ++a) {
        field.v[a] = v_[pack][a];
        field.label.frozen[a] = std::sqrt(pretrained_.Q_pre) * frozen[a];
      }
      const AdapterPair::Pair adapter = AdapterPair::differences(field.v.data());
      // Every point is taken with noise of either sign, so that all odd powers of it, the largest part of the sampling
      // error, cancel.
      for (const double sign : {1.0, -1.0}) {
        for (std::size_t a = 0; a < 2; ++a) {
          field.omega0[a] = overlaps.m * field.v[a] + sign * width * x[2 + a];
          field.label.t[a] =
              AdapterPair::logistic(task_.beta * (slope * field.label.frozen[a] + sign * unknown * hidden[a] +
                                                  task_.omega * (adapter[a] - 1)));
        }
        body(field, 0.5 * weights_[pack]);
      }
    }
  }

  void add(const AdapterPair& loss, const Field& field, const Pack* p, double V, Pack weight,
           PackAverages& sums) const {
    theory::Expansion<AdapterPair::kDimension> at(AdapterPair::dimension());
    loss.expand(field.label, p, at);
    const AdapterPair::Pair s = loss.outputs(field.label, p);
    const auto J = AdapterPair::jacobian(p), J_v = AdapterPair::jacobian(field.v.data());
    // `mixed` is ∂_v ∇ℓ, row by row.
    std::array<Pack, 4> mixed{};
    Pack centring = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const Pack t = field.label.t[i], ds = task_.beta * s[i] * (1 - s[i]);
      centring -= 2 * (s[i] - t) * ds;
      const Pack slope = -2 * ds * task_.beta * task_.omega * t * (1 - t);
      for (std::size_t a = 0; a < 2; ++a)
        for (std::size_t b = 0; b < 2; ++b) mixed[2 * a + b] += slope * J[i][a] * J_v[i][b];
    }
    const auto& H = at.hessian;
    const Pack h00 = 1 + V * H[0], h01 = V * H[1], h11 = 1 + V * H[2];
    const Pack determinant = 1 / (h00 * h11 - h01 * h01);
    const Pack pi00 = h11 * determinant, pi01 = -h01 * determinant, pi11 = h00 * determinant;
    Pack force = 0, alignment = 0;
    for (std::size_t a = 0; a < 2; ++a) {
      const Pack gradient = (field.omega0[a] - p[a]) * (1 / V);
      force += gradient * gradient;
      alignment -= gradient * field.omega0[a];
    }
    sums.response += weight * (2 - pi00 - pi11);
    sums.pull -= weight * (pi00 * mixed[0] + pi01 * (mixed[1] + mixed[2]) + pi11 * mixed[3]);
    sums.force += weight * force;
    sums.centring += weight * centring;
    sums.train += weight * at.value;
    sums.squared_response += weight * ((1 - pi00) * (1 - pi00) + 2 * pi01 * pi01 + (1 - pi11) * (1 - pi11));
    sums.alignment += weight * alignment;
  }

  LoraTask task_;
  PretrainedOverlaps pretrained_;
  std::shared_ptr<const PointSet> points_;
  std::vector<std::array<Pack, 2>> v_;
  std::vector<Pack> weights_;
};

// --- softmax of three tokens ----------------------------------------------------------------------------------------

/// Makes a Gaussian index of unit variance, twice that on the diagonal, from normal coordinates.
AdapterRows::Square symmetric_scores(const Pack* normals) {
  AdapterRows::Square scores;
  for (std::size_t a = 0, k = 0; a < AdapterRows::kTokens; ++a)
    for (std::size_t b = a; b < AdapterRows::kTokens; ++b, ++k)
      scores[a][b] = scores[b][a] = (a == b ? std::numbers::sqrt2 : 1.0) * normals[k];
  return scores;
}

/// The inverse of 1 + V H of a symmetric 3 × 3 matrix, whose lower triangle H is by rows; whole.
AdapterRows::Square response_of(const Pack* H, double V) {
  const Pack a = 1 + V * H[0], b = V * H[1], c = 1 + V * H[2], d = V * H[3], e = V * H[4], f = 1 + V * H[5];
  const Pack A = c * f - e * e, B = d * e - b * f, D = b * e - c * d;
  const Pack inverse = 1 / (a * A + b * B + d * D);
  AdapterRows::Square result;
  result[0] = {A * inverse, B * inverse, D * inverse};
  result[1] = {result[0][1], (a * f - d * d) * inverse, (b * d - a * e) * inverse};
  result[2] = {result[0][2], result[1][2], (a * c - b * b) * inverse};
  return result;
}

class RowsChannel final : public LoraChannel {
 public:
  RowsChannel(const LoraTask& task, const PretrainedOverlaps& pretrained, int log2_points)
      : task_(task), pretrained_(pretrained), points_(theory::point_set(kCoordinates, log2_points)) {}

  LoraAverages averages(const LoraOverlaps& overlaps, int replicate, LoraMinima& minima) const override {
    const AdapterRows loss(task_.beta, overlaps.q);
    FollowedMinima<AdapterRows> followed(loss, overlaps.V, minima);
    PackAverages sums;
    double total = 0;
    for_each(overlaps, task_.noise, replicate, [&](const Field& field, Pack weight) {
      total += weight.sum();
      const auto p = followed.next(field.label, field.omega0, [&] { return fit(field); });
      add(loss, field, p.data(), overlaps.V, weight, sums);
    });
    return sums.reduced(total);
  }

  double test(const LoraOverlaps& overlaps, double noise, int replicate) const override {
    const AdapterRows loss(task_.beta, overlaps.q);
    Pack sum = 0;
    double total = 0;
    for_each(overlaps, noise, replicate, [&](const Field& field, Pack weight) {
      total += weight.sum();
      const AdapterRows::Square sigma = loss.outputs(field.label, field.omega0.data());
      for (std::size_t a = 0; a < kTokens; ++a)
        for (std::size_t b = 0; b < kTokens; ++b) {
          const Pack residual = sigma[a][b] - field.label.y[a][b];
          sum += weight * residual * residual;
        }
    });
    return sum.sum() / total;
  }

  int replicates() const override { return static_cast<int>(points_->first_pack.size()) - 1; }
  std::size_t points() const override { return points_->points; }

 private:
  static constexpr std::size_t kTokens = AdapterRows::kTokens, kScores = kTokens * (kTokens + 1) / 2;
  /// v, ξ, the frozen index, and the part of the target's index that the frozen one does not tell.
  static constexpr std::size_t kCoordinates = 2 * kTokens + 2 * kScores;
  /// v is sampled with this multiple of its width, because large ones dominate the averages.
  static constexpr double kWiden = 1.2;

  struct Field {
    AdapterRows::Row v, omega0;
    AdapterRows::Label label;
  };

  /// The adapter that explains the label, on the side of the cavity field.
  AdapterRows::Row fit(const Field& field) const {
    Pack overlap = 0;
    for (std::size_t a = 0; a < kTokens; ++a) overlap += field.v[a] * field.omega0[a];
    const Pack scale = std::sqrt(task_.omega) * select(overlap < Pack(0), Pack(-1), Pack(1));
    AdapterRows::Row result;
    for (std::size_t a = 0; a < kTokens; ++a) result[a] = scale * field.v[a];
    return result;
  }

  template <class Body>
  void for_each(const LoraOverlaps& overlaps, double noise, int replicate, Body&& body) const {
    const double width = width_of(overlaps);
    const double slope = pretrained_.calibration();
    const double unknown = std::sqrt(std::max(0.0, pretrained_.Q_star - slope * pretrained_.m_pre) + noise);
    Field field;
    for (std::size_t pack = points_->first_pack[at(replicate)]; pack < points_->first_pack[at(replicate + 1)]; ++pack) {
      base::check_interrupt();
      const Pack* x = &points_->normals[pack * kCoordinates];
      const AdapterRows::Square frozen = symmetric_scores(x + 2 * kTokens),
                                hidden = symmetric_scores(x + 2 * kTokens + kScores);
      Pack square = 0;
      for (std::size_t a = 0; a < kTokens; ++a) {
        field.v[a] = kWiden * x[a];
        square += field.v[a] * field.v[a];
      }
      const Pack weight = points_->weights[pack] * exp(-0.5 * (1 - 1 / (kWiden * kWiden)) * square);
      // Every point is taken with noise of either sign, so that all odd powers of it cancel.
      for (const double sign : {1.0, -1.0}) {
        AdapterRows::Square scores;
        for (std::size_t a = 0; a < kTokens; ++a) {
          field.omega0[a] = overlaps.m * field.v[a] + sign * width * x[kTokens + a];
          for (std::size_t b = 0; b < kTokens; ++b) {
            field.label.frozen[a][b] = std::sqrt(pretrained_.Q_pre) * frozen[a][b];
            scores[a][b] = slope * field.label.frozen[a][b] + sign * unknown * hidden[a][b] +
                           task_.omega * (field.v[a] * field.v[b] - (a == b ? 1.0 : 0.0));
          }
        }
        field.label.y = AdapterRows::softmax(task_.beta, scores);
        body(field, 0.5 * weight);
      }
    }
  }

  /// −tr(Π ∂_v ∇ℓ): labels move with v.
  Pack pull(const AdapterRows& loss, const Field& field, const AdapterRows::Square& sigma, const Pack* p,
            const AdapterRows::Square& response) const {
    Pack trace = 0;
    for (std::size_t j = 0; j < kTokens; ++j) {
      AdapterRows::Square moved;
      for (std::size_t a = 0; a < kTokens; ++a)
        for (std::size_t b = 0; b < kTokens; ++b)
          moved[a][b] = task_.omega * ((a == j ? field.v[b] : Pack(0)) + (b == j ? field.v[a] : Pack(0)));
      const AdapterRows::Square coefficients = loss.slope(sigma, loss.slope(field.label.y, moved));
      for (std::size_t i = 0; i < kTokens; ++i) trace += response[i][j] * AdapterRows::along(coefficients, p, i);
    }
    return trace;
  }

  void add(const AdapterRows& loss, const Field& field, const Pack* p, double V, Pack weight,
           PackAverages& sums) const {
    theory::Expansion<AdapterRows::kDimension> at(AdapterRows::dimension());
    loss.expand(field.label, p, at);
    const AdapterRows::Square sigma = loss.outputs(field.label, p), response = response_of(at.hessian.data(), V);
    AdapterRows::Square residual;
    for (std::size_t a = 0; a < kTokens; ++a)
      for (std::size_t b = 0; b < kTokens; ++b) residual[a][b] = sigma[a][b] - field.label.y[a][b];
    const AdapterRows::Square C = loss.slope(sigma, residual);
    Pack missing = 0, square = 0, force = 0, alignment = 0, centring = 0;
    for (std::size_t a = 0; a < kTokens; ++a) {
      const Pack gradient = (field.omega0[a] - p[a]) * (1 / V);
      force += gradient * gradient;
      alignment -= gradient * field.omega0[a];
      centring -= C[a][a];
      missing += 1 - response[a][a];
      for (std::size_t b = 0; b < kTokens; ++b) {
        const Pack rest = (a == b ? 1.0 : 0.0) - response[a][b];
        square += rest * rest;
      }
    }
    sums.response += weight * missing;
    sums.pull += weight * pull(loss, field, sigma, p, response);
    sums.force += weight * force;
    sums.centring += weight * centring;
    sums.train += weight * at.value;
    sums.squared_response += weight * square;
    sums.alignment += weight * alignment;
  }

  LoraTask task_;
  PretrainedOverlaps pretrained_;
  std::shared_ptr<const PointSet> points_;
};

}  // namespace

std::unique_ptr<LoraChannel> make_lora_channel(const LoraTask& task, const PretrainedOverlaps& pretrained,
                                               int log2_points) {
  if (task.head == model::Head::softmax && task.tokens == AdapterRows::kTokens)
    return std::make_unique<RowsChannel>(task, pretrained, log2_points);
  if (task.head == model::Head::softmax) return std::make_unique<SoftmaxChannel>(task, pretrained, log2_points);
  const double noise = residual_variance(task, pretrained);
  switch (task.tokens) {
    case 1:
      return std::make_unique<LinearChannel<1>>(task, noise, log2_points);
    case 2:
      return std::make_unique<LinearChannel<2>>(task, noise, log2_points);
    default:
      return std::make_unique<LinearChannel<0>>(task, noise, log2_points);
  }
}

}  // namespace attnlaw::laws
