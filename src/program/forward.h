// A program ready to run on batches of any size. Used by src/train/.
#pragma once
#include <utility>
#include <vector>

#include "src/program/blocked.h"
#include "src/program/executor.h"

namespace incremental {

class Forward {
 public:
  // As Executor's.
  Forward(const Program& program, const std::vector<at::Tensor>& tensors, Mode mode, const at::Generator& generator)
      : plain_(program, tensors, mode, generator),
        blocked_(with_blocked_convolutions(program), tensors, mode, generator) {}

  // `input`: [sample, …]. Returns the program's first output.
  at::Tensor operator()(at::Tensor input) {
    // For single samples ATen has other convolutions, with other roundings; devices have none of oneDNN's.
    Executor& executor = input.is_cpu() && input.dim() > 0 && input.size(0) > 1 ? blocked_ : plain_;
    return executor.run({std::move(input)}).front();
  }

 private:
  Executor plain_, blocked_;
};

}  // namespace incremental
