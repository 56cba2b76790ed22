#include "src/core/crc32.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace incremental {
namespace {

static_assert(std::endian::native == std::endian::little, "the eight-byte step below reads little-endian words");

constexpr uint32_t kPolynomial = 0xEDB88320u;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b contributes when k more bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// Here and below `crc` is the register: the complement of what zip archives hold.
uint32_t by_tables(uint32_t crc, const uint8_t* at, size_t bytes) {
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (int k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; bytes > 0; --bytes, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xFF];
  return crc;
}

// a * b mod the polynomial, both reversed: bit 31 is the coefficient of 1.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = uint32_t{1} << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ (b & 1 ? kPolynomial : 0);
  }
  return product;
}

// x to the power `exponent`, by squaring.
constexpr uint32_t power_of_x(uint64_t exponent) {
  uint32_t result = uint32_t{1} << 31, base = uint32_t{1} << 30;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

#if defined(__x86_64__)

constexpr size_t kLane = 16;
constexpr size_t kStride = 4 * kLane;

// What moves the two halves of a lane `bits` further back in the message: Gopal et al., "Fast CRC Computation for
// Generic Polynomials Using PCLMULQDQ" (2009), in reversed form: there a product of two numbers comes out one bit too
// low.
constexpr uint64_t fold_constant(uint64_t bits) { return uint64_t{power_of_x(bits)} << 1; }

__attribute__((target("pclmul,sse4.1"))) __m128i fold(__m128i lane, __m128i constants, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(lane, constants, 0x00);
  const __m128i high = _mm_clmulepi64_si128(lane, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) uint32_t by_folding(uint32_t crc, const uint8_t* at, size_t bytes) {
  const auto load = [](const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  constexpr uint64_t kStrideLow = fold_constant(8 * kStride + 32), kStrideHigh = fold_constant(8 * kStride - 32);
  constexpr uint64_t kLaneLow = fold_constant(8 * kLane + 32), kLaneHigh = fold_constant(8 * kLane - 32);
  const __m128i by_stride = _mm_set_epi64x(kStrideHigh, kStrideLow);
  const __m128i by_lane = _mm_set_epi64x(kLaneHigh, kLaneLow);
  __m128i a = _mm_xor_si128(load(at), _mm_cvtsi32_si128(static_cast<int>(crc)));
  __m128i b = load(at + kLane), c = load(at + 2 * kLane), d = load(at + 3 * kLane);
  for (at += kStride, bytes -= kStride; bytes >= kStride; at += kStride, bytes -= kStride) {
    a = fold(a, by_stride, load(at));
    b = fold(b, by_stride, load(at + kLane));
    c = fold(c, by_stride, load(at + 2 * kLane));
    d = fold(d, by_stride, load(at + 3 * kLane));
  }
  a = fold(fold(fold(a, by_lane, b), by_lane, c), by_lane, d);
  // The lane now represents all before it: what is left is the checksum of its bytes and of the rest.
  uint8_t lane[kLane];
  std::memcpy(lane, &a, kLane);
  return by_tables(by_tables(0, lane, kLane), at, bytes);
}

// The same with four times as much in each register, for processors that have it.
constexpr size_t kWideLane = 64;
constexpr size_t kWideStride = 4 * kWideLane;

__attribute__((target("avx512f"))) __m512i repeated(int64_t high, int64_t low) {
  return _mm512_set_epi64(high, low, high, low, high, low, high, low);
}

__attribute__((target("vpclmulqdq,avx512f"))) __m512i fold(__m512i lanes, __m512i constants, __m512i next) {
  const __m512i low = _mm512_clmulepi64_epi128(lanes, constants, 0x00);
  const __m512i high = _mm512_clmulepi64_epi128(lanes, constants, 0x11);
  return _mm512_xor_si512(_mm512_xor_si512(low, high), next);
}

__attribute__((target("vpclmulqdq,avx512f,pclmul,sse4.1"))) uint32_t by_wide_folding(uint32_t crc, const uint8_t* at,
                                                                                     size_t bytes) {
  constexpr uint64_t kStrideLow = fold_constant(8 * kWideStride + 32),
                     kStrideHigh = fold_constant(8 * kWideStride - 32);
  constexpr uint64_t kWideLow = fold_constant(8 * kWideLane + 32), kWideHigh = fold_constant(8 * kWideLane - 32);
  const __m512i by_stride = repeated(kStrideHigh, kStrideLow);
  const __m512i by_lane = repeated(kWideHigh, kWideLow);
  __m512i a =
      _mm512_xor_si512(_mm512_loadu_si512(at), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(crc))));
  __m512i b = _mm512_loadu_si512(at + kWideLane), c = _mm512_loadu_si512(at + 2 * kWideLane),
          d = _mm512_loadu_si512(at + 3 * kWideLane);
  for (at += kWideStride, bytes -= kWideStride; bytes >= kWideStride; at += kWideStride, bytes -= kWideStride) {
    a = fold(a, by_stride, _mm512_loadu_si512(at));
    b = fold(b, by_stride, _mm512_loadu_si512(at + kWideLane));
    c = fold(c, by_stride, _mm512_loadu_si512(at + 2 * kWideLane));
    d = fold(d, by_stride, _mm512_loadu_si512(at + 3 * kWideLane));
  }
  a = fold(fold(fold(a, by_lane, b), by_lane, c), by_lane, d);
  uint8_t lanes[kWideLane];
  std::memcpy(lanes, &a, kWideLane);
  crc = by_folding(0, lanes, kWideLane);
  return bytes >= kStride ? by_folding(crc, at, bytes) : by_tables(crc, at, bytes);
}

bool can_fold_wide() {
  static const bool can = __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f");
  return can;
}

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}

#endif

}  // namespace

uint32_t crc32(uint32_t crc, const void* data, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
#if defined(__x86_64__)
  if (bytes >= kWideStride && can_fold_wide()) return ~by_wide_folding(~crc, at, bytes);
  if (bytes >= kStride && can_fold()) return ~by_folding(~crc, at, bytes);
#endif
  return ~by_tables(~crc, at, bytes);
}

uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t second_bytes) {
  return multiply(first, power_of_x(8 * second_bytes)) ^ second;
}

}  // namespace incremental
