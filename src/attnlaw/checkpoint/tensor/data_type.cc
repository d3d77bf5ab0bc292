#include "attnlaw/checkpoint/tensor/data_type.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace attnlaw::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in the file");

template <class Number>
Number load(const std::byte* from) {
  Number value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

unsigned octet(const std::byte* from, std::size_t i) { return std::to_integer<unsigned>(from[i]); }

template <class Number>
void decode_plain(const std::byte* from, std::size_t count, double* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<double>(load<Number>(from + i * sizeof(Number)));
}

/// A binary float with one sign bit, of which the value 0 of the exponent means subnormal numbers.
template <int exponent_bits, int mantissa_bits>
double small_float(unsigned bits) {
  constexpr int kBias = (1 << (exponent_bits - 1)) - 1;
  constexpr unsigned kMantissa = (1u << mantissa_bits) - 1, kExponent = (1u << exponent_bits) - 1;
  const unsigned exponent = (bits >> mantissa_bits) & kExponent, mantissa = bits & kMantissa;
  const bool negative = ((bits >> (mantissa_bits + exponent_bits)) & 1u) != 0;
  // Assembled as the bits of a double, whose exponent holds every value of the small ones.
  double magnitude = 0;
  if (exponent == 0) {
    magnitude =
        static_cast<double>(mantissa) * std::bit_cast<double>(std::uint64_t(1023 + 1 - kBias - mantissa_bits) << 52);
  } else {
    magnitude = std::bit_cast<double>((std::uint64_t(exponent + 1023u - unsigned(kBias)) << 52) |
                                      (std::uint64_t(mantissa) << (52 - mantissa_bits)));
  }
  return negative ? -magnitude : magnitude;
}

/// IEEE: the largest exponent means infinity and NaN.
template <int exponent_bits, int mantissa_bits>
double ieee_float(unsigned bits) {
  constexpr unsigned kExponent = (1u << exponent_bits) - 1;
  if (((bits >> mantissa_bits) & kExponent) != kExponent) return small_float<exponent_bits, mantissa_bits>(bits);
  if ((bits & ((1u << mantissa_bits) - 1)) != 0) return std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  return ((bits >> (exponent_bits + mantissa_bits)) & 1u) != 0 ? -infinity : infinity;
}

double half(const std::byte* from) { return ieee_float<5, 10>(load<std::uint16_t>(from)); }

void decode_f16(const std::byte* from, std::size_t count, double* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = half(from + 2 * i);
}

void decode_bf16(const std::byte* from, std::size_t count, double* to) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = static_cast<double>(std::bit_cast<float>(std::uint32_t(load<std::uint16_t>(from + 2 * i)) << 16));
}

/// E4M3 without infinities: all ones is NaN.
void decode_e4m3(const std::byte* from, std::size_t count, double* to) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned bits = octet(from, i);
    to[i] = (bits & 0x7f) == 0x7f ? std::numeric_limits<double>::quiet_NaN() : small_float<4, 3>(bits);
  }
}

void decode_e5m2(const std::byte* from, std::size_t count, double* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = ieee_float<5, 2>(octet(from, i));
}

// The blocks of ggml: 32 numbers of 4 or 8 bits with a scale, and perhaps a minimum, in F16.

void decode_q8_0(const std::byte* from, std::size_t blocks, double* to) {
  for (std::size_t block = 0; block < blocks; ++block, from += 34, to += 32) {
    const double scale = half(from);
    for (std::size_t i = 0; i < 32; ++i) to[i] = scale * load<std::int8_t>(from + 2 + i);
  }
}

/// Numbers 0..15 are the low halves of 16 bytes, numbers 16..31 the high ones.
void decode_nibbles(const std::byte* from, double scale, double shift, double* to) {
  for (std::size_t i = 0; i < 16; ++i) {
    to[i] = scale * (octet(from, i) & 15) + shift;
    to[i + 16] = scale * (octet(from, i) >> 4) + shift;
  }
}

void decode_q4_0(const std::byte* from, std::size_t blocks, double* to) {
  for (std::size_t block = 0; block < blocks; ++block, from += 18, to += 32) {
    const double scale = half(from);
    decode_nibbles(from + 2, scale, -8 * scale, to);
  }
}

void decode_q4_1(const std::byte* from, std::size_t blocks, double* to) {
  for (std::size_t block = 0; block < blocks; ++block, from += 20, to += 32)
    decode_nibbles(from + 4, half(from), half(from + 2), to);
}

/// Q4_K: 256 numbers are eight sub-blocks of 32, each with a scale and a minimum of 6 bits, packed into 12 bytes.
void decode_q4_k(const std::byte* from, std::size_t blocks, double* to) {
  for (std::size_t block = 0; block < blocks; ++block, from += 144, to += 256) {
    const double scale = half(from), minimum = half(from + 2);
    const std::byte* packed = from + 4;
    const std::byte* nibbles = from + 16;
    for (std::size_t j = 0; j < 8; ++j) {
      const bool low = j < 4;
      const unsigned s = low ? octet(packed, j) & 63 : (octet(packed, j + 4) & 15) | (octet(packed, j - 4) >> 6 << 4);
      const unsigned m = low ? octet(packed, j + 4) & 63 : (octet(packed, j + 4) >> 4) | (octet(packed, j) >> 6 << 4);
      for (std::size_t i = 0; i < 32; ++i) {
        const unsigned pair = octet(nibbles, j / 2 * 32 + i);
        to[32 * j + i] = scale * s * (j % 2 == 0 ? pair & 15 : pair >> 4) - minimum * m;
      }
    }
  }
}

/// Q6_K: 256 numbers; 128 bytes of low halves, 64 bytes of two high bits, 16 scales of 8 bits, the scale of these.
void decode_q6_k(const std::byte* from, std::size_t blocks, double* to) {
  for (std::size_t block = 0; block < blocks; ++block, from += 210, to += 256) {
    const double scale = half(from + 208);
    for (std::size_t i = 0; i < 256; ++i) {
      // Each half of 128 numbers has 64 bytes of low bits and 32 bytes of high bits; four numbers share a byte of
      // these.
      const std::size_t part = i / 128, quarter = i % 128 / 32, l = i % 32;
      const unsigned low = octet(from, 64 * part + 32 * (quarter % 2) + l) >> (quarter < 2 ? 0 : 4) & 15;
      const unsigned high = octet(from, 128 + 32 * part + l) >> (2 * quarter) & 3;
      to[i] = scale * load<std::int8_t>(from + 192 + i / 16) * (static_cast<int>(low | high << 4) - 32);
    }
  }
}

constexpr DataType kTypes[] = {{"F64", 1, 8, decode_plain<double>},
                               {"F32", 1, 4, decode_plain<float>},
                               {"F16", 1, 2, decode_f16},
                               {"BF16", 1, 2, decode_bf16},
                               {"F8_E4M3", 1, 1, decode_e4m3},
                               {"F8_E5M2", 1, 1, decode_e5m2},
                               {"Q8_0", 32, 34, decode_q8_0},
                               {"Q4_0", 32, 18, decode_q4_0},
                               {"Q4_1", 32, 20, decode_q4_1},
                               {"Q4_K", 256, 144, decode_q4_k},
                               {"Q6_K", 256, 210, decode_q6_k},
                               // Known by their sizes alone.
                               {"I64", 1, 8, nullptr},
                               {"U64", 1, 8, nullptr},
                               {"I32", 1, 4, nullptr},
                               {"U32", 1, 4, nullptr},
                               {"I16", 1, 2, nullptr},
                               {"U16", 1, 2, nullptr},
                               {"I8", 1, 1, nullptr},
                               {"U8", 1, 1, nullptr},
                               {"BOOL", 1, 1, nullptr},
                               {"C64", 1, 8, nullptr},
                               {"C128", 1, 16, nullptr},
                               {"F8_E8M0", 1, 1, nullptr},
                               {"F8_E4M3FNUZ", 1, 1, nullptr},
                               {"F8_E5M2FNUZ", 1, 1, nullptr},
                               {"F4", 2, 1, nullptr},
                               {"F6_E2M3", 4, 3, nullptr},
                               {"F6_E3M2", 4, 3, nullptr},
                               {"I4", 2, 1, nullptr},
                               {"U4", 2, 1, nullptr},
                               {"Q5_0", 32, 22, nullptr},
                               {"Q5_1", 32, 24, nullptr},
                               {"Q8_1", 32, 36, nullptr},
                               {"Q2_K", 256, 84, nullptr},
                               {"Q3_K", 256, 110, nullptr},
                               {"Q5_K", 256, 176, nullptr},
                               {"Q8_K", 256, 292, nullptr},
                               {"IQ2_XXS", 256, 66, nullptr},
                               {"IQ2_XS", 256, 74, nullptr},
                               {"IQ3_XXS", 256, 98, nullptr},
                               {"IQ1_S", 256, 50, nullptr},
                               {"IQ4_NL", 32, 18, nullptr},
                               {"IQ3_S", 256, 110, nullptr},
                               {"IQ2_S", 256, 82, nullptr},
                               {"IQ4_XS", 256, 136, nullptr},
                               {"IQ1_M", 256, 56, nullptr},
                               {"TQ1_0", 256, 54, nullptr},
                               {"TQ2_0", 256, 66, nullptr},
                               {"MXFP4", 32, 17, nullptr}};

}  // namespace

const DataType* find_type(std::string_view name) {
  for (const DataType& type : kTypes)
    if (name == type.name) return &type;
  return nullptr;
}

std::size_t bytes_of(const DataType& type, std::size_t count) { return count / type.numbers * type.bytes; }

}  // namespace attnlaw::checkpoint
