#pragma once
/// A tensor of a checkpoint: name, type, shape, and its bytes in the mapped file.

#include <Eigen/Core>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/tensor/data_type.h"
#include "attnlaw/checkpoint/tensor/mapped_file.h"

namespace attnlaw::checkpoint {

struct LowRank;

/// The numbers lie row by row: the last axis runs fastest.
struct Tensor {
  std::string name;
  const DataType* type = nullptr;
  std::vector<std::size_t> shape;
  Bytes bytes;
  /// The file that holds the bytes, for messages and to give memory back.
  std::shared_ptr<const MappedFile> file;
  /// Bytes that had to be unpacked out of the file.
  std::shared_ptr<const std::vector<std::byte>> unpacked;
  /// The first axis runs fastest (Fortran order of npy).
  bool column_major = false;
  /// The file says that a matrix has the shape [in, out] (a MatMul of ONNX); [out, in] otherwise, unless a layout says
  /// so.
  bool input_first = false;
  /// A product of low rank that is added; a tensor without a type consists of it alone.
  std::shared_ptr<const LowRank> low_rank;
  /// How layouts know the tensor, where that is not its name.
  std::string alias;

  /// Whether its numbers can be decoded.
  bool readable() const { return type == nullptr || type->decode != nullptr; }
  const std::string& known_as() const { return alias.empty() ? name : alias; }
  /// "[32, 16]".
  std::string shape_text() const;
  /// The first axis, and the product of the others; a vector is one row.
  Eigen::Index rows() const;
  Eigen::Index columns() const;
};

/// scale · B A, as adapters store it: A is rank × in, B is out × rank.
struct LowRank {
  Tensor a;
  Tensor b;
  double scale = 1;
  /// The tensor that it is added to is [in, out].
  bool transposed = false;
};

/// Returns the product of a shape; nothing if it exceeds 2^56 or, through an axis of length 0, hides a product that
/// does.
std::optional<std::size_t> number_count(const std::vector<std::size_t>& shape);

/// A part of a matrix.
struct Window {
  Eigen::Index row = 0;
  Eigen::Index rows = 0;
  Eigen::Index column = 0;
  Eigen::Index columns = 0;
};

/// Throws base::FileError, with the name of the type and what to do, for a tensor that is not readable.
void require_readable(const Tensor& tensor);

/// Decodes a window of a tensor, as a matrix of its first axis and all others. Throws base::FileError if its type is
/// not read, std::out_of_range for a window beyond it.
Eigen::MatrixXd decode(const Tensor& tensor, const Window& window);
Eigen::MatrixXd decode(const Tensor& tensor);
/// Decodes all numbers in their order.
Eigen::VectorXd decode_vector(const Tensor& tensor);

}  // namespace attnlaw::checkpoint
