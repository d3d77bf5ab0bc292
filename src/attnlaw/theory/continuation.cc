#include "attnlaw/theory/continuation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "attnlaw/base/reject.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

/// A solution that moves further than this (in the coordinates of FixedPoint, most of them logarithms) between two α is
/// followed in smaller steps; one that still does over kFinest of α has jumped.
constexpr double kLongestMove = 0.3;
constexpr double kFinest = 1e-4;
/// Share of the accuracy that the residual of a solution may be left with.
constexpr double kCurveResidualShare = 0.1;
/// …and that of the integrals of the prior.
constexpr double kCurveLawShare = 1e-6;
/// Students of q below this share of Q* count as S = 0 in comparisons.
constexpr double kOnset = 0.02;
/// Least distance at which two fixed points differ.
constexpr double kSame = 1e-3;
constexpr double kSameShare = 3;  ///< …in units of the accuracy

double distance(const Overlaps& a, const Overlaps& b, const Chart& chart) {
  constexpr double kFar = 1e3;
  // A student leaves S = 0 continuously, but infinitely far away in log q.
  if (std::max(a.q, b.q) < kOnset * chart.Q_star) return 0;
  if (!(a.q > 0) || !(b.q > 0)) return kFar;
  const Coordinates x = chart.coordinates(a), y = chart.coordinates(b);
  return x.size() == y.size() ? (x - y).cwiseAbs().maxCoeff() : kFar;
}

/// One stable solution, and the student whose equations it solves.
struct Found {
  FixedPoint at;
  std::shared_ptr<const TrainedStudent> student;
  bool jumped = false;  ///< between the α before and this one the branch ended
  Spinodal spinodal;    ///< where, if it did
};

/// Solves at any α on one point set. Along a path of α one workspace is handed on.
class Follower {
 public:
  Follower(const model::Problem& problem, const SolveOptions& options, const PointRule& rule)
      : problem_(problem),
        target_(problem.target_law()),
        tolerance_{kCurveResidualShare * options.accuracy, kCurveResidualShare * options.accuracy},
        same_(std::max(kSame, kSameShare * options.accuracy)),
        resolution_{rule, kCurveLawShare * options.accuracy},
        holder_(student(problem.alpha)) {}

  double Q_star() const { return target_.second_moment(); }
  /// The coordinates of all fixed points.
  const Chart& chart() const { return holder_->map().chart(); }
  std::size_t points() const { return holder_->channel().points(); }
  /// Two fixed points this close are the same one, as far as their residuals tell.
  double same() const { return same_; }

  Found uninformed(double alpha, Workspace& workspace) const { return find(student(alpha), std::nullopt, workspace); }

  /// From S near (β*/β) S*, which fits all labels. Where such a start leads away, to wherever it leads.
  Found informed(double alpha, Workspace& workspace) const {
    constexpr double kOff = 1e-3;
    const double Q = Q_star(), r = problem_.beta_ratio();
    const double V = kOff / (alpha * problem_.score_count());
    return find(student(alpha), Start{{r * r * Q, (1 - 0.5 * kOff) * r * Q, V}, std::nullopt}, workspace);
  }

  /// The solution at `to` that continues `from`, the one at `alpha`, starting from `guess`.
  Found follow(const FixedPoint& from, double alpha, double to, const Overlaps& guess, Workspace& workspace) const {
    const bool nothing = !(from.overlaps.q > 0);
    const auto start = nothing ? std::nullopt : std::optional(Start{guess, from.slope});
    workspace.channel.begin_another();
    Found found = find(student(to), start, workspace);
    const bool fine = std::abs(to - alpha) <= kFinest * alpha;
    const bool lost = !found.at.converged || !is_stable(found.student->map(), found.at);
    const bool vanishing = std::max(found.at.overlaps.q, from.overlaps.q) < kOnset * Q_star();
    if ((!lost || vanishing) && distance(found.at.overlaps, from.overlaps, chart()) <= kLongestMove) return found;
    if (fine) {
      if (lost) found = to > alpha ? uninformed(to, workspace) : informed(to, workspace);
      found.jumped = true;
      found.spinodal = {0.5 * (alpha + to), std::abs(to - alpha), "", to > alpha};
      return found;
    }
    const double middle = std::sqrt(alpha * to);
    const Found half = follow(from, alpha, middle, from.overlaps, workspace);
    Found rest = follow(half.at, middle, to, half.at.overlaps, workspace);
    if (half.jumped) rest.jumped = true, rest.spinodal = half.spinodal;
    return rest;
  }

 private:
  using Student = std::shared_ptr<const TrainedStudent>;

  Student student(double alpha) const {
    model::Problem one = problem_;
    one.alpha = alpha;
    return Student(new TrainedStudent(one, target_, std::nullopt, resolution_));
  }
  Found find(Student student, const std::optional<Start>& start, Workspace& workspace) const {
    FixedPoint at = student->find(start, tolerance_, workspace);
    return {std::move(at), std::move(student), false, {}};
  }

  const model::Problem& problem_;
  Spectrum target_;
  Tolerance tolerance_;
  double same_;
  Resolution resolution_;
  Student holder_;  ///< keeps the point set that all students of a sweep share (point_set)
};

/// The coordinates that one more step of Newton's method leads to, which need not be evaluated: those of a solution are
/// as far off as the tolerance allows.
Coordinates refined(const FixedPoint& solution, const Chart& chart) {
  const Coordinates x = chart.coordinates(solution.overlaps), next = chart.coordinates(solution.step.prior.overlaps);
  if (!solution.slope || next.size() != x.size()) return x;
  return x + solution.slope->step(next - x);
}

/// Where the polynomial through the last solutions, up to three on one branch, leads at the next α, in the coordinates
/// of FixedPoint over log α; the last one where it leads far away. `from` is where the branch begins.
Overlaps extrapolate(const std::vector<FixedPoint>& at, const std::vector<double>& alphas, std::size_t from,
                     std::size_t next, const Chart& chart) {
  constexpr std::size_t kMost = 3;
  const Overlaps& last = at[next - 1].overlaps;
  std::size_t first = next - 1;
  while (first > from && next - first < kMost && at[first - 1].overlaps.q > 0) --first;
  if (first == next - 1 || !(last.q > 0)) return last;
  const Coordinates end = refined(at[next - 1], chart);
  Coordinates move = Coordinates::Zero(end.size());
  for (std::size_t i = first; i < next; ++i) {
    const Coordinates x = refined(at[i], chart);
    if (x.size() != end.size()) return last;
    double weight = 1;  // Lagrange's polynomial of solution i
    for (std::size_t j = first; j < next; ++j)
      if (j != i) weight *= std::log(alphas[next] / alphas[j]) / std::log(alphas[i] / alphas[j]);
    move += weight * (x - end);
  }
  return move.allFinite() && move.cwiseAbs().maxCoeff() <= kLongestMove ? chart.overlaps(end + move) : last;
}

/// A sweep: the solution at each α, and where it jumped between two.
struct Sweep {
  explicit Sweep(std::size_t size) : at(size), point(size), jump(size) {}
  void keep(std::size_t i, double alpha, const Found& found, Workspace& workspace) {
    const auto& student = *found.student;
    at[i] = found.at;
    point[i] = {alpha, found.at.overlaps, student.errors(found.at), student.replicon(found.at, workspace), false};
  }

  std::vector<FixedPoint> at;
  std::vector<BranchPoint> point;
  std::vector<std::optional<Spinodal>> jump;  ///< between i − 1 and i (upwards), i and i + 1 (downwards)
};

Sweep sweep_up(const Follower& follower, const std::vector<double>& alphas) {
  Sweep sweep(alphas.size());
  Workspace workspace;
  sweep.keep(0, alphas[0], follower.uninformed(alphas[0], workspace), workspace);
  std::size_t branch = 0;
  for (std::size_t i = 1; i < alphas.size(); ++i) {
    const Overlaps guess = extrapolate(sweep.at, alphas, branch, i, follower.chart());
    Found found = follower.follow(sweep.at[i - 1], alphas[i - 1], alphas[i], guess, workspace);
    if (found.jumped) sweep.jump[i] = found.spinodal, branch = i;
    sweep.keep(i, alphas[i], found, workspace);
  }
  return sweep;
}

Sweep sweep_down(const Follower& follower, const std::vector<double>& alphas, const Sweep& up) {
  Sweep sweep(alphas.size());
  const std::size_t last = alphas.size() - 1;
  Workspace workspace;
  sweep.keep(last, alphas[last], follower.informed(alphas[last], workspace), workspace);
  for (std::size_t i = last; i-- > 0;) {
    // On the branch of the other sweep, and where that one is smooth, this one would retrace it.
    const bool retraces = !up.jump[i + 1] && distance(sweep.at[i + 1].overlaps, up.at[i + 1].overlaps,
                                                      follower.chart()) <= follower.same();
    if (retraces) {
      sweep.at[i] = up.at[i];
      sweep.point[i] = up.point[i];
      continue;
    }
    Found found = follower.follow(sweep.at[i + 1], alphas[i + 1], alphas[i], sweep.at[i + 1].overlaps, workspace);
    if (found.jumped) sweep.jump[i] = found.spinodal;
    sweep.keep(i, alphas[i], found, workspace);
  }
  return sweep;
}

/// Indices of the α of a stretch of a sweep without jumps: [begin, end).
struct Stretch {
  std::size_t begin, end;
};

std::vector<Stretch> stretches(const Sweep& sweep, bool upwards) {
  std::vector<Stretch> result{{0, 0}};
  for (std::size_t i = 0; i < sweep.at.size(); ++i) {
    const bool cut = upwards ? sweep.jump[i].has_value() : i > 0 && sweep.jump[i - 1].has_value();
    if (cut) result.push_back({i, i});
    result.back().end = i + 1;
  }
  return result;
}

/// Both sweeps over ascending α.
struct Sweeps {
  const Follower& follower;
  const std::vector<double>& alphas;
  Sweep up, down;

  Sweeps(const Follower& on, const std::vector<double>& over)
      : follower(on), alphas(over), up(sweep_up(on, over)), down(sweep_down(on, over, up)) {}

  bool converged() const {
    const auto all = [](const Sweep& sweep) {
      return std::all_of(sweep.at.begin(), sweep.at.end(), [](const FixedPoint& at) { return at.converged; });
    };
    return all(up) && all(down);
  }
  bool agree(std::size_t i) const {
    return distance(up.at[i].overlaps, down.at[i].overlaps, follower.chart()) <= follower.same();
  }
};

void add_spinodal(const std::optional<Spinodal>& jump, const std::string& branch, Continuation& result) {
  if (!jump) return;
  result.spinodals.push_back(*jump);
  result.spinodals.back().branch = branch;
}

/// One branch for each stretch of the way up; the one before it ends where it begins.
void add_upward_branches(const Sweeps& sweeps, Continuation& result) {
  for (const Stretch& stretch : stretches(sweeps.up, true)) {
    Branch branch{result.branches.empty() ? "uninformed" : "informed", {}};
    for (std::size_t i = stretch.begin; i < stretch.end; ++i) branch.points.push_back(sweeps.up.point[i]);
    if (!result.branches.empty()) add_spinodal(sweeps.up.jump[stretch.begin], result.branches.back().name, result);
    result.branches.push_back(std::move(branch));
  }
}

/// The last branch with a solution at `alpha`.
Branch* branch_at(std::vector<Branch>& branches, double alpha) {
  Branch* found = nullptr;
  for (Branch& branch : branches)
    for (const BranchPoint& point : branch.points)
      if (point.alpha == alpha) found = &branch;
  return found;
}

/// What the way down adds: solutions that the way up has not met, as the lower ends of the branches they join.
void add_downward_branches(const Sweeps& sweeps, Continuation& result) {
  for (const Stretch& stretch : stretches(sweeps.down, false)) {
    std::vector<BranchPoint> fresh;
    Branch* joined = nullptr;
    for (std::size_t i = stretch.begin; i < stretch.end; ++i) {
      if (!sweeps.agree(i))
        fresh.push_back(sweeps.down.point[i]);
      else if (!joined)
        joined = branch_at(result.branches, sweeps.alphas[i]);
    }
    if (fresh.empty()) continue;
    if (!joined) joined = &result.branches.emplace_back(Branch{"informed", {}});
    joined->points.insert(joined->points.begin(), fresh.begin(), fresh.end());
    if (stretch.begin > 0) add_spinodal(sweeps.down.jump[stretch.begin - 1], joined->name, result);
  }
}

void mark_lowest(std::vector<Branch>& branches, double alpha) {
  BranchPoint* lowest = nullptr;
  for (Branch& branch : branches)
    for (BranchPoint& point : branch.points)
      if (point.alpha == alpha && (!lowest || point.errors.objective < lowest->errors.objective)) lowest = &point;
  if (lowest) lowest->lowest = true;
}

std::vector<double> replicon_crossings(const std::vector<Branch>& branches, const std::vector<double>& alphas) {
  std::vector<double> crossings;
  const BranchPoint* previous = nullptr;
  for (const double alpha : alphas)
    for (const Branch& branch : branches)
      for (const BranchPoint& point : branch.points) {
        if (point.alpha != alpha || !point.lowest) continue;
        const bool finite = previous && std::isfinite(previous->replicon) && std::isfinite(point.replicon);
        if (finite && (previous->replicon - 1) * (point.replicon - 1) < 0) {
          const double share = (1 - previous->replicon) / (point.replicon - previous->replicon);
          crossings.push_back(previous->alpha * std::pow(point.alpha / previous->alpha, share));
        }
        previous = &point;
      }
  return crossings;
}

void require_valid(const model::Problem& problem, const std::vector<double>& alphas) {
  problem.validate();
  if (problem.untied_self())
    base::reject("a continuation needs a student whose prior is known exactly, got untied of self-attention");
  if (problem.lambda_rule != model::LambdaRule::value)
    base::reject("a continuation needs a trained student at a given lambda, got student {} and lambda {}",
                 model::name(problem.student), model::lambda_text(problem));
  if (alphas.size() < 2) base::reject("a continuation needs at least 2 values of alpha, got {}", alphas.size());
  for (std::size_t i = 0; i < alphas.size(); ++i)
    if (!(alphas[i] > 0) || alphas[i] > model::kMaxAlpha || (i > 0 && !(alphas[i] > alphas[i - 1])))
      base::reject("alpha must be numbers > 0 in ascending order, got {}", alphas[i]);
}

/// The largest of the rules that the accuracy needs at both ends and in the middle.
PointRule wanted_rule(const model::Problem& problem, const std::vector<double>& alphas, SolveOptions options) {
  options.detail = Detail::errors;
  Diagnostics most;
  for (const double alpha : {alphas.front(), alphas[alphas.size() / 2], alphas.back()}) {
    model::Problem one = problem;
    one.alpha = alpha;
    const Diagnostics diagnostics = solve(one, options).diagnostics;
    if (diagnostics.points >= most.points) most = diagnostics;
  }
  return most.rule;
}

}  // namespace

Continuation continue_in_alpha(const model::Problem& problem, const std::vector<double>& alphas,
                               const SolveOptions& options) {
  require_valid(problem, alphas);
  const auto begin = std::chrono::steady_clock::now();
  const Follower follower(problem, options, wanted_rule(problem, alphas, options));
  const Sweeps sweeps(follower, alphas);
  Continuation result;
  result.points = follower.points();
  result.converged = sweeps.converged();
  add_upward_branches(sweeps, result);
  add_downward_branches(sweeps, result);
  if (result.branches.size() == 1) result.branches.front().name = "both";
  for (const double alpha : alphas) mark_lowest(result.branches, alpha);
  result.replicon_crossings = replicon_crossings(result.branches, alphas);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace attnlaw::theory
