#pragma once
/// Computes the answers of student and target to a block of sequences, and the labels made of the target's answer.

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Returns how many numbers an answer to one sequence has. With readout rows they are the rows of σ_β, T² (T1 T2)
/// numbers, or the scores of the student for the linear head; with readout entry the first row of σ_β, of which only
/// the first entry counts; with readout score u alone.
int output_count(const model::Problem& problem);

/// Returns how many rows of a label are drawn from probabilities: 0 for labels that are not drawn.
int drawn_rows(const model::Problem& problem);

/// Returns how many numbers the label of one sequence has. Soft labels hold what counts of an answer, sampled ones the
/// position of the one in each row, sign labels ±1.
int label_count(const model::Problem& problem);

/// The score that readout score reads: u = weight·h_ab, Var u = ‖S‖²_F/d.
struct ScoreReadout {
  int a = 0, b = 0;
  double weight = 1;
};
/// Returns h_12; h_11/√2 for T = 1, h_11 for cross-attention.
ScoreReadout score_readout(const model::Problem& problem);

/// Computes the answer of the student to its scores: σ_β(h), h for the linear head, or u.
template <class Real>
void student_outputs(const model::Problem& problem, const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Computes the answer of the target to the scores h* (target_layout), in the form of the student's answer; with a
/// custom loss the labels, of drawn ones their probabilities.
template <class Real>
void target_outputs(const model::Problem& problem, const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Makes the labels of sequences to which the target answers `outputs`. `chances` are numbers uniform in (0, 1), one
/// per sequence and row; only sampled labels read them.
template <class Real>
void labels_of(const model::Problem& problem, const base::Columns<Real>& outputs, const base::Columns<double>& chances,
               base::Columns<Real>& labels);

/// Returns `problem` with soft labels in place of sampled ones: test errors are measured against these.
model::Problem undrawn(const model::Problem& problem);

/// Returns −Σ p log p over all sequences and entries of softmax rows.
template <class Real>
double entropy(const base::Columns<Real>& rows);

}  // namespace attnlaw::experiment
