// The loops of skinny_linear.cc, compiled once for each instruction set: plain memory, no tensors.
// No inline functions either: simd.h says why.
#pragma once
#include <cstdint>

#include "src/kernels/bf16.h"

namespace incremental {

// All take scratch memory of this many floats; `dot` 16 * rows * columns more.
constexpr int64_t kSkinnyScratch = 32 * (512 + 16);

// `Element` is that of the long side: the inputs and their gradient. All is computed in float32.
template <class Element>
struct SkinnyLinearKernels {
  // partial[r * columns + c] = the sum over k from `begin` to `end` of left[r][k] * right[c][k]; rows of both are
  // `size` apart, and of `right` there are at most 32.
  void (*dot)(const Element* left, int64_t rows, const float* right, int64_t columns, int64_t size, int64_t begin,
              int64_t end, float* scratch, float* partial);
  // Both: to[r][k] = the sum over s, in order and beginning at 0, of factor(r, s) * from[s][k], for k from `begin` to
  // `end`, where factor(r, s) = factors[r * row_step + s * sum_step]; rows of `from` and of `to` are `size` apart.
  // At most 32 rows; a product and its sum are rounded at once in the first `fused` rows, each by itself in the others.
  using Factors = const float*;
  void (*gather)(const Element* from, int64_t sums, Factors factors, int64_t row_step, int64_t sum_step, int64_t rows,
                 int64_t fused, int64_t size, int64_t begin, int64_t end, float* scratch, float* to);
  // At most 32 sums; rounded at once.
  void (*spread)(const float* from, int64_t sums, Factors factors, int64_t row_step, int64_t sum_step, int64_t rows,
                 int64_t size, int64_t begin, int64_t end, float* scratch, Element* to);
};

namespace avx512 {
extern const SkinnyLinearKernels<float> kSkinnyLinear;
extern const SkinnyLinearKernels<Bf16> kSkinnyLinearBf16;
}  // namespace avx512
namespace avx2 {
extern const SkinnyLinearKernels<float> kSkinnyLinear;
extern const SkinnyLinearKernels<Bf16> kSkinnyLinearBf16;
}  // namespace avx2
namespace baseline {
extern const SkinnyLinearKernels<float> kSkinnyLinear;
extern const SkinnyLinearKernels<Bf16> kSkinnyLinearBf16;
}  // namespace baseline

}  // namespace incremental
