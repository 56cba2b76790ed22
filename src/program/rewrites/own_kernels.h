// Puts this library's kernels (src/kernels/) in the place of ATen's, for the fast mode in float32.
#pragma once
#include "src/program/program.h"

namespace incremental {

// 3x3 convolutions of stride and padding 1, and linear layers. Which kernel computes is decided call by call, from the
// tensors: where ours do not fit, or are not faster, it is ATen's.
Program with_own_kernels(const Program& program);

}  // namespace incremental
