#include "src/program/own_operators.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <array>

#include "src/kernels/skinny_linear.h"
#include "src/kernels/winograd.h"
#include "src/program/rewrites/exact_linear.h"
#include "src/program/rewrites/to_dense.h"

namespace incremental {
namespace {

// [out, channel, height, width] in channels_last memory as rows of it.
at::Tensor rows_of(const at::Tensor& images) { return images.permute({0, 2, 3, 1}).flatten(1); }

at::Tensor linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  const bool ours =
      skinny_linear_fits(input, weight) && skinny_linear_wins(input.size(0), weight.size(0), weight.size(1));
  return ours ? skinny_linear(input, weight, bias) : at::linear(input, weight, bias);
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  const bool ours = winograd_fits(input, weight) && winograd_wins(input, weight);
  return ours ? conv3x3(input, weight, bias) : at::conv2d(input, weight, bias, /*stride=*/1, /*padding=*/1);
}

at::Tensor image_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor rows = rows_of(input), columns = rows_of(weight);
  // Under autocast the factors are to be bfloat16. Of the kernel's, the long side is; rounding the weights would not
  // make it faster.
  if (!rows.is_cpu() || (at::autocast::is_autocast_enabled(at::kCPU) && rows.scalar_type() == at::kFloat)) {
    return at::linear(rows, columns, bias);
  }
  return linear(rows, columns, bias);
}

}  // namespace

const OwnOperator* find_own_operator(const std::string& name) {
  using Tensors = std::vector<at::Tensor>;
  static const std::array kOperators{
      OwnOperator{kToDenseFromBlocked,
                  "aten::to_dense",
                  {"self"},
                  [](const Tensors& t) { return to_dense_from_blocked(t[0]); }},
      OwnOperator{kExactLinear,
                  "aten::linear",
                  {"input", "weight", "bias"},
                  [](const Tensors& t) { return exact_linear(t[0], t[1], t[2]); }},
      OwnOperator{kImageLinear,
                  "aten::linear",
                  {"input", "weight", "bias"},
                  [](const Tensors& t) { return image_linear(t[0], t[1], t[2]); }},
      OwnOperator{kLinear,
                  "aten::linear",
                  {"input", "weight", "bias"},
                  [](const Tensors& t) { return linear(t[0], t[1], t[2]); }},
      OwnOperator{kConvolution,
                  "aten::conv2d",
                  {"input", "weight", "bias"},
                  [](const Tensors& t) { return convolution(t[0], t[1], t[2]); }},
  };
  auto found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const OwnOperator& op) { return name == op.name; });
  return found == kOperators.end() ? nullptr : &*found;
}

}  // namespace incremental
