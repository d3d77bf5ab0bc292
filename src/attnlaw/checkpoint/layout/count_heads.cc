#include <algorithm>

#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/layout/recognise.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using base::reject;
using Eigen::Index;

/// More rows and columns than the maps of any model have.
constexpr Index kLargest = Index(1) << 30;

/// Counts the heads of one layer.
class Counter {
 public:
  Counter(LayerPlan& plan, const Contents& contents, const Configuration& configuration, const GivenHeads& given)
      : plan_(plan), contents_(contents), configuration_(configuration.part(plan.prefix)), given_(given) {}

  void count() {
    require_shapes();
    const Index outputs = plan_.query.outputs(), inputs = plan_.query.inputs();
    Index heads = given_.heads, key_heads = given_.key_heads, m = 0;
    if (heads == 0)
      heads = configuration_.heads(plan_.prefix + std::string(plan_.layout->stem), plan_.index).value_or(0);
    if (key_heads == 0 && given_.heads == 0) key_heads = configuration_.key_heads(plan_.index).value_or(0);
    if (given_.heads == 0) m = configuration_.head_dimension(plan_.index).value_or(0);
    if (plan_.query.storage == Storage::heads_first) {
      const Index lying = plan_.query.weight->rows();
      if (given_.heads > 0 && given_.heads != lying)
        contradict(*plan_.query.weight, "the heads lie one after the other, {} of them, and not {}", lying,
                   given_.heads);
      heads = lying;
      m = outputs / heads;
    }
    if (heads == 0 && m > 0 && plan_.fusing == Fusing::separate) heads = outputs / m;
    if (heads == 0) ask();
    if (plan_.fusing == Fusing::separate) {
      count_separate(heads, key_heads, m);
    } else {
      count_fused(heads, key_heads, m, outputs, inputs);
    }
    finish();
  }

 private:
  [[noreturn]] void ask() const {
    reject(
        "{}: the number of heads is neither in the file nor in a config.json beside it; say --heads (and --kv-heads)",
        printable_path(contents_.path));
  }

  /// Refuses numbers that do not fit, as those of the user or of the file.
  template <class... Arguments>
  [[noreturn]] void contradict(const Tensor& tensor, fmt::format_string<Arguments...> format,
                               Arguments&&... arguments) const {
    const std::string found = fmt::format("{} is {}", printable(tensor.name), tensor.shape_text());
    const std::string message = fmt::format(format, std::forward<Arguments>(arguments)...);
    if (given_.heads > 0 || given_.key_heads > 0) reject("{}: {}, {}", printable_path(contents_.path), message, found);
    refuse(configuration_.source(), "{}, {}", message, found);
  }

  void require_size(const Projection& map) const {
    if (map.outputs() > kLargest || map.inputs() > kLargest)
      refuse(contents_.path, "{}: shape {} is larger than any model's", printable(map.weight->name),
             map.weight->shape_text());
  }

  void require_matrix(const Projection& map) const {
    const std::size_t axes = map.weight->shape.size();
    const bool ones = std::all_of(map.weight->shape.begin() + std::min<std::ptrdiff_t>(2, std::ptrdiff_t(axes)),
                                  map.weight->shape.end(), [](std::size_t length) { return length == 1; });
    if (axes < 2 || (!ones && map.storage != Storage::heads_first))
      refuse(contents_.path, "{}: a matrix is needed, the shape is {}", printable(map.weight->name),
             map.weight->shape_text());
    if (map.bias != nullptr && map.bias->rows() * map.bias->columns() != map.outputs())
      refuse(contents_.path, "{}: a bias of {} numbers is needed, the shape is {}", printable(map.bias->name),
             map.outputs(), map.bias->shape_text());
  }

  void require_shapes() const {
    for (const Projection* map : {&plan_.query, &plan_.key}) {
      require_readable(*map->weight);
      if (map->bias != nullptr) require_readable(*map->bias);
    }
    require_matrix(plan_.query);
    require_matrix(plan_.key);
    require_size(plan_.query);
    require_size(plan_.key);
    if (!plan_.cross() && plan_.query.inputs() != plan_.key.inputs())
      refuse(contents_.path, "{} is {} and {} is {}: queries and keys must read the same residual vector",
             printable(plan_.query.weight->name), plan_.query.weight->shape_text(), printable(plan_.key.weight->name),
             plan_.key.weight->shape_text());
  }

  void count_separate(Index heads, Index key_heads, Index m) {
    const Tensor& query = *plan_.query.weight;
    if (m == 0) m = plan_.query.outputs() / heads;
    if (m == 0 || heads * m != plan_.query.outputs())
      contradict(query, "{} heads of dimension {} need {} outputs of queries", heads, std::max<Index>(m, 1),
                 heads * std::max<Index>(m, 1));
    const Index outputs = plan_.key.outputs();
    if (key_heads == 0) key_heads = outputs / m;
    if (key_heads * m != outputs)
      contradict(*plan_.key.weight, "{} key-value heads of dimension {} need {} outputs of keys", key_heads, m,
                 key_heads * m);
    set(heads, key_heads, m);
  }

  void count_fused(Index heads, Index key_heads, Index m, Index outputs, Index inputs) {
    if (plan_.fusing == Fusing::per_head && given_.key_heads > 0 && given_.key_heads != heads)
      contradict(*plan_.query.weight, "every head has its own keys in this layout: {} heads do not have {} key heads",
                 heads, given_.key_heads);
    if (plan_.fusing == Fusing::per_head) key_heads = heads;
    // Without a number of key heads the dimension of a head is the share of the residual vector.
    if (m == 0) m = key_heads > 0 ? outputs / (heads + 2 * key_heads) : inputs / heads;
    if (key_heads == 0 && m > 0) key_heads = (outputs / m - heads) / 2;
    if (m <= 0 || key_heads <= 0 || (heads + 2 * key_heads) * m != outputs)
      contradict(*plan_.query.weight, "{} query heads and {} key-value heads of dimension {} do not fill {} outputs",
                 heads, std::max<Index>(key_heads, 0), m, outputs);
    set(heads, key_heads, m);
  }

  /// Whether a map that lies as [heads, in, dimension] has so many of both.
  static bool has_heads(const Projection& map, Index heads, Index dimension) {
    return map.storage != Storage::heads_first ||
           (map.weight->rows() == heads && static_cast<Index>(map.weight->shape.back()) == dimension);
  }

  void require_heads(const Projection& map, Index heads, Index m) const {
    if (!has_heads(map, heads, m))
      refuse(contents_.path, "{} is {}: {} heads of dimension {} must lie as [heads, in, dimension]",
             printable(map.weight->name), map.weight->shape_text(), heads, m);
  }

  void set(Index heads, Index key_heads, Index m) {
    if (key_heads == 0 || heads % key_heads != 0)
      contradict(*plan_.key.weight, "{} key-value heads do not divide {} query heads", key_heads, heads);
    if (m > std::min(plan_.query.inputs(), plan_.key.inputs()))
      contradict(*plan_.query.weight, "heads of dimension {} have more coordinates than the residual vector, {}", m,
                 std::min(plan_.query.inputs(), plan_.key.inputs()));
    require_heads(plan_.query, heads, m);
    require_heads(plan_.key, key_heads, m);
    plan_.heads = static_cast<int>(heads);
    plan_.key_heads = static_cast<int>(key_heads);
    plan_.head_dimension = plan_.value_dimension = m;
  }

  /// Values count only where both maps fit.
  void finish() {
    if (plan_.value.weight != nullptr && plan_.fusing == Fusing::separate)
      plan_.value_dimension = plan_.value.outputs() / plan_.key_heads;
    if (plan_.value.weight == nullptr || plan_.output.weight == nullptr) return;
    const Projection& output = plan_.output;
    // Outputs lie as [heads, dimension, out].
    const bool joined = output.storage == Storage::heads_first
                            ? output.weight->rows() == plan_.heads && output.inputs() == plan_.value_dimension
                            : output.inputs() == plan_.heads * plan_.value_dimension;
    const bool fits = output.weight->shape.size() >= 2 && joined &&
                      has_heads(plan_.value, plan_.key_heads, plan_.value_dimension) &&
                      plan_.value.inputs() == plan_.key.inputs() && plan_.value_dimension > 0;
    if (fits && plan_.value.weight->readable() && output.weight->readable()) return;
    plan_.value.weight = plan_.output.weight = nullptr;
  }

  LayerPlan& plan_;
  const Contents& contents_;
  const Configuration configuration_;
  const GivenHeads& given_;
};

}  // namespace

void count_heads(LayerPlan& plan, const Contents& contents, const Configuration& configuration,
                 const GivenHeads& given) {
  Counter(plan, contents, configuration, given).count();
}

}  // namespace attnlaw::checkpoint
