#pragma once
/// Writes checkpoints whose heads are known: the maps of each head first, then the tensors of a layout made of them.

#include <Eigen/Dense>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "attnlaw/base/file.h"

namespace attnlaw::test {

using Eigen::Index;
using Eigen::MatrixXd;

/// Tensors of float32 by name, written as safetensors.
class SyntheticFile {
 public:
  void add(const std::string& name, std::vector<std::size_t> shape, std::vector<float> numbers) {
    tensors_[name] = {std::move(shape), std::move(numbers)};
  }
  /// Row by row.
  void add(const std::string& name, const MatrixXd& matrix) {
    std::vector<float> numbers;
    for (Index i = 0; i < matrix.rows(); ++i)
      for (Index j = 0; j < matrix.cols(); ++j) numbers.push_back(static_cast<float>(matrix(i, j)));
    add(name, {static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.cols())}, std::move(numbers));
  }
  void add_vector(const std::string& name, const Eigen::VectorXd& vector) {
    std::vector<float> numbers(static_cast<std::size_t>(vector.size()));
    for (Index i = 0; i < vector.size(); ++i) numbers[static_cast<std::size_t>(i)] = static_cast<float>(vector[i]);
    add(name, {numbers.size()}, numbers);
  }

  void write(const std::filesystem::path& path) const {
    nlohmann::json header = nlohmann::json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors_) {
      const std::size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(tensor.numbers.data()), tensor.numbers.size() * sizeof(float));
      header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    const auto length = static_cast<std::uint64_t>(text.size());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length) << text << data;
  }

 private:
  struct Numbers {
    std::vector<std::size_t> shape;
    std::vector<float> numbers;
  };
  std::map<std::string, Numbers> tensors_;
};

/// The maps of the heads of one layer: query[h] m × d, key[g] and value[g] m × d, output[h] m × d, biases of length m.
struct SyntheticLayer {
  std::vector<MatrixXd> query, key, value, output;
  std::vector<Eigen::VectorXd> query_bias, key_bias, value_bias;

  int heads() const { return static_cast<int>(query.size()); }
  int key_heads() const { return static_cast<int>(key.size()); }
  Index m() const { return query[0].rows(); }
  Index d() const { return query[0].cols(); }
};

/// Draws standard normal numbers that float32 holds exactly.
class Draws {
 public:
  explicit Draws(unsigned seed) : generator_(seed) {}
  MatrixXd matrix(Index rows, Index columns) {
    return MatrixXd::NullaryExpr(rows, columns,
                                 [&] { return static_cast<double>(static_cast<float>(normal_(generator_))); });
  }

 private:
  std::mt19937 generator_;
  std::normal_distribution<double> normal_;
};

/// A layer of independent normal maps.
inline SyntheticLayer random_layer(Draws& draws, int heads, int key_heads, Index m, Index d) {
  SyntheticLayer layer;
  for (int h = 0; h < heads; ++h) {
    layer.query.push_back(draws.matrix(m, d));
    layer.output.push_back(draws.matrix(m, d));
    layer.query_bias.push_back(draws.matrix(m, 1));
  }
  for (int g = 0; g < key_heads; ++g) {
    layer.key.push_back(draws.matrix(m, d));
    layer.value.push_back(draws.matrix(m, d));
    layer.key_bias.push_back(draws.matrix(m, 1));
    layer.value_bias.push_back(draws.matrix(m, 1));
  }
  return layer;
}

/// Adds a spike to the map of a head: S gains strength · σ² d u vᵀ (σ² = 1 here), with u and v of length 1, by factors
/// along the first coordinate of the head, whose own entries there make way for it.
inline void plant_spike(SyntheticLayer& layer, int head, double strength, const Eigen::VectorXd& u,
                        const Eigen::VectorXd& v) {
  const double factor = std::sqrt(strength * static_cast<double>(layer.d()));
  const int group = head / (layer.heads() / layer.key_heads());
  layer.query[static_cast<std::size_t>(head)].row(0) = (factor * u.transpose()).cast<float>().cast<double>();
  layer.key[static_cast<std::size_t>(group)].row(0) = (factor * v.transpose()).cast<float>().cast<double>();
}

/// The matrices below each other.
inline MatrixXd stacked(const std::vector<MatrixXd>& parts) {
  MatrixXd all(0, parts.front().cols());
  for (const MatrixXd& part : parts) {
    MatrixXd next(all.rows() + part.rows(), part.cols());
    next << all, part;
    all = next;
  }
  return all;
}

inline Eigen::VectorXd stacked(const std::vector<Eigen::VectorXd>& parts) {
  std::vector<MatrixXd> columns(parts.begin(), parts.end());
  return stacked(columns);
}

/// How queries, keys and values share a tensor, in the order of its rows.
enum class Fused { blocks, per_head, groups };

template <class Part>
std::vector<Part> in_order(Fused fused, const std::vector<Part>& query, const std::vector<Part>& key,
                           const std::vector<Part>& value) {
  std::vector<Part> parts;
  const std::size_t shared = query.size() / key.size();
  if (fused == Fused::blocks) {
    for (const auto* list : {&query, &key, &value}) parts.insert(parts.end(), list->begin(), list->end());
    return parts;
  }
  for (std::size_t g = 0; g < key.size(); ++g) {
    for (std::size_t h = 0; h < shared; ++h) parts.push_back(query[g * shared + h]);
    parts.push_back(key[g]);
    parts.push_back(value[g]);
  }
  return parts;
}

/// Returns the message of the base::FileError that the action throws.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::FileError& error) {
    return error.what();
  }
  return "was not refused";
}

}  // namespace attnlaw::test
