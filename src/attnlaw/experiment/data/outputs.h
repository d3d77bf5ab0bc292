#pragma once
/// The answers of student and target to a block of sequences, and the labels made of the target's answer.

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Numbers of an answer per sequence. Readout rows: T² (T1 T2) for softmax, the rows of σ_β; the scores of the student
/// for the linear head. Readout entry: the first row of σ_β, whose first entry is what counts. Readout score: u.
int output_count(const model::Problem& problem);

/// Numbers of a label per sequence. Soft labels: what of an answer counts. Sampled ones: for each row the position of
/// its one. Sign: ±1.
int label_count(const model::Problem& problem);

/// The score that readout score reads: u = weight·h_ab, Var u = ‖S‖²_F/d.
struct ScoreReadout {
  int a = 0, b = 0;
  double weight = 1;
};
/// h_12; h_11/√2 for T = 1, h_11 for cross-attention.
ScoreReadout score_readout(const model::Problem& problem);

/// The answer of the student of `problem` to its scores: σ_β(h), h for the linear head, u.
template <class Real>
void student_outputs(const model::Problem& problem, const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// The answer of the target to the scores h* (target_layout), in the form of the student's answer.
template <class Real>
void target_outputs(const model::Problem& problem, const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Labels of sequences to which the target answers `outputs`. `chances` are numbers uniform in (0, 1), one per sequence
/// and row; read for sampled labels alone.
template <class Real>
void labels_of(const model::Problem& problem, const base::Columns<Real>& outputs, const base::Columns<double>& chances,
               base::Columns<Real>& labels);

/// `problem` with the labels that errors are measured against where none are drawn: soft in place of sampled ones.
model::Problem undrawn(const model::Problem& problem);

/// −Σ p log p over all sequences and entries of softmax rows.
template <class Real>
double entropy(const base::Columns<Real>& rows);

}  // namespace attnlaw::experiment
