// One vector register of float32, as wide as the instruction set that a file of kernels is compiled for. Only for files
// that CMakeLists.txt compiles several times (`SIMD_NAME`, `SIMD_BYTES`): all is internal to them and nothing else is
// included, because the linker keeps one copy of an inline function, which might be that with AVX-512.
#pragma once
#include <cstdint>

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

}  // namespace
