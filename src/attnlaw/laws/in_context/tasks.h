#pragma once
/// The covariance of the tasks of in-context regression: what a layer is trained on, and what it is tested on
/// (docs/theory/in_context_learning.md, section 6).

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace attnlaw::laws {

/// Variances, those of tasks and of the noise of labels, are 0 or from the least to the most.
inline constexpr double kLeastVariance = 1e-100, kMostVariance = 1e12;

/// Numbers that never change and that copies share: every point of a grid has the covariances of all.
class SharedNumbers {
 public:
  explicit SharedNumbers(std::vector<double> numbers)
      : numbers_(std::make_shared<const std::vector<double>>(std::move(numbers))) {}
  SharedNumbers(std::initializer_list<double> numbers) : SharedNumbers(std::vector<double>(numbers)) {}

  operator const std::vector<double>&() const { return *numbers_; }
  std::size_t size() const { return numbers_->size(); }
  double operator[](std::size_t i) const { return (*numbers_)[i]; }
  double front() const { return numbers_->front(); }
  std::vector<double>::const_iterator begin() const { return numbers_->begin(); }
  std::vector<double>::const_iterator end() const { return numbers_->end(); }

 private:
  std::shared_ptr<const std::vector<double>> numbers_;
};

/// The eigenvalues of a covariance of tasks, as a list of values with weights that sum to 1. Two covariances with as
/// many values share their eigenvectors, value by value.
struct TaskCovariance {
  std::string spec = "isotropic";
  SharedNumbers values{1};
  SharedNumbers weights{1};

  /// Parses `isotropic`, `list:C1[@W1],C2[@W2],…` (weights in any unit, equal ones unless given), `powerlaw:GAMMA,D`
  /// (D values i^{−γ} of mean 1) or `file:PATH` (a line for each value, with its weight or without). Throws
  /// std::invalid_argument that names the value and what is accepted, base::FileError if a file cannot be read.
  static TaskCovariance parse(const std::string& spec);

  bool isotropic() const { return values.size() == 1 && values.front() == 1; }
  /// Returns tr C/d.
  double mean() const;
  /// Returns the fraction of directions that tasks have, and whether that is all of them.
  double rank() const;
  bool full_rank() const;
};

/// Returns the mean of the test covariance within each eigenspace of the training covariance. Throws
/// std::invalid_argument unless one of the two has a single value, or both the same weights.
std::vector<double> paired_values(const TaskCovariance& training, const TaskCovariance& test);

}  // namespace attnlaw::laws
