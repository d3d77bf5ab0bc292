#include "custom.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/model/proximal_map.h"
#include "call.h"

namespace attnlaw::python {
namespace {

namespace nb = nanobind;
using model::SampleBlock;
using Rows = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// A copy that Python owns: a function may keep what it is given.
nb::object to_array(const SampleBlock& block) {
  auto copy = std::make_unique<SampleBlock>(block);
  double* data = copy->data();
  const nb::capsule owner(copy.release(), [](void* held) noexcept { delete static_cast<SampleBlock*>(held); });
  const std::size_t shape[] = {static_cast<std::size_t>(block.rows()), static_cast<std::size_t>(block.cols())};
  const std::int64_t strides[] = {1, block.rows()};
  return nb::cast(nb::ndarray<nb::numpy, double>(data, 2, shape, owner, strides));
}

nb::object to_array(const std::vector<double>& numbers) {
  SampleBlock column(static_cast<Eigen::Index>(numbers.size()), 1);
  std::copy(numbers.begin(), numbers.end(), column.data());
  return nb::object(to_array(column).attr("reshape")(-1));
}

SampleBlock to_block(nb::handle array) {
  const auto rows = nb::cast<Rows>(array);
  using RowMajor = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(rows.data(), static_cast<Eigen::Index>(rows.shape(0)),
                                    static_cast<Eigen::Index>(rows.shape(1)));
}

Eigen::ArrayXd to_column(nb::handle array) {
  const auto numbers = nb::cast<Numbers>(array);
  return Eigen::Map<const Eigen::ArrayXd>(numbers.data(), static_cast<Eigen::Index>(numbers.shape(0)));
}

/// (values, gradient or None, Hessian or None) of (labels, coordinates).
auto loss_function(const std::shared_ptr<nb::object>& function) {
  return [function](const SampleBlock& labels, const SampleBlock& at, model::LossBlock& out) {
    const nb::gil_scoped_acquire acquire;
    const auto result = nb::cast<nb::tuple>((*function)(to_array(labels), to_array(at)));
    out.value = to_column(result[0]);
    if (!result[1].is_none()) out.gradient = to_block(result[1]);
    if (!result[2].is_none()) out.hessian = to_block(result[2]);
  };
}

/// Holds a loss for as long as Python does, so that documents can name it.
struct Loss {
  Loss(const std::string& name, const std::string& coordinates, nb::object function, const std::string& labels,
       nb::object label_function, bool convex) {
    auto made = std::make_shared<model::CustomLoss>();
    made->name = name;
    made->coordinates = base::value_of<model::Coordinates>("coordinates", coordinates);
    made->function = loss_function(shared(std::move(function)));
    made->labels = base::value_of<model::CustomLabels>("labels", labels);
    if (!label_function.is_none())
      made->label_function = [function = shared(std::move(label_function))](const SampleBlock& scores) {
        const nb::gil_scoped_acquire acquire;
        return to_block((*function)(to_array(scores)));
      };
    made->convex = convex;
    held = std::move(made);
    model::publish(held);
  }

  std::shared_ptr<const model::CustomLoss> held;
};

std::vector<double> to_numbers(nb::handle array) {
  const Eigen::ArrayXd column = to_column(array);
  return {column.begin(), column.end()};
}

/// Holds a penalty for as long as Python does.
struct HeldPenalty {
  HeldPenalty(model::CustomPenalty made, const std::string& name) {
    made.name = name;
    held = std::make_shared<const model::CustomPenalty>(std::move(made));
    model::publish(held);
  }

  std::shared_ptr<const model::CustomPenalty> held;
};

/// (values, slopes or None) of eigenvalues.
struct Penalty : HeldPenalty {
  Penalty(const std::string& name, nb::object function, std::vector<double> kinks)
      : HeldPenalty(made_of(std::move(function), std::move(kinks)), name) {}

 private:
  static model::CustomPenalty made_of(nb::object function, std::vector<double> kinks) {
    model::CustomPenalty made;
    made.kinks = std::move(kinks);
    made.function = [function = shared(std::move(function))](const std::vector<double>& s, std::vector<double>& values,
                                                             std::vector<double>& slopes) {
      const nb::gil_scoped_acquire acquire;
      const auto result = nb::cast<nb::tuple>((*function)(to_array(s)));
      values = to_numbers(result[0]);
      if (!result[1].is_none()) slopes = to_numbers(result[1]);
    };
    return made;
  }
};

/// Eigenvalues of noisy ones and a time.
struct Denoiser : HeldPenalty {
  Denoiser(const std::string& name, nb::object function, std::vector<double> kinks)
      : HeldPenalty(model::penalty_of(proximal_map(std::move(function)), std::move(kinks)), name) {}

 private:
  static model::ProximalMap proximal_map(nb::object function) {
    return [function = shared(std::move(function))](const std::vector<double>& x, double t) {
      const nb::gil_scoped_acquire acquire;
      return to_numbers((*function)(to_array(x), t));
    };
  }
};

}  // namespace

void bind_custom(nb::module_& module) {
  nb::class_<Loss>(module, "CustomLoss")
      .def(nb::init<const std::string&, const std::string&, nb::object, const std::string&, nb::object, bool>(),
           nb::arg("name"), nb::arg("coordinates"), nb::arg("function"), nb::arg("labels"),
           nb::arg("label_function").none(), nb::arg("convex"));
  nb::class_<Penalty>(module, "CustomPenalty")
      .def(nb::init<const std::string&, nb::object, std::vector<double>>(), nb::arg("name"), nb::arg("function"),
           nb::arg("kinks"));
  nb::class_<Denoiser>(module, "CustomDenoiser")
      .def(nb::init<const std::string&, nb::object, std::vector<double>>(), nb::arg("name"), nb::arg("function"),
           nb::arg("kinks"));
}

}  // namespace attnlaw::python
