// The loops of winograd.cc, compiled once for each instruction set: plain memory, no tensors.
// No inline functions either: simd.h says why.
#pragma once
#include <cstdint>

namespace incremental {

// Images [samples, height, width, channels]; both numbers of channels are multiples of 16.
struct ConvolutionShape {
  int64_t samples, height, width, inputs, outputs;
};

// Steps between neighbouring elements of a weight [outputs, inputs, 3, 3].
struct WeightStrides {
  int64_t output, input, row, column;
};

struct WinogradKernels {
  // Weights → [16, outputs / 16, inputs, 16], of the runs of 16 outputs from `begin` to `end`.
  void (*transform_weight)(const float* weight, const WeightStrides& strides, int64_t inputs, int64_t outputs,
                           int64_t begin, int64_t end, float* transformed);
  // The output of the tiles from `begin` to `end`. `scratch` holds 16 * block * (inputs + outputs) floats; `bias` may
  // be null.
  void (*convolve)(const ConvolutionShape& shape, const float* input, const float* transformed_weight,
                   const float* bias, int64_t begin, int64_t end, int64_t block, float* scratch, float* output);
  // Sets `sums` [16, outputs / 16, inputs, 16] and, unless it is null, `bias_sums` [outputs] to what the tiles from
  // `begin` to `end` contribute. `scratch` as above.
  void (*sum_weight_gradient)(const ConvolutionShape& shape, const float* input, const float* gradient, int64_t begin,
                              int64_t end, int64_t block, float* scratch, float* sums, float* bias_sums);
  // The weight's gradient from `parts` such sums, `part_size` floats apart, of the runs of 16 outputs × one input
  // from `begin` to `end`.
  void (*finish_weight_gradient)(const float* sums, int64_t parts, int64_t part_size, int64_t inputs, int64_t outputs,
                                 int64_t begin, int64_t end, float* gradient, const WeightStrides& strides);
};

// clang-format off
namespace avx512 { extern const WinogradKernels kWinograd; }
namespace avx2 { extern const WinogradKernels kWinograd; }
namespace baseline { extern const WinogradKernels kWinograd; }
// clang-format on

// `block` is a multiple of this.
constexpr int64_t kWinogradRows = 12;

}  // namespace incremental
