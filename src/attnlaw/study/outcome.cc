#include "attnlaw/study/outcome.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "attnlaw/base/names.h"
#include "attnlaw/study/float64.h"

namespace attnlaw::study {
namespace {

using nlohmann::json;

constexpr base::Named<Outcome::Status> kStatuses[] = {{Outcome::Status::converged, "converged"},
                                                      {Outcome::Status::unconverged, "unconverged"},
                                                      {Outcome::Status::failed, "failed"}};

/// JSON has no NaN, and decimal digits would be slower.
json binary_of(const std::vector<double>& values) {
  const std::vector<std::byte> bytes = little_endian(values);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return json::binary(std::vector<std::uint8_t>(first, first + bytes.size()));
}

std::vector<double> values_of(const json& binary) { return numbers_in(std::as_bytes(std::span(binary.get_binary()))); }

}  // namespace

const std::vector<double>* Outcome::array(const std::string& name) const {
  const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const Array& a) { return a.name == name; });
  return found == arrays.end() ? nullptr : &found->values;
}

std::string message(const Outcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  const auto diagnostics = outcome.figures.find("diagnostics");
  if (diagnostics != outcome.figures.end()) return diagnostics->value("message", "");
  if (outcome.status == Outcome::Status::unconverged && outcome.figures.contains("kkt"))
    return outcome.figures.value("converged", false) ? "the theory of its own target did not converge"
                                                     : "the trainer did not reach its tolerance";
  return "";
}

std::span<const base::Named<Outcome::Status>> names_table(Outcome::Status) { return kStatuses; }

std::string pack(const Outcome& outcome) {
  json arrays = json::array();
  for (const Array& array : outcome.arrays)
    arrays.push_back({{"name", array.name}, {"values", binary_of(array.values)}});
  const std::vector<std::uint8_t> bytes = json::to_cbor({{"status", base::name(outcome.status)},
                                                         {"error", outcome.error},
                                                         {"figures", outcome.figures},
                                                         {"arrays", arrays},
                                                         {"seconds", outcome.seconds}});
  return {bytes.begin(), bytes.end()};
}

Outcome unpack(std::string_view bytes) {
  try {
    const json document = json::from_cbor(bytes);
    Outcome outcome{base::value_of<Outcome::Status>("status", document.at("status").get<std::string>()),
                    document.at("error"),
                    document.at("figures"),
                    {},
                    document.at("seconds")};
    for (const json& array : document.at("arrays"))
      outcome.arrays.push_back({array.at("name"), values_of(array.at("values"))});
    return outcome;
  } catch (const json::exception& error) {
    throw std::invalid_argument(std::string("these bytes are not an outcome: ") + error.what());
  }
}

}  // namespace attnlaw::study
