#include <cstdio>

#include "attnlaw/matrix_laws/spectrum.h"

int main() {
  const attnlaw::matrix_laws::Spectrum target(attnlaw::matrix_laws::WishartSpectrum{.kappa = 0.25});
  std::printf("mean %.3f, second moment %.3f\n", target.mean(), target.second_moment());
}
