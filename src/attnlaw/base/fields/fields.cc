#include "attnlaw/base/fields/fields.h"

namespace attnlaw::base::detail {

Field member_field(std::string_view name, const About& about, Type type, const std::function<void*(void*)>& place,
                   const Accessors& accessors) {
  // Only addresses are asked for.
  const auto at = [place](const void* object) { return place(const_cast<void*>(object)); };
  Field field{std::string(name), about, std::move(type)};
  field.get = [at, get = accessors.get](const void* object) { return get(at(object)); };
  if (accessors.has_value)
    field.present = [at, has_value = accessors.has_value](const void* object) { return has_value(at(object)); };
  field.set = [place, read = accessors.read, name = field.name, range = about.range,
               integer = field.type.kind == Kind::integer](void* object, const nlohmann::json& value) {
    read(value, name, place(object));
    require_all_in(range, name, value, integer);
  };
  return field;
}

}  // namespace attnlaw::base::detail
