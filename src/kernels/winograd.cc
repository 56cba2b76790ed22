#include "src/kernels/winograd.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "src/kernels/simd_level.h"
#include "src/kernels/team.h"

namespace incremental {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRun = 16;  // channels that kernels take at a time
constexpr int64_t kPoints = 16;
// Floats of one block of tiles in Winograd's domain, which should stay in a core's second-level cache.
constexpr int64_t kBlockFloats = int64_t{1} << 16;

const WinogradKernels& kernels() { return SIMD_VARIANT(kWinograd); }

ConvolutionShape shape_of(const at::Tensor& input, const at::Tensor& weight) {
  return {input.size(0), input.size(2), input.size(3), weight.size(1), weight.size(0)};
}

WeightStrides strides_of(const at::Tensor& weight) {
  return {weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
}

// How the tiles of all images are divided among threads, each of which goes through its own block by block.
struct Division {
  int64_t tiles, block, blocks, parts, scratch_size;

  explicit Division(const ConvolutionShape& shape) {
    tiles = shape.samples * ((shape.height + 1) / 2) * ((shape.width + 1) / 2);
    const int64_t channels = shape.inputs + shape.outputs;
    const int64_t fitting = kBlockFloats / (kPoints * channels);
    block = std::clamp(fitting / kWinogradRows * kWinogradRows, kWinogradRows * 2, kWinogradRows * 8);
    blocks = (tiles + block - 1) / block;
    parts = std::min<int64_t>(at::get_num_threads(), blocks);
    scratch_size = kPoints * block * channels;
  }

  int64_t begin(int64_t part) const { return std::min(blocks * part / parts * block, tiles); }
};

at::Tensor floats(int64_t count) { return at::empty({count}, at::kFloat); }

// 3x3 filters in Winograd's domain: [16, outputs / 16, inputs, 16].
at::Tensor transform(const float* weight, const WeightStrides& strides, int64_t inputs, int64_t outputs) {
  at::Tensor transformed = floats(kPoints * inputs * outputs);
  float* to = transformed.mutable_data_ptr<float>();
  const int64_t runs = outputs / kRun;
  on_team(runs, [&](int64_t run) { kernels().transform_weight(weight, strides, inputs, outputs, run, run + 1, to); });
  return transformed;
}

// `input` in channels_last memory; `bias` may be null.
at::Tensor convolve(const ConvolutionShape& shape, const at::Tensor& input, const at::Tensor& transformed_weight,
                    const float* bias) {
  const Division division(shape);
  at::Tensor output = at::empty({shape.samples, shape.outputs, shape.height, shape.width},
                                input.options().memory_format(at::MemoryFormat::ChannelsLast));
  const at::Tensor scratch = floats(division.parts * division.scratch_size);
  const float* from = input.const_data_ptr<float>();
  const float* weight = transformed_weight.const_data_ptr<float>();
  float* work = scratch.mutable_data_ptr<float>();
  float* to = output.mutable_data_ptr<float>();
  on_team(division.parts, [&](int64_t part) {
    kernels().convolve(shape, from, weight, bias, division.begin(part), division.begin(part + 1), division.block,
                       work + part * division.scratch_size, to);
  });
  return output;
}

at::Tensor forward_pass(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  const ConvolutionShape shape = shape_of(input, weight);
  const at::Tensor transformed =
      transform(weight.const_data_ptr<float>(), strides_of(weight), shape.inputs, shape.outputs);
  const at::Tensor dense_bias = bias.defined() ? bias.contiguous() : bias;
  return convolve(shape, input.contiguous(at::MemoryFormat::ChannelsLast), transformed,
                  bias.defined() ? dense_bias.const_data_ptr<float>() : nullptr);
}

// The gradient to the input is the convolution of that to the output with the filters turned by 180° and transposed.
at::Tensor input_gradient(ConvolutionShape shape, const at::Tensor& weight, const at::Tensor& gradient) {
  const WeightStrides own = strides_of(weight);
  const WeightStrides turned = {own.input, own.output, -own.row, -own.column};
  std::swap(shape.inputs, shape.outputs);
  const at::Tensor transformed =
      transform(weight.const_data_ptr<float>() + 2 * (own.row + own.column), turned, shape.inputs, shape.outputs);
  return convolve(shape, gradient, transformed, nullptr);
}

struct WeightGradient {
  at::Tensor weight, bias;
};

WeightGradient weight_gradient(const ConvolutionShape& shape, const at::Tensor& input, const at::Tensor& weight,
                               const at::Tensor& gradient, bool with_bias) {
  const Division division(shape);
  const int64_t inputs = shape.inputs, outputs = shape.outputs;
  const int64_t sum_size = kPoints * inputs * outputs, part_size = sum_size + outputs + division.scratch_size;
  // For each part: its sums, those for the bias, and its scratch memory.
  const at::Tensor scratch = floats(division.parts * part_size);
  float* work = scratch.mutable_data_ptr<float>();
  const float* from = input.const_data_ptr<float>();
  const float* above = gradient.const_data_ptr<float>();
  on_team(division.parts, [&](int64_t part) {
    float* sums = work + part * part_size;
    kernels().sum_weight_gradient(shape, from, above, division.begin(part), division.begin(part + 1), division.block,
                                  sums + sum_size + outputs, sums, with_bias ? sums + sum_size : nullptr);
  });
  WeightGradient result{at::empty_like(weight), {}};
  const WeightStrides strides = strides_of(result.weight);
  float* to = result.weight.mutable_data_ptr<float>();
  const int64_t filters = inputs * outputs / kRun, parts = std::min<int64_t>(at::get_num_threads(), filters);
  on_team(parts, [&](int64_t part) {
    kernels().finish_weight_gradient(work, division.parts, part_size, inputs, outputs, filters * part / parts,
                                     filters * (part + 1) / parts, to, strides);
  });
  if (with_bias) {
    result.bias = floats(outputs);
    float* sums = result.bias.mutable_data_ptr<float>();
    for (int64_t i = 0; i < outputs; ++i) {
      sums[i] = 0;
      for (int64_t part = 0; part < division.parts; ++part) sums[i] += work[part * part_size + sum_size + i];
    }
  }
  return result;
}

struct Conv3x3 : torch::autograd::Function<Conv3x3> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    // Only what the weight's gradient needs is kept alive for it.
    context->save_for_backward({weight.requires_grad() ? input : at::Tensor(), weight});
    context->saved_data["has_bias"] = bias.has_value();
    return forward_pass(input, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const ConvolutionShape shape = shape_of(gradient, weight);
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = input_gradient(shape, weight, gradient);
    const bool bias_needs = context->saved_data["has_bias"].toBool() && context->needs_input_grad(2);
    if (context->needs_input_grad(1)) {
      WeightGradient both =
          weight_gradient(shape, input.contiguous(at::MemoryFormat::ChannelsLast), weight, gradient, bias_needs);
      result[1] = both.weight;
      result[2] = both.bias;
    } else if (bias_needs) {
      result[2] = gradient.sum({0, 2, 3});
    }
    return result;
  }
};

}  // namespace

bool winograd_fits(const at::Tensor& input, const at::Tensor& weight) {
  return input.dim() == 4 && weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 && input.numel() > 0 &&
         weight.numel() > 0 && input.size(1) == weight.size(1) && weight.size(0) % kRun == 0 &&
         weight.size(1) % kRun == 0 && input.is_cpu() && weight.is_cpu() && input.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && input.layout() == at::kStrided && weight.layout() == at::kStrided;
}

// Measured (bench/kernels.mjs): with few tiles the transforms of the filters take longer than the multiplications they
// save, and where many tiles reach over the edge, few are saved. Without AVX2 it was never measured against a library
// that has none either.
bool winograd_wins(const ConvolutionShape& shape) {
  constexpr int64_t kFewestTiles = 128;
  const int64_t tiles = Division(shape).tiles, pixels = shape.samples * shape.height * shape.width;
  return simd_level() != SimdLevel::kBaseline && tiles >= kFewestTiles && 2 * pixels >= 5 * tiles;
}

bool winograd_wins(const at::Tensor& input, const at::Tensor& weight) {
  return winograd_fits(input, weight) && winograd_wins(shape_of(input, weight));
}

at::Tensor conv3x3(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  TORCH_CHECK(winograd_fits(input, weight), "conv3x3 is not for ", input.sizes(), " and ", weight.sizes());
  const bool needs_gradient =
      input.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad());
  if (at::GradMode::is_enabled() && needs_gradient) {
    return Conv3x3::apply(input, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  }
  return forward_pass(input, weight, bias);
}

}  // namespace incremental
