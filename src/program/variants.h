// Variants of a model: the rewrites of its program that serve each size of batch.
#pragma once
#include <string>
#include <vector>

#include "src/core/sample_form.h"
#include "src/program/program.h"
#include "src/state/state_dict.h"

namespace incremental {

// How a run may compute.
struct Numerics {
  bool fast = false;             // any kernel, layout or fusion; otherwise bit for bit as PyTorch does it
  bool bf16 = false;             // convolutions and products in bfloat16, as torch.autocast does it; only with `fast`
  bool contract_linear = false;  // chains of affine operators as one; only with `fast`
};

// Two programs over the same parameters and buffers.
struct Variants {
  Program small_batch, large_batch;
  int64_t limit = 0;                    // `large_batch` serves batches of more samples than this
  std::vector<std::string> contracted;  // the weights of chains that `large_batch` has in contracted form
};

// As PyTorch does it: bit for bit on the CPU.
Variants exact_variants(const Program& program, c10::Device device);

// `tensors`: the program's parameters and buffers, of any values, on the CPU. `inputs`: of one sample.
Variants fast_variants(const Program& program, const std::vector<at::Tensor>& tensors,
                       const std::vector<InputForm>& inputs, const Numerics& numerics, c10::Device device);

}  // namespace incremental
