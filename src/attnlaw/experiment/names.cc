#include "attnlaw/base/names.h"

#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment {
namespace {

using base::Named;

constexpr Named<Trainer> kTrainers[] = {
    {Trainer::lbfgs, "lbfgs"}, {Trainer::adam, "adam"}, {Trainer::fista, "fista"}, {Trainer::gamp, "gamp"}};
constexpr Named<Initialisation> kInitialisations[] = {{Initialisation::random, "random"},
                                                      {Initialisation::spectral, "spectral"}};
constexpr Named<Precision> kPrecisions[] = {{Precision::single_, "single"}, {Precision::double_, "double"}};

}  // namespace

std::string name(Trainer trainer) { return base::name_in(kTrainers, trainer); }
std::string name(Initialisation initialisation) { return base::name_in(kInitialisations, initialisation); }
std::string name(Precision precision) { return base::name_in(kPrecisions, precision); }

Trainer trainer_from_name(const std::string& name) { return base::value_in(kTrainers, "trainer", name); }
Initialisation initialisation_from_name(const std::string& name) {
  return base::value_in(kInitialisations, "init", name);
}
Precision precision_from_name(const std::string& name) { return base::value_in(kPrecisions, "precision", name); }

}  // namespace attnlaw::experiment
