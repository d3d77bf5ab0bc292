#include "attnlaw/base/reject.h"
#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment {

std::string name(Trainer trainer) {
  switch (trainer) {
    case Trainer::adam:
      return "adam";
    case Trainer::fista:
      return "fista";
    case Trainer::gamp:
      return "gamp";
    case Trainer::lbfgs:
      break;
  }
  return "lbfgs";
}

Trainer trainer_from_name(const std::string& name) {
  if (name == "lbfgs") return Trainer::lbfgs;
  if (name == "adam") return Trainer::adam;
  if (name == "fista") return Trainer::fista;
  if (name == "gamp") return Trainer::gamp;
  base::reject("trainer must be lbfgs, adam, fista or gamp, got '{}'", name);
}

std::string name(Initialisation initialisation) {
  return initialisation == Initialisation::random ? "random" : "spectral";
}

Initialisation initialisation_from_name(const std::string& name) {
  if (name == "random") return Initialisation::random;
  if (name == "spectral") return Initialisation::spectral;
  base::reject("init must be random or spectral, got '{}'", name);
}

std::string name(Precision precision) { return precision == Precision::single_ ? "single" : "double"; }

Precision precision_from_name(const std::string& name) {
  if (name == "single") return Precision::single_;
  if (name == "double") return Precision::double_;
  base::reject("precision must be single or double, got '{}'", name);
}

}  // namespace attnlaw::experiment
