#include "attnlaw/checkpoint/tensor/tensor.h"

#include <fmt/ranges.h>

#include <stdexcept>

#include "attnlaw/base/index.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using base::size;
using Eigen::Index;

/// The numbers [first, first + count) of a tensor; the scratch memory holds the blocks around them.
class RowDecoder {
 public:
  explicit RowDecoder(const Tensor& tensor) : tensor_(tensor) { require_readable(tensor); }

  const double* operator()(std::size_t first, std::size_t count) {
    const DataType& type = *tensor_.type;
    const std::size_t block = first / type.numbers;
    const std::size_t blocks = (first + count + type.numbers - 1) / type.numbers - block;
    scratch_.resize(blocks * type.numbers);
    type.decode(tensor_.bytes.data() + block * type.bytes, blocks, scratch_.data());
    return scratch_.data() + (first - block * type.numbers);
  }

 private:
  const Tensor& tensor_;
  std::vector<double> scratch_;
};

Eigen::MatrixXd decode_rows(const Tensor& tensor, Index columns, const Window& window) {
  RowDecoder decoder(tensor);
  Eigen::MatrixXd matrix(window.rows, window.columns);
  for (Index i = 0; i < window.rows; ++i) {
    const double* row = decoder(size((window.row + i) * columns + window.column), size(window.columns));
    matrix.row(i) = Eigen::Map<const Eigen::RowVectorXd>(row, window.columns);
  }
  return matrix;
}

/// Decodes the tensor's own numbers.
Eigen::MatrixXd decode_own(const Tensor& tensor, const Window& window) {
  if (tensor.type == nullptr) return Eigen::MatrixXd::Zero(window.rows, window.columns);
  if (!tensor.column_major) return decode_rows(tensor, tensor.columns(), window);
  return decode_rows(tensor, tensor.rows(), {window.column, window.columns, window.row, window.rows}).transpose();
}

Eigen::MatrixXd decode_product(const LowRank& product, const Window& window) {
  const Index rank = product.a.rows();
  const Window outputs =
      product.transposed ? Window{window.column, window.columns, 0, rank} : Window{window.row, window.rows, 0, rank};
  const Window inputs =
      product.transposed ? Window{0, rank, window.row, window.rows} : Window{0, rank, window.column, window.columns};
  const Eigen::MatrixXd matrix = product.scale * decode(product.b, outputs) * decode(product.a, inputs);
  if (product.transposed) return matrix.transpose();
  return matrix;
}

}  // namespace

void require_readable(const Tensor& tensor) {
  if (!tensor.readable())
    refuse(tensor.file->path(), "{}: numbers of type {} are not read as weights; convert the model to F32, F16 or BF16",
           printable(tensor.name), tensor.type->name);
}

std::string Tensor::shape_text() const { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Index Tensor::rows() const { return shape.size() < 2 ? 1 : static_cast<Index>(shape[0]); }

Index Tensor::columns() const {
  Index product = 1;
  for (std::size_t i = shape.size() < 2 ? 0 : 1; i < shape.size(); ++i) product *= static_cast<Index>(shape[i]);
  return product;
}

std::optional<std::size_t> number_count(const std::vector<std::size_t>& shape) {
  constexpr std::size_t kMost = std::size_t(1) << 56;
  std::size_t product = 1;
  bool empty = false;
  for (std::size_t length : shape) {
    empty = empty || length == 0;
    if (length > kMost || (length > 0 && product > kMost / length)) return std::nullopt;
    if (length > 0) product *= length;
  }
  return empty ? 0 : product;
}

Eigen::MatrixXd decode(const Tensor& tensor, const Window& window) {
  const Index rows = tensor.rows(), columns = tensor.columns();
  if (window.row < 0 || window.rows < 0 || window.row > rows - window.rows || window.column < 0 || window.columns < 0 ||
      window.column > columns - window.columns)
    throw std::out_of_range("a window must lie in its tensor");
  Eigen::MatrixXd matrix = decode_own(tensor, window);
  if (tensor.low_rank != nullptr) matrix += decode_product(*tensor.low_rank, window);
  return matrix;
}

Eigen::MatrixXd decode(const Tensor& tensor) { return decode(tensor, {0, tensor.rows(), 0, tensor.columns()}); }

Eigen::VectorXd decode_vector(const Tensor& tensor) { return decode(tensor).reshaped<Eigen::RowMajor>(); }

}  // namespace attnlaw::checkpoint
