#include "attnlaw/experiment/data/sharding.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace attnlaw::experiment {
namespace {

using base::Matrix;

/// Returns a hash of a matrix of 20 bits as a number: its square and the sum of 8192 squares are exact in double.
double fingerprint(const Matrix<double>& matrix) {
  // This is FNV-1a, a word at a time.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const double entry : matrix.reshaped<Eigen::RowMajor>())
    hash = (hash ^ std::bit_cast<std::uint64_t>(entry)) * 0x100000001b3;
  return static_cast<double>(hash >> 44);
}

}  // namespace

Shard shard_of(Eigen::Index sequences, const base::Communicator* communicator) {
  if (!communicator) return {0, sequences};
  const Eigen::Index rank = communicator->rank(), size = communicator->size();
  const Eigen::Index first = sequences * rank / size;
  return {first, sequences * (rank + 1) / size - first};
}

void sum_over_processes(base::Communicator* communicator, const Matrix<double>& point, std::span<double> numbers,
                        Matrix<double>* matrix) {
  if (!communicator) return;
  const double mine = fingerprint(point);
  // One message holds all entries of the matrix, the numbers, and what tells whether the points agree.
  std::vector<double> message;
  message.reserve(numbers.size() + 2 + (matrix ? static_cast<std::size_t>(matrix->size()) : 0));
  if (matrix) message.assign(matrix->data(), matrix->data() + matrix->size());
  message.insert(message.end(), numbers.begin(), numbers.end());
  message.insert(message.end(), {mine, mine * mine});
  communicator->sum(message);
  const double squares = message.back(), total = message[message.size() - 2];
  // Cauchy-Schwarz holds with equality only if all fingerprints are the same.
  if (communicator->size() * squares != total * total) {
    throw base::CommunicationError(
        "the processes of this run do not agree on the student: they compute on different kinds of processors; give "
        "all of them the same kernels (OPENBLAS_CORETYPE=Haswell), or use machines of one kind");
  }
  const auto numbers_begin = message.begin() + (matrix ? matrix->size() : 0);
  std::copy_n(numbers_begin, numbers.size(), numbers.begin());
  if (matrix) std::copy(message.begin(), numbers_begin, matrix->data());
}

}  // namespace attnlaw::experiment
