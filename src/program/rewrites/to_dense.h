// The way out of oneDNN's blocked layout, and the way of the gradients back into it.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// As aten::to_dense for the result of a convolution that nothing else reads. Backwards, ATen would copy the gradient
// into an oneDNN tensor of plain layout, which the convolution's two backward kernels each copy into the blocked one.
// Here it is written into the result's own memory, which is blocked already and no longer needed: one copy instead of
// three, with the same bits.
at::Tensor to_dense_from_blocked(const at::Tensor& blocked);

// `dense` as an oneDNN tensor: in the memory of `unread`, of the same shape, where its layout is known.
at::Tensor to_blocked(const at::Tensor& dense, const at::Tensor& unread);

}  // namespace incremental
