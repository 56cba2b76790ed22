// A type without functions: simd.h says why.
#pragma once
#include <cstdint>

namespace incremental {

// The bits of a bfloat16, which are the upper half of a float32's.
struct Bf16 {
  uint16_t bits;
};

}  // namespace incremental
