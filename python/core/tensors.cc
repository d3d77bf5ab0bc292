#include "tensors.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "attnlaw/base/reject.h"

namespace attnlaw::python {
namespace {

namespace nb = nanobind;
using Memory = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

checkpoint::Tensor tensor_of(nb::handle described) {
  const auto [name, type, shape, memory] =
      nb::cast<std::tuple<std::string, std::string, std::vector<std::size_t>, Memory>>(described);
  checkpoint::Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  tensor.type = checkpoint::find_type(type);
  if (!tensor.type) base::reject("the weights {} have the type {}, which is not read", name, type);
  tensor.bytes = std::as_bytes(std::span(memory.data(), memory.shape(0)));
  tensor.file = std::make_shared<const checkpoint::MappedFile>("weights in memory", tensor.bytes);
  return tensor;
}

}  // namespace

checkpoint::Contents contents_of(nb::list tensors) {
  checkpoint::Contents contents("weights in memory", "memory");
  for (const nb::handle tensor : tensors) contents.add(tensor_of(tensor));
  return contents;
}

}  // namespace attnlaw::python
