// The memory of oneDNN's tensors in the layout that its convolutions choose: [sample, channel / block, pixel, channel %
// block].
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// The memory of an oneDNN tensor; null where libtorch does not say.
float* data_of(const at::Tensor& tensor);

// Channels that lie side by side for each pixel of `tensor`; 0 if it is laid out otherwise. May destroy its values.
int64_t block_of(const at::Tensor& tensor);

// `dense` [sample, channel, height, width], contiguous.
void copy_into_blocked(const at::Tensor& dense, float* to, int64_t block);

}  // namespace incremental
