#include "attnlaw/checkpoint/file/onnx.h"

#include <algorithm>
#include <set>

#include "attnlaw/checkpoint/file/onnx_tensor.h"

namespace attnlaw::checkpoint {
namespace {

using Kind = WireField::Kind;

/// Deeper than any If inside a Loop.
constexpr int kDeepestGraph = 32;

/// How a node multiplies by a weight.
struct Use {
  std::string node;
  bool input_first = true;
};

/// What is needed of a NodeProto.
struct Node {
  std::string name;
  std::string operation;
  std::vector<std::string> inputs;
  std::string output;
  bool transposed = false;         // transB of Gemm
  std::vector<WireField> tensors;  // attributes that are tensors
  std::vector<WireField> graphs;   // attributes that are graphs
};

/// "/model/layers.0/self_attn/q_proj/MatMul" → "model.layers.0.self_attn.q_proj.weight".
std::string as_parameter(std::string name) {
  std::replace(name.begin(), name.end(), '/', '.');
  if (name.starts_with('.')) name.erase(0, 1);
  const std::size_t operation = name.find(".MatMul");
  const std::size_t gemm = name.find(".Gemm");
  const std::size_t end = std::min(operation, gemm);
  return end == std::string::npos ? name : name.substr(0, end) + ".weight";
}

class ModelReader {
 public:
  explicit ModelReader(std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), contents_(file_->path(), "ONNX") {}

  Contents read() {
    bool found = false;
    WireReader model(Cursor(file_->path(), file_->bytes()));
    for (WireField field; model.next(field);) {
      if (!field.is(7, Kind::bytes)) continue;
      found = true;
      read_graph(field, 0);
    }
    if (!found) refuse(file_->path(), "is no ONNX model: it has no graph");
    for (Tensor& tensor : tensors_) {
      describe(tensor);
      contents_.add(std::move(tensor));
    }
    return std::move(contents_);
  }

 private:
  void read_graph(const WireField& graph, int depth) {
    if (depth > kDeepestGraph)
      refuse(file_->path(), "byte {}: graphs are nested more than {} deep", graph.offset, kDeepestGraph);
    std::set<std::string> names;
    WireReader reader(file_->path(), graph);
    for (WireField field; reader.next(field);) {
      if (field.is(5, Kind::bytes)) add(read_onnx_tensor(file_, field, external_), names);
      if (field.is(1, Kind::bytes)) read_node(field, names, depth);
    }
  }

  /// A name may stand once in a graph; branches of a condition may repeat each other's, and the first is kept.
  void add(Tensor tensor, std::set<std::string>& names) {
    if (!names.insert(tensor.name).second)
      refuse(file_->path(), "the tensor '{}' stands twice", printable(tensor.name));
    if (all_names_.insert(tensor.name).second)
      tensors_.push_back(std::move(tensor));
    else
      contents_.skipped.push_back({printable(tensor.name), "another graph of the model has a tensor of this name"});
  }

  Node node_of(const WireField& message) const {
    Node node;
    WireReader reader(file_->path(), message);
    for (WireField field; reader.next(field);) {
      if (field.is(1, Kind::bytes)) node.inputs.emplace_back(field.text());
      if (field.is(2, Kind::bytes) && node.output.empty()) node.output = field.text();
      if (field.is(3, Kind::bytes)) node.name = field.text();
      if (field.is(4, Kind::bytes)) node.operation = field.text();
      if (field.is(5, Kind::bytes)) add_attribute(field, node);
    }
    return node;
  }

  void add_attribute(const WireField& message, Node& node) const {
    std::string name;
    std::uint64_t value = 0;
    WireReader reader(file_->path(), message);
    for (WireField field; reader.next(field);) {
      if (field.is(1, Kind::bytes)) name = field.text();
      if (field.is(3, Kind::varint)) value = field.value;
      if (field.is(5, Kind::bytes)) node.tensors.push_back(field);
      if (field.is(6, Kind::bytes) || field.is(11, Kind::bytes)) node.graphs.push_back(field);
    }
    if (name == "transB") node.transposed = value != 0;
  }

  void read_node(const WireField& message, std::set<std::string>& names, int depth) {
    const Node node = node_of(message);
    for (const WireField& graph : node.graphs) read_graph(graph, depth + 1);
    if (node.operation == "Constant") {
      for (const WireField& field : node.tensors) {
        Tensor tensor = read_onnx_tensor(file_, field, external_);
        tensor.name = node.output;
        add(std::move(tensor), names);
      }
    }
    const bool product = node.operation == "MatMul" || node.operation == "Gemm";
    if (product && node.inputs.size() > 1) uses_.emplace(node.inputs[1], Use{node.name, !node.transposed});
  }

  void describe(Tensor& tensor) const {
    const auto use = uses_.find(tensor.name);
    tensor.input_first =
        use != uses_.end() ? use->second.input_first : tensor.name.find(".MatMul") != std::string::npos;
    const bool nameless = tensor.name.starts_with("onnx::") && use != uses_.end() && !use->second.node.empty();
    const std::string alias = as_parameter(nameless ? use->second.node : tensor.name);
    if (alias != tensor.name) tensor.alias = alias;
  }

  std::shared_ptr<const MappedFile> file_;
  Contents contents_;
  ExternalFiles external_;
  std::vector<Tensor> tensors_;
  std::set<std::string> all_names_;
  std::map<std::string, Use> uses_;
};

}  // namespace

Contents read_onnx(std::shared_ptr<const MappedFile> file) { return ModelReader(std::move(file)).read(); }

}  // namespace attnlaw::checkpoint
