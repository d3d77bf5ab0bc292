#pragma once
/// Complex numbers as laws need them: roots and quotients that keep the digits of a small part, inline.

#include <cmath>
#include <complex>

namespace attnlaw::matrix_laws {

using Complex = std::complex<double>;

/// Returns the square root with real part ≥ 0, its imaginary part with the sign of that of z. Neither part cancels;
/// libraries that go by polar coordinates lose a part that is small beside the other.
inline Complex square_root(Complex z) {
  const double size = std::sqrt(0.5 * (std::abs(z.real()) + std::hypot(z.real(), z.imag())));
  if (size == 0) return {0, z.imag()};
  const double other = 0.5 * std::abs(z.imag()) / size;
  return z.real() >= 0 ? Complex(size, std::copysign(other, z.imag())) : Complex(other, std::copysign(size, z.imag()));
}

/// The quotient by Smith's rule (Communications of the ACM 5, 435, 1962), without overflow: of everything in this
/// namespace, as it is found before that of the library, which restores infinities, too.
inline Complex operator/(const Complex& a, const Complex& b) {
  if (std::abs(b.real()) >= std::abs(b.imag())) {
    const double ratio = b.imag() / b.real(), size = b.real() + b.imag() * ratio;
    return {(a.real() + a.imag() * ratio) / size, (a.imag() - a.real() * ratio) / size};
  }
  const double ratio = b.real() / b.imag(), size = b.real() * ratio + b.imag();
  return {(a.real() * ratio + a.imag()) / size, (a.imag() * ratio - a.real()) / size};
}

inline Complex operator/(double a, const Complex& b) { return Complex(a) / b; }

}  // namespace attnlaw::matrix_laws
