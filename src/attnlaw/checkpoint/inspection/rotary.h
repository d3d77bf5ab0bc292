#pragma once
/// Rotary positions: the map at a distance between query and key, and what distances do to its energy.

#include <Eigen/Core>

#include "attnlaw/checkpoint/model.h"

namespace attnlaw::checkpoint {

/// Returns the key factor with which queryᵀ key is the map at a distance of `offset` tokens: W_Qᵀ R_D W_K.
Eigen::MatrixXd keys_at_offset(const Eigen::MatrixXd& key, const Rotary& rotary, double offset);

/// The same with R_D replaced by its mean over the offsets 0 … window − 1.
Eigen::MatrixXd keys_over_window(const Eigen::MatrixXd& key, const Rotary& rotary, int window);

/// Returns ‖S_0‖² over the mean of ‖S_D‖² over all offsets D; the mean is exact where the planes turn at different
/// speeds.
double offset_energy_ratio(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, const Rotary& rotary);

}  // namespace attnlaw::checkpoint
