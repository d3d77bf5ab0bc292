#include "random_questions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include "attnlaw/base/names.h"

namespace attnlaw::reliability {
namespace {

using nlohmann::json;

/// One of several choices.
template <class Choice>
Choice one_of(Draw& draw, const std::vector<Choice>& choices) {
  return choices[static_cast<std::size_t>(draw.integer(0, static_cast<int>(choices.size()) - 1))];
}

bool by_chance(Draw& draw, double probability) { return draw.uniform(0, 1) < probability; }

/// A number with as many digits as people type.
double decades(Draw& draw, double low, double high) {
  return std::stod(fmt::format("{:.4g}", draw.decades(std::log10(low), std::log10(high))));
}

std::string spikes(Draw& draw, bool positive) {
  std::vector<double> values;
  for (int i = draw.integer(1, 5); i > 0; --i) {
    const double size = decades(draw, 1e-3, 30);
    values.push_back(!positive && by_chance(draw, 0.2) ? -size : size);
  }
  const int dimension = static_cast<int>(values.size()) + static_cast<int>(decades(draw, 1, 100)) - 1;
  return fmt::format("spikes:{},{}", dimension, fmt::join(values, ","));
}

std::string random_target(Draw& draw, bool cross) {
  switch (draw.integer(0, 3)) {
    case 0:
      return fmt::format("powerlaw:{},{}", decades(draw, 0.3, 4), static_cast<int>(decades(draw, 2, 500)));
    case 1:
      return spikes(draw, cross);
    default:
      return fmt::format("{}:{}", cross ? "product" : "wishart", decades(draw, 0.01, 5));
  }
}

/// Scores of T tokens are T²/2 coordinates of an integral: most problems have few.
int random_tokens(Draw& draw) {
  constexpr int kMostOften = 2;
  if (by_chance(draw, 0.5)) return kMostOften;
  return by_chance(draw, 0.9) ? draw.integer(1, 5) : draw.integer(1, model::kMaxTokens);
}

void draw_labels(Draw& draw, json& options) {
  const bool linear = options["head"] == "linear";
  if (by_chance(draw, 0.6)) return;
  if (linear && by_chance(draw, 0.5)) {
    options["labels"] = "sign", options["readout"] = "score", options["loss"] = "logistic";
  } else if (linear) {
    options["readout"] = "score";
  } else {
    const int kind = draw.integer(0, 2);
    if (kind == 0) options["readout"] = "entry";
    if (kind > 0) options["loss"] = "cross-entropy";
    if (kind > 1) options["labels"] = "sampled";
  }
}

void draw_penalty(Draw& draw, json& options) {
  const double kind = draw.uniform(0, 1);
  if (options["student"] == "bayes") return;
  options["lambda"] = decades(draw, 1e-4, 1e2);
  if (kind < 0.10) options["lambda"] = "0+";
  if (kind < 0.05) options["lambda"] = "edge";
  if (kind > 0.92) options["lambda"] = "optimal";
}

}  // namespace

json draw_problem_options(Draw& draw) {
  const bool cross = by_chance(draw, 0.25);
  json options{{"attention", cross ? "cross" : "self"},
               {"head", by_chance(draw, 0.55) ? "softmax" : "linear"},
               {"alpha", by_chance(draw, 0.95) ? decades(draw, 1e-2, 1e2) : decades(draw, 1e-5, model::kMaxAlpha)},
               {"target", random_target(draw, cross)}};
  if (cross)
    options["tokens"] = fmt::format("{},{}", random_tokens(draw), random_tokens(draw));
  else
    options["tokens"] = random_tokens(draw);
  const std::vector<std::string> self{"tied", "tied", "tied", "direct", "direct-general", "bayes", "untied"};
  options["student"] = cross ? one_of<std::string>(draw, {"untied", "untied", "direct"}) : one_of(draw, self);
  draw_labels(draw, options);
  draw_penalty(draw, options);
  if (by_chance(draw, 0.5)) options["noise"] = decades(draw, 1e-4, 1e2);
  if (options["student"] == "tied" && by_chance(draw, 0.2)) options["width"] = decades(draw, 0.02, 2);
  if (options["head"] == "softmax" && by_chance(draw, 0.5)) {
    options["beta"] = decades(draw, 0.05, 10);
    options["target_beta"] = options["student"] == "bayes" ? options["beta"].get<double>() : decades(draw, 0.05, 10);
  }
  return options;
}

model::Problem draw_problem(Draw& draw) {
  while (true) {
    try {
      return model::problem_from_json(draw_problem_options(draw));
    } catch (const std::invalid_argument&) {
      // These options do not go together: others will.
    }
  }
}

namespace {

json draw_scaling(Draw& draw) {
  json options = draw_problem_options(draw);
  options.erase("alpha");
  const int dimension = static_cast<int>(decades(draw, 10, 300));
  options["target"] = fmt::format("powerlaw:{},{}", decades(draw, 0.6, 3), dimension);
  options["n"] = fmt::format("1e2,1e5,{}", draw.integer(3, 5));
  return options;
}

json draw_thresholds(Draw& draw) {
  json options = draw_problem_options(draw);
  options.erase("alpha");
  if (options["lambda"] == "0+" || by_chance(draw, 0.7)) options.erase("lambda");
  if (options.contains("lambda")) options["alpha_range"] = fmt::format("{},{},5", decades(draw, 1e-2, 0.1), 2);
  return options;
}

json draw_softmax_law(Draw& draw) {
  json options{{"beta", decades(draw, 1e-2, 10)}, {"rho", decades(draw, 1e-3, 1e3)}};
  if (by_chance(draw, 0.5)) options["tokens"] = "gaussian", options["tau"] = decades(draw, 1e-3, 1e3);
  if (by_chance(draw, 0.5)) options["length"] = static_cast<int>(decades(draw, 10, 1e5));
  if (!options.contains("tau") && by_chance(draw, 0.3)) options["refine"] = one_of<std::string>(draw, {"tail", "head"});
  return options;
}

json draw_pooling(Draw& draw) {
  json options{
      {"delta", decades(draw, 1e-3, 1e2)}, {"gamma", decades(draw, 1e-3, 1e2)}, {"mu2", decades(draw, 1e-3, 1e2)}};
  if (by_chance(draw, 0.5)) {
    options["alpha_pool"] = decades(draw, 1e-3, 10), options["kappa_pool"] = decades(draw, 1e-3, 10);
    return options;
  }
  options["profile"] = by_chance(draw, 0.5) ? fmt::format("power:{},{}", decades(draw, 0.05, 1), decades(draw, 0.05, 2))
                                            : fmt::format("markov:{}", decades(draw, 0.05, 0.99));
  options["length"] = static_cast<int>(decades(draw, 1, 200));
  options["weights"] = one_of<std::string>(draw, {"mean", "harmonic", "optimal"});
  if (by_chance(draw, 0.2)) options["fixed_length"] = true;
  return options;
}

json draw_icl(Draw& draw) {
  json options{{"context", decades(draw, 1e-3, 1e4)},
               {"tasks", decades(draw, 1e-3, 1e3)},
               {"sequences", decades(draw, 1e-3, 1e4)},
               {"noise", decades(draw, 1e-4, 10)}};
  if (by_chance(draw, 0.6)) options["lambda"] = decades(draw, 1e-8, 1e2);
  if (by_chance(draw, 0.2)) options["lambda"] = one_of<std::string>(draw, {"optimal", "optimal-training"});
  if (by_chance(draw, 0.2)) options["task_covariance"] = fmt::format("powerlaw:{},50", decades(draw, 0.1, 2));
  return options;
}

json draw_lora(Draw& draw) {
  const bool linear = by_chance(draw, 0.6);
  json options{{"head", linear ? "linear" : "softmax"}, {"tokens", linear ? draw.integer(1, 4) : 2},
               {"alpha_ft", decades(draw, 0.1, 100)},   {"omega", decades(draw, 0.1, 10)},
               {"lambda_ft", decades(draw, 1e-3, 10)},  {"e_pre", by_chance(draw, 0.1) ? 0 : decades(draw, 1e-3, 1)}};
  if (by_chance(draw, 0.5)) options["noise"] = decades(draw, 1e-3, 10);
  if (!linear && by_chance(draw, 0.5)) options["beta"] = decades(draw, 0.1, 5);
  return options;
}

json draw_lofi(Draw& draw) {
  const std::vector<std::function<std::string()>> targets{
      [] { return "square"; },
      [] { return "parity"; },
      [] { return "parity-optimal"; },
      [&] { return fmt::format("sine:{},{}", draw.integer(1, 12), decades(draw, 0.1, 5)); },
      [&] { return fmt::format("staircase:{},{}", draw.integer(1, 12), decades(draw, 0.1, 3)); },
      [&] { return fmt::format("shared:{}", draw.integer(2, 12)); },
      [&] { return fmt::format("shared-filter:{}", draw.integer(3, 12)); },
      [&] { return fmt::format("leap:{}", draw.integer(2, 5)); },
      [&] { return fmt::format("attention:{}", decades(draw, 1e-2, 10)); }};
  return {{"target", one_of(draw, targets)()},
          {"d", static_cast<int>(decades(draw, 30, 1000))},
          {"n", static_cast<int>(decades(draw, 30, 1e6))},
          {"instances", 0}};
}

const std::map<std::string, json (*)(Draw&)> kDraws{{"solve", draw_problem_options},
                                                    {"scaling", draw_scaling},
                                                    {"thresholds", draw_thresholds},
                                                    {"softmax-law", draw_softmax_law},
                                                    {"pooling", draw_pooling},
                                                    {"icl", draw_icl},
                                                    {"lora", draw_lora},
                                                    {"lofi", draw_lofi}};

}  // namespace

const std::vector<std::string>& commands() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, unused] : kDraws) all.push_back(name);
    return all;
  }();
  return names;
}

Question draw_question(Draw& draw, const std::string& command) {
  std::string name = command;
  if (name.empty()) name = by_chance(draw, 0.7) ? "solve" : one_of(draw, commands());
  return {name, kDraws.at(name)(draw)};
}

std::string Question::text() const {
  std::string text = "attnlaw " + command;
  for (const auto& [name, value] : options.items()) {
    text += " --" + base::dashed(name);
    if (value.is_string())
      text += " " + value.get<std::string>();
    else if (!value.is_boolean())
      text += " " + value.dump();
  }
  return text;
}

}  // namespace attnlaw::reliability
