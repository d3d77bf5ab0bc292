#include "attnlaw/matrix_laws/spectrum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace attnlaw::matrix_laws {
namespace {

TEST(Complex, SquareRootKeepsTheDigitsOfASmallPart) {
  for (const double re : {-3.0, -1e-9, 0.0, 1e-9, 0.7, 1e9})
    for (const double im : {-2.0, -1e-12, -1e-30, 1e-30, 1e-12, 5.0, 1e8}) {
      const Complex z(re, im), root = square_root(z);
      EXPECT_GE(root.real(), 0) << z;
      EXPECT_DOUBLE_EQ(2 * root.real() * root.imag(), im) << z;
      EXPECT_NEAR(root.real() * root.real() - root.imag() * root.imag(), re, 1e-15 * std::abs(z)) << z;
    }
}

TEST(Complex, SquareRootIsThatOfBothSidesOfTheCut) {
  EXPECT_EQ(square_root({-4, 0.0}), Complex(0, 2));
  EXPECT_EQ(square_root({-4, -0.0}), Complex(0, -2));
  EXPECT_EQ(square_root({4, 0.0}), Complex(2, 0));
  EXPECT_EQ(square_root({0, 0.0}), Complex(0, 0));
}

TEST(Complex, QuotientsNeitherCancelNorOverflow) {
  const Complex a(0.3, -1e-14), b(-2, 1e-13);
  const Complex quotient = a / b, back = quotient * b;
  EXPECT_DOUBLE_EQ(back.real(), a.real());
  EXPECT_NEAR(back.imag(), a.imag(), 1e-28);
  EXPECT_EQ(Complex(1e200, 1e200) / Complex(2e200, 0), Complex(0.5, 0.5));
  EXPECT_EQ(1.0 / Complex(0, 1e-200), Complex(0, -1e200));
}

TEST(Spectrum, WishartMomentsAreThoseOfTheNormalisedGramMatrix) {
  const Spectrum spectrum = WishartSpectrum{0.3, 2};
  EXPECT_DOUBLE_EQ(spectrum.mean(), 2 * std::sqrt(0.3));
  EXPECT_DOUBLE_EQ(spectrum.second_moment(), 4 * 1.3);
}

TEST(Spectrum, StieltjesTransformExpandsInMomentsAtInfinity) {
  for (const Spectrum& spectrum :
       {Spectrum(WishartSpectrum{0.3, 1}), Spectrum(WishartSpectrum{2.5, 0.7}), Spectrum(WishartSpectrum{0.5, -1}),
        Spectrum(DiscreteSpectrum{{-1, 0.5, 3}, {0.2, 0.5, 0.3}})}) {
    const Complex w(1e3, 2e3);
    const Complex expansion = 1.0 / w + spectrum.mean() / (w * w) + spectrum.second_moment() / (w * w * w);
    EXPECT_NEAR(std::abs(spectrum.stieltjes(w).value - expansion), 0, 50 * std::pow(std::abs(w), -4));
  }
}

TEST(Spectrum, DerivativeOfTheStieltjesTransformIsItsSlope) {
  for (const Spectrum& spectrum : {Spectrum(WishartSpectrum{0.3, 1.4}), Spectrum(WishartSpectrum{1, -1}),
                                   Spectrum(DiscreteSpectrum{{0, 2}, {0.5, 0.5}})}) {
    const Complex w(0.4, 0.3);
    const double step = 1e-5;
    const Complex slope = (spectrum.stieltjes(w + step).value - spectrum.stieltjes(w - step).value) / (2 * step);
    EXPECT_NEAR(std::abs(spectrum.stieltjes(w).derivative - slope), 0, 1e-8);
  }
}

TEST(Spectrum, AtomAtZeroOfAThinWishartMatrix) {
  const Spectrum spectrum = WishartSpectrum{0.25, 1};
  const Complex w(0, 1e-9);
  EXPECT_NEAR((w * spectrum.stieltjes(w).value).real(), 0.75, 1e-8);
}

TEST(Spectrum, ScalingByANegativeNumberMirrors) {
  const Spectrum spectrum = DiscreteSpectrum{{1, 2}, {0.25, 0.75}};
  const Spectrum mirrored = spectrum.scaled(-3);
  EXPECT_EQ(mirrored.discrete()->atoms, (std::vector<double>{-6, -3}));
  EXPECT_EQ(mirrored.discrete()->weights, (std::vector<double>{0.75, 0.25}));
}

TEST(Spectrum, EqualEigenvaluesAreOneAtom) {
  const Spectrum spectrum = Spectrum::from_eigenvalues(std::vector<double>{2, 0, 0, 1});
  EXPECT_EQ(spectrum.discrete()->atoms, (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(spectrum.discrete()->weights, (std::vector<double>{0.5, 0.25, 0.25}));
}

TEST(Spectrum, RejectsWhatIsNoSpectrum) {
  EXPECT_THROW(Spectrum::from_eigenvalues({}), std::invalid_argument);
  EXPECT_THROW(Spectrum::from_eigenvalues(std::vector<double>{std::nan("")}), std::invalid_argument);
  EXPECT_THROW(Spectrum(WishartSpectrum{0, 1}), std::invalid_argument);
  EXPECT_THROW(Spectrum(DiscreteSpectrum{{1, 0}, {0.5, 0.5}}), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
