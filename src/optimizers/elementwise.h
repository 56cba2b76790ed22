// One pass over memory for an optimizer's step, instead of one for each of PyTorch's operations. The bits are those of
// ATen's kernels for AVX2 and AVX512, which contract a product and a sum of one operation into one rounding, but for
// roots: MKL, which takes them there, rounds every fifth one otherwise than the processor.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>

#include "src/core/libtorch.h"
#include "src/kernels/team.h"

// For the bodies of these loops.
#define INLINED __attribute__((always_inline))

namespace incremental {

// ATen's kernels for older processors round products too.
inline bool contracts() {
#ifdef __x86_64__
  static const bool contracted = at::get_cpu_capability().starts_with("AVX");
  return contracted;
#else
  return false;
#endif
}

// True where the elements of these tensors are float32 and lie side by side, in the same order in all of them.
inline bool fit_one_pass(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors) {
  const at::Tensor& first = *tensors.begin();
  return contracts() && std::all_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) {
           return tensor.defined() && tensor.scalar_type() == at::kFloat && tensor.is_cpu() &&
                  tensor.is_non_overlapping_and_dense() && tensor.strides() == first.strides();
         });
}

// As Tensor.lerp_(end, weight): `weight` less 1 where it is at least a half, and then from the end
// (ATen/native/Lerp.h). Bits choose from which end: of a condition GCC would make two loops, and of a long loop none
// with vectors.
struct Lerp {
  explicit Lerp(double given) : weight(static_cast<float>(given)) {
    if (std::abs(weight) < 0.5F) return;
    weight -= 1;
    from_end = ~0U;
  }

  INLINED float operator()(float start, float end) const {
    const uint32_t first = std::bit_cast<uint32_t>(start) & ~from_end, last = std::bit_cast<uint32_t>(end) & from_end;
    return __builtin_fmaf(weight, end - start, std::bit_cast<float>(first | last));
  }

  float weight;
  uint32_t from_end = 0;  // all bits, or none
};

// As at::maximum: NaN where either is.
inline float larger(float a, float b) { return a > b || a != a ? a : b; }

// The same loop for each kind of processor. `body` must be inlined into it, or it is compiled for the oldest.
#define ELEMENTS_LOOP(name, ...)                                        \
  template <class Body>                                                 \
  __VA_ARGS__ void name(const Body& body, int64_t begin, int64_t end) { \
    _Pragma("GCC ivdep") for (int64_t i = begin; i < end; ++i) body(i); \
  }
ELEMENTS_LOOP(loop_over, )
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define ELEMENTS_HAVE_LEVELS
ELEMENTS_LOOP(loop_over_v3, __attribute__((target("arch=x86-64-v3"))))
ELEMENTS_LOOP(loop_over_v4, __attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))))
#endif
#undef ELEMENTS_LOOP

// Calls body(i) for every i below `count`, in parts on libtorch's threads. `each`: how many elements a call is for.
template <class Body>
void over_elements(int64_t count, const Body& body, int64_t each = 1) {
#ifdef ELEMENTS_HAVE_LEVELS
  // The features by which these levels differ from those below.
  const bool is_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool is_v4 = is_v3 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vl");
#endif
  const int64_t parts = parts_for(count * each);
  on_team(parts, [&](int64_t part) {
    const int64_t begin = count * part / parts, end = count * (part + 1) / parts;
#ifdef ELEMENTS_HAVE_LEVELS
    if (is_v4) return loop_over_v4(body, begin, end);
    if (is_v3) return loop_over_v3(body, begin, end);
#endif
    loop_over(body, begin, end);
  });
}

}  // namespace incremental
