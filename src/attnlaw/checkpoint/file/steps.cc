#include "attnlaw/checkpoint/file/steps.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/file/folder.h"

namespace attnlaw::checkpoint {
namespace {

namespace fs = std::filesystem;

/// A name with a mark for each of its numbers, and the numbers.
struct NumberedName {
  std::string pattern;
  std::vector<double> numbers;
};

NumberedName numbered(const std::string& name) {
  NumberedName result;
  const char *at = name.data(), *const end = at + name.size();
  while (at != end) {
    if (!std::isdigit(static_cast<unsigned char>(*at))) {
      result.pattern += *at++;
      continue;
    }
    const char* const last = std::find_if(at, end, [](unsigned char c) { return !std::isdigit(c); });
    double number = 0;
    std::from_chars(at, last, number, std::chars_format::fixed);
    result.pattern += '\0';
    result.numbers.push_back(number);
    at = last;
  }
  return result;
}

bool is_step(const fs::directory_entry& entry) {
  std::error_code error;
  const std::string name = entry.path().filename().string();
  if (entry.is_regular_file(error)) return name.ends_with(".safetensors") && name.find("-of-") == std::string::npos;
  return entry.is_directory(error) && holds_model(entry.path().string());
}

}  // namespace

std::vector<StepFile> in_order(const std::vector<std::string>& paths) {
  struct Numbered {
    StepFile file;
    NumberedName name;
  };
  std::vector<Numbered> all;
  for (const std::string& path : paths)
    all.push_back({{path, static_cast<double>(all.size())}, numbered(fs::path(path).lexically_normal().string())});
  const auto differs = [&](const Numbered& one) { return one.name.pattern != all.front().name.pattern; };
  if (!all.empty() && std::none_of(all.begin(), all.end(), differs)) {
    std::stable_sort(all.begin(), all.end(),
                     [](const Numbered& a, const Numbered& b) { return a.name.numbers < b.name.numbers; });
    // The first number by which the first and the last differ is that of the step, if it tells all of them apart.
    const std::vector<double>&low = all.front().name.numbers, &high = all.back().name.numbers;
    const auto place = std::mismatch(low.begin(), low.end(), high.begin()).first - low.begin();
    const auto number = [&](const Numbered& one) { return one.name.numbers[static_cast<std::size_t>(place)]; };
    const bool told = place < std::ssize(low) &&
                      std::adjacent_find(all.begin(), all.end(), [&](const Numbered& a, const Numbered& b) {
                        return number(a) >= number(b);
                      }) == all.end();
    for (std::size_t i = 0; i < all.size(); ++i) all[i].file.number = told ? number(all[i]) : static_cast<double>(i);
  }
  std::vector<StepFile> steps;
  for (Numbered& one : all) steps.push_back(std::move(one.file));
  return steps;
}

std::vector<StepFile> steps_in(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error) || holds_model(path)) return {};
  std::map<std::string, std::vector<std::string>> kinds;
  for (fs::directory_iterator entries(path, error); entries != fs::directory_iterator(); entries.increment(error)) {
    const NumberedName name = numbered(entries->path().filename().string());
    if (!name.numbers.empty() && is_step(*entries)) kinds[name.pattern].push_back(entries->path().string());
  }
  const auto most = std::max_element(kinds.begin(), kinds.end(),
                                     [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  if (most == kinds.end() || most->second.size() < 2) return {};
  std::sort(most->second.begin(), most->second.end());
  return in_order(most->second);
}

}  // namespace attnlaw::checkpoint
