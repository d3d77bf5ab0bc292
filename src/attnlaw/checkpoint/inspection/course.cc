#include "attnlaw/checkpoint/inspection/course.h"

#include <algorithm>
#include <cmath>

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
    const SingularVectors vectors = leading_vectors(now.left, now.right, directions_);
    at.cosine = inner_product(now, last_) / (norm_of(now) * norm_);
    at.directions = directions_;
    at.left_alignment = alignment(vectors_.left, vectors.left);
    at.right_alignment = alignment(vectors_.right, vectors.right);
  }

 private:
  static double norm_of(const Factors& map) { return std::sqrt(inner_product(map, map)); }

  Factors last_;
  double norm_;
  SingularVectors vectors_;
  int directions_;
};

/// Fills the figures beside the last step of a head; `steps` are its own.
void add_last(const std::vector<Model>& models, const Place& place, int outliers, const InspectOptions& options,
              std::span<HeadStep> steps) {
  const auto factors = [&](const Model& model) {
    const Layer& layer = model.layers[place.layer];
    return factors_of(read_head(model, layer, place.head, maps_of(options)), layer, model, options);
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

using Progress = std::function<void(const std::string&, int, int)>;

/// Inspects every step; tokens and directions are those of the last one.
std::vector<Inspection> inspect_steps(const std::vector<StepFile>& files, const std::vector<Model>& models,
                                      const InspectOptions& options, const Progress& progress) {
  NullTables tables(options.seed, options.threads);
  std::vector<Inspection> inspections;
  for (std::size_t t = 0; t < models.size(); ++t) {
    InspectOptions of_step = options;
    if (t + 1 < models.size()) of_step.tokens = 0, of_step.keep_directions = false;
    inspections.push_back(inspect(models[t], of_step, tables, [&](int done, int total) {
      if (progress) progress("heads of " + files[t].path, done, total);
    }));
  }
  return inspections;
}

}  // namespace

Followed follow(const std::vector<StepFile>& files, const OpenOptions& open, const InspectOptions& options,
                const Progress& progress) {
  if (files.size() < 2) base::reject("a course takes two steps or more, got {}", files.size());
  std::vector<Model> models;
  for (const StepFile& file : files) models.push_back(open_model(file.path, open));
  if (options.keep_going) {
    std::vector<Model*> all;
    for (Model& model : models) all.push_back(&model);
    keep_common_layers(all);
  }
  for (const Model& model : models) require_same_shape(models.back(), model);
  std::vector<Inspection> inspections = inspect_steps(files, models, options, progress);
  const std::vector<Place> places = places_of(models.back());
  const std::size_t steps = models.size();
  Followed followed;
  std::vector<HeadStep>& all = followed.course.heads;
  for (std::size_t i = 0; i < places.size(); ++i)
    for (std::size_t t = 0; t < steps; ++t) all.push_back(head_step(static_cast<int>(t), inspections[t].heads[i]));
  base::parallel_for(
      places.size(), options.threads,
      [&](std::size_t i) {
        const int outliers = inspections.back().heads[i].outliers.count;
        add_last(models, places[i], outliers, options, std::span(all).subspan(i * steps, steps));
      },
      [&](int done, int total) {
        if (progress) progress("directions", done, total);
      });
  for (std::size_t t = 0; t < steps; ++t) {
    std::vector<const HeadStep*> of_step;
    for (std::size_t i = 0; i < places.size(); ++i) of_step.push_back(&all[i * steps + t]);
    followed.course.steps.push_back(step_of(files[t], inspections[t], of_step));
  }
  followed.last = std::move(inspections.back());
  return followed;
}

}  // namespace attnlaw::checkpoint
