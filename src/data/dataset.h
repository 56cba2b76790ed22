// A data set in memory: every sample and its label. Immutable; shared by all jobs that read it.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

struct Dataset {
  at::Tensor inputs;  // [sample, channel, height, width] uint8, or [sample, …] float32; contiguous
  at::Tensor labels;  // [sample] int64, each in 0 … classes-1
  int64_t classes = 0;
};

}  // namespace incremental
