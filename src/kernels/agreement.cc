#include "src/kernels/agreement.h"

#include <array>
#include <cstring>
#include <map>
#include <mutex>

#include "src/kernels/skinny_linear.h"

namespace incremental {
namespace {

// Numbers to compare with: any, so that sums differ unless they are added up alike, and zeros of both signs, which show
// what a sum begins with. The generator is that of Numerical Recipes (Press et al., 3rd edition, 7.1.4).
at::Tensor numbers(std::array<int64_t, 2> sizes, uint32_t& state, bool with_zeros) {
  constexpr std::array kFew = {-1.0F, -0.0F, 0.0F, -0.0F};
  at::Tensor result = at::empty(sizes, at::kFloat);
  float* to = result.mutable_data_ptr<float>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    state = state * 1664525U + 1013904223U;
    to[i] = with_zeros ? kFew[state >> 30] : static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31F;
  }
  return result;
}

at::Tensor our_input_gradient(const at::Tensor& gradient, const at::Tensor& weight) {
  at::Tensor result = at::empty({gradient.size(0), weight.size(1)}, at::kFloat);
  skinny_input_gradient(gradient, weight.const_data_ptr<float>(), weight.size(1), result.mutable_data_ptr<float>());
  return result;
}

// How many of the first rows have equal bits.
int64_t equal_rows(const at::Tensor& left, const at::Tensor& right) {
  const at::Tensor first = left.contiguous(), second = right.contiguous();
  const auto* a = static_cast<const char*>(first.const_data_ptr());
  const auto* b = static_cast<const char*>(second.const_data_ptr());
  const size_t bytes = first.nbytes() / first.size(0);
  int64_t row = 0;
  while (row < first.size(0) && std::memcmp(a + row * bytes, b + row * bytes, bytes) == 0) ++row;
  return row;
}

Agreement compare(int64_t rows, int64_t outputs, int64_t inputs) {
  Agreement agreement{true, Agreement::kNone};
  uint32_t state = 1;
  for (const bool with_zeros : {false, false, true}) {
    const at::Tensor input = numbers({rows, inputs}, state, with_zeros);
    const at::Tensor weight = numbers({outputs, inputs}, state, with_zeros);
    const at::Tensor gradient = numbers({rows, outputs}, state, with_zeros);
    agreement.input_gradient &= equal_rows(our_input_gradient(gradient, weight), gradient.mm(weight)) == rows;
    const at::Tensor expected = gradient.t().mm(input);
    if (agreement.fused == Agreement::kNone) {
      agreement.fused = equal_rows(skinny_weight_gradient(gradient, input, outputs), expected);
    }
    if (equal_rows(skinny_weight_gradient(gradient, input, agreement.fused), expected) < outputs) {
      return {agreement.input_gradient, Agreement::kNone};
    }
  }
  return agreement;
}

}  // namespace

Agreement agreement_on(int64_t rows, int64_t outputs, int64_t inputs) {
  static std::mutex mutex;
  static std::map<std::array<int64_t, 4>, Agreement> known;
  std::lock_guard lock(mutex);
  const auto [found, is_new] = known.try_emplace({rows, outputs, inputs, at::get_num_threads()});
  if (is_new) found->second = compare(rows, outputs, inputs);
  return found->second;
}

}  // namespace incremental
