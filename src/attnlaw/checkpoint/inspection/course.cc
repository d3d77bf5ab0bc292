#include "attnlaw/checkpoint/inspection/course.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "attnlaw/base/index.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/inspection/compare.h"

namespace attnlaw::checkpoint {
namespace {

/// The median of what exists.
template <class Items, class Figure>
double median_of(const Items& items, const Figure& figure) {
  std::vector<double> values;
  for (const auto& item : items)
    if (const double value = figure(item); !std::isnan(value)) values.push_back(value);
  if (values.empty()) return kAbsent;
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

const NullSummary* find(const Inspection& found, std::string_view null) {
  const auto at = std::find_if(found.nulls.begin(), found.nulls.end(),
                               [&](const NullSummary& summary) { return summary.null == null; });
  return at == found.nulls.end() ? nullptr : &*at;
}

/// What the report of a head says, without what is said beside the last step.
HeadStep head_step(int step, const HeadReport& report) {
  HeadStep at{step, report.layer, report.head, report.block, report.defect};
  if (!report.inspected()) return at;
  at.spectral_norm = report.ranks.spectral_norm;
  at.frobenius_norm = report.ranks.frobenius_norm;
  at.stable_rank = report.ranks.stable_rank;
  at.effective_rank = report.ranks.effective_rank;
  at.outlier_status = report.outliers.status;
  at.outliers = report.outliers.count;
  at.product_p = report.tests.product.p;
  at.product_holm = report.product_holm;
  at.rotation_score = report.tests.rotation.energy_score;
  at.symmetry = report.symmetry.symmetry;
  at.symmetry_score = report.tests.symmetry.score;
  return at;
}

/// Mean squared cosine between the spaces of two sets of orthonormal columns.
double alignment(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return (a.transpose() * b).squaredNorm() / static_cast<double>(a.cols());
}

/// A map in the scales of its own factors, so that no product leaves the range of double precision.
Factors scaled(const Factors& given) { return given.divided(binary_scale(given.left), binary_scale(given.right)); }

/// The steps of one head beside its last one.
class HeadCourse {
 public:
  HeadCourse(const Factors& last, int directions)
      : last_(scaled(last)),
        norm_(norm_of(last_)),
        vectors_(leading_vectors(last_.left, last_.right, directions)),
        directions_(directions) {}

  void add_to(HeadStep& at, const Factors& given) const {
    const Factors now = scaled(given);
    const double inner =
        ((now.left * last_.left.transpose()).array() * (now.right * last_.right.transpose()).array()).sum();
    const SingularVectors vectors = leading_vectors(now.left, now.right, directions_);
    at.cosine = inner / (norm_of(now) * norm_);
    at.directions = directions_;
    at.left_alignment = alignment(vectors_.left, vectors.left);
    at.right_alignment = alignment(vectors_.right, vectors.right);
  }

 private:
  static double norm_of(const Factors& map) {
    const Eigen::MatrixXd left = map.left * map.left.transpose(), right = map.right * map.right.transpose();
    return std::sqrt((left.array() * right.array()).sum());
  }

  Factors last_;
  double norm_;
  SingularVectors vectors_;
  int directions_;
};

/// Fills the figures beside the last step of the head number `head` of a layer; `steps` are its own.
void add_last(const std::vector<Model>& models, std::size_t layer, int head, int outliers,
              const InspectOptions& options, std::span<HeadStep> steps) {
  const auto factors = [&](const Model& model) {
    return factors_of(read_head(model, model.layers[layer], head, maps_of(options)), model.layers[layer], model,
                      options);
  };
  if (!steps.back().defect.empty()) return;
  const Factors last = factors(models.back());
  const int most = static_cast<int>(std::min({last.left.rows(), last.left.cols(), last.right.cols()}));
  const HeadCourse course(last, std::clamp(outliers, 1, most));
  for (std::size_t t = 0; t < steps.size(); ++t)
    if (steps[t].defect.empty()) course.add_to(steps[t], factors(models[t]));
}

Step step_of(const StepFile& file, const Inspection& found, std::span<const HeadStep* const> heads) {
  Step step{file.path, file.number};
  const auto discoveries = [&](const char* null) {
    const NullSummary* summary = find(found, null);
    return summary == nullptr ? 0 : summary->discoveries;
  };
  step.not_random = discoveries("N1 product");
  step.matched = discoveries("N2 rotation");
  step.related = discoveries("N3 symmetry");
  if (const NullSummary* rotation = find(found, "N2 rotation")) step.pooled_rotation = rotation->pooled_score;
  for (const HeadStep* head : heads) {
    step.heads += head->defect.empty();
    if (head->outlier_status == OutlierStatus::counted) step.outliers += head->outliers;
  }
  const auto median = [&](double HeadStep::*figure) {
    return median_of(heads, [figure](const HeadStep* head) { return head->*figure; });
  };
  step.frobenius_norm = median(&HeadStep::frobenius_norm);
  step.stable_rank = median(&HeadStep::stable_rank);
  step.effective_rank = median(&HeadStep::effective_rank);
  step.cosine = median(&HeadStep::cosine);
  step.left_alignment = median(&HeadStep::left_alignment);
  step.right_alignment = median(&HeadStep::right_alignment);
  return step;
}

}  // namespace

Followed follow(const std::vector<StepFile>& files, const OpenOptions& open, const InspectOptions& options,
                const std::function<void(const std::string&, int, int)>& progress) {
  if (files.size() < 2) base::reject("a course takes two steps or more, got {}", files.size());
  std::vector<Model> models;
  for (const StepFile& file : files) models.push_back(open_model(file.path, open));
  for (const Model& model : models) require_same_shape(models.back(), model);
  NullTables tables(options.seed, options.threads);
  Followed followed;
  const std::size_t steps = models.size(), heads = models.back().heads();
  std::vector<HeadStep>& all = followed.course.heads;
  all.resize(heads * steps);
  std::vector<Inspection> inspections;
  for (std::size_t t = 0; t < steps; ++t) {
    // Tokens and directions are those of the last step.
    InspectOptions of_step = options;
    if (t + 1 < steps) of_step.tokens = 0, of_step.keep_directions = false;
    const auto report = [&](int done, int total) {
      if (progress) progress("heads of " + files[t].path, done, total);
    };
    inspections.push_back(inspect(models[t], of_step, tables, report));
    for (std::size_t i = 0; i < heads; ++i)
      all[i * steps + t] = head_step(static_cast<int>(t), inspections.back().heads[i]);
  }
  std::vector<std::size_t> layers;
  for (std::size_t layer = 0; layer < models.back().layers.size(); ++layer)
    layers.insert(layers.end(), base::size(models.back().layers[layer].heads), layer);
  base::parallel_for(
      heads, options.threads,
      [&](std::size_t i) {
        const HeadReport& last = inspections.back().heads[i];
        add_last(models, layers[i], last.head, last.outliers.count, options, std::span(all).subspan(i * steps, steps));
      },
      [&](int done, int total) {
        if (progress) progress("directions", done, total);
      });
  for (std::size_t t = 0; t < steps; ++t) {
    std::vector<const HeadStep*> of_step;
    for (std::size_t i = 0; i < heads; ++i) of_step.push_back(&all[i * steps + t]);
    followed.course.steps.push_back(step_of(files[t], inspections[t], of_step));
  }
  followed.last = std::move(inspections.back());
  return followed;
}

}  // namespace attnlaw::checkpoint
