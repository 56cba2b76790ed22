// 3x3 convolutions of float32 images in channels_last memory by Winograd's F(2x2, 3x3) (Lavin & Gray, Fast Algorithms
// for Convolutional Neural Networks, arXiv:1509.09308): 16 multiplications in place of 36. Its sums round differently
// from libtorch's, about as far from the exact ones; equal calls on the same number of threads give the same bits.
#pragma once
#include "src/core/libtorch.h"
#include "src/kernels/winograd_simd.h"

namespace incremental {

// True where conv3x3 computes at::conv2d(input, weight, bias, stride 1, padding 1): float32 on the CPU, input [N, C, H,
// W] and weight [O, C, 3, 3], C and O multiples of 16, nothing empty. Not whether it is faster.
bool winograd_fits(const at::Tensor& input, const at::Tensor& weight);

// True where conv3x3, forwards and backwards, is faster than at::conv2d in channels_last memory.
bool winograd_wins(const ConvolutionShape& shape);
bool winograd_wins(const at::Tensor& input, const at::Tensor& weight);

// at::conv2d with stride 1 and padding 1, for tensors that winograd_fits; `bias` may be undefined. The output has
// channels_last memory; autograd goes through it once. The weight's gradient has the weight's memory format.
at::Tensor conv3x3(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace incremental
