// One vector register of float32, as wide as the instruction set that a file of kernels is compiled for. Only for files
// that CMakeLists.txt compiles several times (`SIMD_NAME`, `SIMD_BYTES`): all is internal to them and nothing but
// types is included, because the linker keeps one copy of an inline function, which might be that with AVX-512.
#pragma once
#include <cstdint>

#include "src/kernels/bf16.h"

namespace {

constexpr int kLanes = SIMD_BYTES / sizeof(float);
// Channels are handled in runs of 16, which are this many registers.
constexpr int kChunk = 16;
constexpr int kSplit = kChunk / kLanes;

using Vector = float __attribute__((vector_size(SIMD_BYTES)));

inline __attribute__((always_inline)) Vector load(const float* from) {
  Vector value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}

inline __attribute__((always_inline)) void store(float* to, Vector value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

// What a register is to inline assembly.
#if defined(__aarch64__)
#define SIMD_REGISTER "w"
#else
#define SIMD_REGISTER "v"
#endif

// The product, rounded: the compiler does not see what it is added to, and so cannot fuse the two.
template <class Number>
inline __attribute__((always_inline)) Number product(Number a, Number b) {
  Number result = a * b;
  __asm__("" : "+" SIMD_REGISTER(result));
  return result;
}

using incremental::Bf16;

using Words = uint32_t __attribute__((vector_size(SIMD_BYTES)));
using HalfWords = uint16_t __attribute__((vector_size(SIMD_BYTES / 2)));

inline __attribute__((always_inline)) Vector load(const Bf16* from) {
  HalfWords halves;
  __builtin_memcpy(&halves, from, sizeof(halves));
  return (Vector)(__builtin_convertvector(halves, Words) << 16);
}

// To the nearest, of two the even one; any NaN becomes the same one.
inline __attribute__((always_inline)) void store(Bf16* to, Vector value) {
  const Words bits = (Words)value, is_nan = (Words)(value != value);
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const HalfWords halves = __builtin_convertvector((is_nan & 0x7fc0) | (~is_nan & rounded), HalfWords);
  __builtin_memcpy(to, &halves, sizeof(halves));
}

inline __attribute__((always_inline)) float to_float(float value) { return value; }

inline __attribute__((always_inline)) float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  __builtin_memcpy(&result, &bits, sizeof(result));
  return result;
}

inline __attribute__((always_inline)) void from_float(float value, float& to) { to = value; }

inline __attribute__((always_inline)) void from_float(float value, Bf16& to) {
  Bf16 all[kLanes];
  store(all, value + Vector{});
  to = all[0];
}

}  // namespace
