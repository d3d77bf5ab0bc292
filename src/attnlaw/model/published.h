#pragma once
/// Objects of this process that documents can name.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "attnlaw/base/reject.h"

namespace attnlaw::model {

/// Those of one kind, by name, for as long as somebody else holds them. Any thread may call.
template <class T>
class Published {
 public:
  /// Throws std::invalid_argument where another one has this name: documents would mean that one, and this one later.
  void add(const std::shared_ptr<const T>& object, const char* what) {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<const T>& known = known_[object->name];
    if (const auto other = known.lock(); other && other != object)
      base::reject("a {} of the name {} is there already; give this one another name", what, object->name);
    known = object;
  }

  /// Throws std::invalid_argument where there is none of this name, or no more.
  std::shared_ptr<const T> find(const std::string& name, const char* what) {
    const std::lock_guard lock(mutex_);
    const auto entry = known_.find(name);
    auto found = entry == known_.end() ? nullptr : entry->second.lock();
    if (!found) base::reject("no {} of the name {} is known to this process", what, name);
    return found;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const T>> known_;
};

}  // namespace attnlaw::model
