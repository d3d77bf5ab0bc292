#include "attnlaw/checkpoint/file/safetensors.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "attnlaw/checkpoint/file/cursor.h"
#include "attnlaw/checkpoint/file/json_file.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;

/// One entry of the header, which begins at byte `data` of the file.
class Entry {
 public:
  Entry(const std::string& path, const std::string& name, const json& entry) : path_(path), name_(name), entry_(entry) {
    if (!entry.is_object()) fail("must be an object of dtype, shape and data_offsets");
  }

  const DataType* type() const {
    const json& dtype = member("dtype");
    if (!dtype.is_string()) fail("dtype must be a text");
    const auto& type_name = dtype.get_ref<const std::string&>();
    const DataType* type = find_type(type_name);
    // The blocks of ggml have no name in safetensors.
    if (type == nullptr || type->numbers > 4) fail("dtype '{}' is not known", printable(type_name));
    return type;
  }

  std::vector<std::size_t> shape() const { return numbers("shape"); }

  /// Where the tensor lies among the data.
  std::pair<std::size_t, std::size_t> range() const {
    const std::vector<std::size_t> offsets = numbers("data_offsets");
    if (offsets.size() != 2) fail("data_offsets must be two numbers, got {}", offsets.size());
    if (offsets[0] > offsets[1]) fail("data_offsets [{}, {}] are reversed", offsets[0], offsets[1]);
    return {offsets[0], offsets[1]};
  }

  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    refuse(path_, "{}: {}", printable(name_), fmt::format(format, std::forward<Arguments>(arguments)...));
  }

 private:
  const json& member(const char* key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end()) fail("{} is missing", key);
    return *found;
  }

  std::vector<std::size_t> numbers(const char* key) const {
    const json& list = member(key);
    if (!list.is_array()) fail("{} must be an array of whole numbers", key);
    std::vector<std::size_t> values;
    for (const json& value : list) {
      if (!value.is_number_unsigned()) fail("{} must hold whole numbers from 0", key);
      values.push_back(value.get<std::size_t>());
    }
    return values;
  }

  const std::string& path_;
  const std::string& name_;
  const json& entry_;
};

Tensor tensor_of(const std::shared_ptr<const MappedFile>& file, Bytes data, const std::string& name,
                 const json& value) {
  const Entry entry(file->path(), name, value);
  Tensor tensor;
  tensor.name = name;
  tensor.file = file;
  tensor.type = entry.type();
  tensor.shape = entry.shape();
  const auto [begin, end] = entry.range();
  if (end > data.size()) entry.fail("data_offsets end at {}, the data at {}: the file is truncated", end, data.size());
  const std::optional<std::size_t> count = number_count(tensor.shape);
  if (!count || *count % tensor.type->numbers != 0 || bytes_of(*tensor.type, *count) != end - begin)
    entry.fail("shape {} of {} does not fill the {} bytes of data_offsets", tensor.shape_text(), tensor.type->name,
               end - begin);
  tensor.bytes = data.subspan(begin, end - begin);
  return tensor;
}

void note_metadata(Contents& contents, const json& metadata) {
  if (!metadata.is_object()) refuse(contents.path, "__metadata__ must be an object");
  for (const auto& [key, value] : metadata.items()) {
    if (value.is_string())
      (*contents.metadata)[key] = value;
    else
      contents.notes.push_back(
          fmt::format("The metadata '{}' is no text, as safetensors demands, and was left out.", printable(key)));
  }
}

/// Tensors must lie side by side from the first byte of the data to the last.
void require_filled(const Contents& contents, Bytes data) {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : contents.tensors()) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
    return std::pair(a->bytes.data(), a->bytes.size()) < std::pair(b->bytes.data(), b->bytes.size());
  });
  const std::byte* end = data.data();
  for (const Tensor* tensor : order) {
    if (tensor->bytes.data() != end)
      refuse(contents.path, "{}: data_offsets begin at {}, {} ({} is the end of the tensor before)",
             printable(tensor->name), tensor->bytes.data() - data.data(),
             tensor->bytes.data() < end ? "inside another tensor" : "after a hole", end - data.data());
    end = tensor->bytes.data() + tensor->bytes.size();
  }
  const std::ptrdiff_t rest = data.data() + data.size() - end;
  if (rest != 0) refuse(contents.path, "{} bytes after the last tensor belong to none", rest);
}

}  // namespace

Contents read_safetensors(std::shared_ptr<const MappedFile> file) {
  Contents contents(file->path(), "safetensors");
  Cursor cursor(file->path(), file->bytes());
  const auto length = cursor.number<std::uint64_t>("the length of the header");
  if (length > cursor.left())
    refuse(file->path(),
           "byte 0: a header of {} bytes is announced, {} bytes follow: no safetensors file, or truncated", length,
           cursor.left());
  const std::string_view header = text_of(cursor.take(length, "the header"));
  if (!header.starts_with('{')) cursor.fail("the header of safetensors must begin with {{ at byte 8");
  if (header.ends_with('\0')) cursor.fail("the header ends in NUL bytes; safetensors pads with blanks");
  const Bytes data = file->bytes().subspan(8 + header.size());
  visit_members(file->path(), header, 8, [&](const std::string& name, const json& value) {
    if (name == "__metadata__") return note_metadata(contents, value);
    contents.add(tensor_of(file, data, name, value));
  });
  require_filled(contents, data);
  return contents;
}

namespace {

/// The largest index that is read: a million names of a hundred letters.
constexpr std::size_t kLongestIndex = std::size_t(1) << 28;

/// Shard → the tensors that the index expects in it.
std::map<std::string, std::vector<std::string>> shards_of(const std::string& index) {
  const json document = read_json_object(index, kLongestIndex);
  const auto map = document.find("weight_map");
  if (map == document.end() || !map->is_object() || map->empty())
    refuse(index, "an index of shards must have a 'weight_map' of tensors and files");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string()) refuse(index, "weight_map: {}: the file must be a text", printable(tensor));
    shards[shard.get<std::string>()].push_back(tensor);
  }
  return shards;
}

Contents read_shard(const std::string& index, const std::string& shard) {
  const std::string path = beside(index, shard);
  if (path.ends_with(".json")) refuse(path, "is no safetensors file");
  Contents part = read_file(path);
  if (part.format != "safetensors") refuse(path, "is no safetensors file");
  return part;
}

/// Adds the tensors that the index expects in a shard, and says which others it has.
void add_shard(const std::string& shard, const Contents& part, const std::vector<std::string>& tensors, bool keep_going,
               Contents& contents) {
  for (const std::string& name : tensors) {
    if (part.find(name) != nullptr) continue;
    if (!keep_going)
      refuse(part.path, "lacks the tensor '{}' that {} lists in it", printable(name), printable_path(contents.path));
    contents.skipped.push_back({printable(name), fmt::format("the shard {} lacks it", printable(shard))});
  }
  const std::set<std::string> wanted(tensors.begin(), tensors.end());
  for (const Tensor& tensor : part.tensors()) {
    if (wanted.contains(tensor.name))
      contents.add(tensor);
    else
      contents.skipped.push_back({printable(tensor.name), "the index does not list it in " + printable(shard)});
  }
  for (const auto& [key, value] : part.metadata->items()) (*contents.metadata)[key] = value;
  contents.notes.insert(contents.notes.end(), part.notes.begin(), part.notes.end());
}

}  // namespace

Contents read_sharded_safetensors(const std::string& index, bool keep_going) {
  Contents contents(index, "safetensors");
  const std::map<std::string, std::vector<std::string>> shards = shards_of(index);
  std::size_t unreadable = 0;
  for (const auto& [shard, tensors] : shards) {
    std::optional<Contents> part;
    try {
      part = read_shard(index, shard);
    } catch (const base::FileError& error) {
      if (!keep_going || ++unreadable == shards.size()) throw;
      contents.skipped.push_back({printable(shard), error.what()});
      continue;
    }
    add_shard(shard, *part, tensors, keep_going, contents);
  }
  return contents;
}

}  // namespace attnlaw::checkpoint
