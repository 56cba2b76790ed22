#include "src/kernels/skinny_linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "src/kernels/simd_level.h"
#include "src/kernels/skinny_linear_simd.h"
#include "src/kernels/team.h"

namespace incremental {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kMostOutputs = 32;
// Inputs are divided among threads in multiples of this, one line of the cache.
constexpr int64_t kLine = 16;
// A thread is woken for this many inputs and products at least; less takes longer to hand over than to do.
constexpr int64_t kFewestInputs = 128;
constexpr int64_t kFewestProducts = int64_t{1} << 18;

// A tensor's elements as the kernels name them.
template <class Element>
const Element* elements(const at::Tensor& tensor) {
  return static_cast<const Element*>(tensor.const_data_ptr());
}

template <class Element>
const SkinnyLinearKernels<Element>& kernels();
template <>
const SkinnyLinearKernels<float>& kernels() {
  return SIMD_VARIANT(kSkinnyLinear);
}
template <>
const SkinnyLinearKernels<Bf16>& kernels() {
  return SIMD_VARIANT(kSkinnyLinearBf16);
}

// How the inputs are divided among threads.
struct Division {
  int64_t size, parts;

  Division(int64_t rows, int64_t outputs, int64_t inputs)
      : size(inputs),
        parts(std::clamp<int64_t>(std::min(inputs / kFewestInputs, rows * outputs * inputs / kFewestProducts), 1,
                                  std::max<int64_t>(at::get_num_threads(), 1))) {}

  int64_t begin(int64_t part) const { return part == parts ? size : size / kLine * part / parts * kLine; }
};

template <class Element>
at::Tensor forward_pass(const at::Tensor& given_input, const at::Tensor& given_weight, const at::Tensor& bias) {
  const at::Tensor input = given_input.contiguous(), weight = given_weight.contiguous();
  const int64_t rows = input.size(0), outputs = weight.size(0), size = input.size(1);
  const Division division(rows, outputs, size);
  at::Tensor output = at::empty({rows, outputs}, weight.options().memory_format(at::MemoryFormat::Contiguous));
  const int64_t count = rows * outputs, part_size = count * (1 + kLine) + kSkinnyScratch;
  // For each part: its sums, and its scratch memory.
  const at::Tensor scratch = at::empty({division.parts * part_size}, at::kFloat);
  float* work = scratch.mutable_data_ptr<float>();
  const auto* left = elements<Element>(input);
  const auto* right = weight.const_data_ptr<float>();
  on_team(division.parts, [&](int64_t part) {
    float* sums = work + part * part_size;
    kernels<Element>().dot(left, rows, right, outputs, size, division.begin(part), division.begin(part + 1),
                           sums + count, sums);
  });
  const at::Tensor dense_bias = bias.defined() ? bias.contiguous() : bias;
  const float* biases = bias.defined() ? dense_bias.const_data_ptr<float>() : nullptr;
  float* to = output.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    float sum = work[i];
    for (int64_t part = 1; part < division.parts; ++part) sum += work[part * part_size + i];
    to[i] = biases == nullptr ? sum : sum + biases[i % outputs];
  }
  return output;
}

// Calls kernel(begin, end, scratch) for the inputs of each thread.
template <class Kernel>
void divide(int64_t rows, int64_t outputs, int64_t inputs, Kernel kernel) {
  const Division division(rows, outputs, inputs);
  const at::Tensor scratch = at::empty({division.parts * kSkinnyScratch}, at::kFloat);
  float* work = scratch.mutable_data_ptr<float>();
  on_team(division.parts,
          [&](int64_t part) { kernel(division.begin(part), division.begin(part + 1), work + part * kSkinnyScratch); });
}

// [N, M] × [M, K].
template <class Element>
void spread(const at::Tensor& gradient, const float* weight, int64_t size, Element* to) {
  const int64_t rows = gradient.size(0), outputs = gradient.size(1);
  const auto* factors = gradient.const_data_ptr<float>();
  divide(rows, outputs, size, [&](int64_t begin, int64_t end, float* scratch) {
    kernels<Element>().spread(weight, outputs, factors, outputs, 1, rows, size, begin, end, scratch, to);
  });
}

// [M, N] × [N, K].
template <class Element>
at::Tensor gather(const at::Tensor& gradient, const at::Tensor& given_input, int64_t fused) {
  const at::Tensor input = given_input.contiguous();
  const int64_t rows = input.size(0), outputs = gradient.size(1), size = input.size(1);
  at::Tensor result = at::empty({outputs, size}, at::kFloat);
  const auto* from = elements<Element>(input);
  const auto* factors = gradient.const_data_ptr<float>();
  auto* to = result.mutable_data_ptr<float>();
  divide(rows, outputs, size, [&](int64_t begin, int64_t end, float* scratch) {
    kernels<Element>().gather(from, rows, factors, 1, outputs, outputs, fused, size, begin, end, scratch, to);
  });
  return result;
}

template <class Element>
at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& given_weight, at::ScalarType type) {
  const at::Tensor weight = given_weight.contiguous();
  at::Tensor result = at::empty({gradient.size(0), weight.size(1)}, type);
  spread(gradient, weight.const_data_ptr<float>(), weight.size(1), static_cast<Element*>(result.mutable_data_ptr()));
  return result;
}

bool is_bf16(at::ScalarType type) { return type == at::kBFloat16; }

at::Tensor forward_pass(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  return is_bf16(input.scalar_type()) ? forward_pass<Bf16>(input, weight, bias)
                                      : forward_pass<float>(input, weight, bias);
}

struct SkinnyLinear : torch::autograd::Function<SkinnyLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    // Only what the other's gradient needs is kept alive for it.
    context->save_for_backward(
        {weight.requires_grad() ? input : at::Tensor(), input.requires_grad() ? weight : at::Tensor()});
    context->saved_data["has_bias"] = bias.has_value();
    context->saved_data["type"] = input.scalar_type();
    return forward_pass(input, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor gradient = gradients[0].contiguous();
    const at::ScalarType type = context->saved_data["type"].toScalarType();
    variable_list result(3);
    if (context->needs_input_grad(0)) {
      result[0] = is_bf16(type) ? input_gradient<Bf16>(gradient, saved[1], type)
                                : input_gradient<float>(gradient, saved[1], type);
    }
    if (context->needs_input_grad(1)) {
      result[1] = is_bf16(type) ? gather<Bf16>(gradient, saved[0], gradient.size(1))
                                : gather<float>(gradient, saved[0], gradient.size(1));
    }
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) result[2] = gradient.sum(0);
    return result;
  }
};

}  // namespace

bool skinny_linear_fits(const at::Tensor& input, const at::Tensor& weight) {
  return input.dim() == 2 && weight.dim() == 2 && input.numel() > 0 && weight.numel() > 0 &&
         input.size(1) == weight.size(1) && weight.size(0) <= kMostOutputs && input.is_cpu() && weight.is_cpu() &&
         (input.scalar_type() == at::kFloat || is_bf16(input.scalar_type())) && weight.scalar_type() == at::kFloat &&
         input.layout() == at::kStrided && weight.layout() == at::kStrided;
}

// Measured (bench/kernels.mjs): for single rows libtorch has a kernel of its own, and little work is all overhead.
bool skinny_linear_wins(int64_t rows, int64_t outputs, int64_t inputs) {
  constexpr int64_t kFewestRows = 4, kFewestColumns = 512;
  return simd_level() != SimdLevel::kBaseline && outputs <= kMostOutputs && rows >= kFewestRows &&
         inputs >= kFewestColumns && rows * inputs * outputs >= kFewestProducts;
}

at::Tensor skinny_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  TORCH_CHECK(skinny_linear_fits(input, weight), "skinny_linear is not for ", input.sizes(), " and ", weight.sizes());
  const bool needs_gradient =
      input.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad());
  if (at::GradMode::is_enabled() && needs_gradient) {
    return SkinnyLinear::apply(input, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  }
  return forward_pass(input, weight, bias);
}

void skinny_input_gradient(const at::Tensor& gradient, const float* weight, int64_t inputs, float* to) {
  spread(gradient, weight, inputs, to);
}

at::Tensor skinny_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, int64_t fused) {
  return gather<float>(gradient, input, fused);
}

}  // namespace incremental
