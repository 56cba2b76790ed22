// A program ready to run on batches of any size. Used by src/train/.
#pragma once
#include <vector>

#include "src/program/executor.h"
#include "src/program/ways.h"

namespace incremental {

class Forward {
 public:
  // As Executor's; `bf16`: see Numerics.
  Forward(const Ways& ways, const std::vector<at::Tensor>& tensors, Mode mode, const at::Generator& generator,
          bool bf16 = false)
      : few_(ways.few, tensors, mode, generator),
        many_(ways.many, tensors, mode, generator),
        limit_(ways.limit),
        bf16_(bf16) {}

  // `input`: [sample, …]. Returns the program's first output, in float32.
  at::Tensor operator()(at::Tensor input);

 private:
  Executor few_, many_;
  int64_t limit_;
  bool bf16_;
};

}  // namespace incremental
