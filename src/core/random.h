// The numbers that PyTorch's CPU operators draw, one at a time and without an operator call. Used where a run must see
// the same stream of numbers as the Python script. The caller holds the generator's mutex.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "src/core/libtorch.h"

namespace incremental {

// torch.rand(1)
inline float draw_uniform(at::CPUGeneratorImpl& generator) {
  return static_cast<float>(generator.random() & 0xffffff) * 0x1p-24f;
}

// torch.empty(1).uniform_(low, high). PyTorch's kernels for AVX2 and above contract the multiplication and the addition
// into one rounding; the one for older processors has two.
inline float draw_uniform(at::CPUGeneratorImpl& generator, float low, float high) {
#ifdef __x86_64__
  static const bool contracted = at::get_cpu_capability().starts_with("AVX");
#else
  constexpr bool contracted = true;
#endif
  const float unit = draw_uniform(generator);
  return contracted ? std::fmaf(unit, high - low, low) : unit * (high - low) + low;
}

// torch.randint(0, limit, (1,)), for the limits below 2^28 where PyTorch spends 32 bits on a number.
inline int64_t draw_below(at::CPUGeneratorImpl& generator, int64_t limit) {
  return static_cast<int64_t>(generator.random() % static_cast<uint64_t>(limit));
}

// torch.empty((), dtype=torch.int64).random_()
inline int64_t draw_seed(at::CPUGeneratorImpl& generator) {
  return static_cast<int64_t>(generator.random64() & std::numeric_limits<int64_t>::max());
}

}  // namespace incremental
