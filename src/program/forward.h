// A program ready to run on batches of any size. Used by src/train/.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "src/program/executor.h"
#include "src/program/variants.h"

namespace incremental {

class Forward {
 public:
  // As Executor's; `bf16`: see Numerics. Executors are made when the first batch comes that they serve.
  Forward(Variants variants, std::vector<at::Tensor> tensors, Mode mode, at::Generator generator, bool bf16 = false,
          bool checks_statistics = false)
      : variants_(std::move(variants)),
        tensors_(std::move(tensors)),
        mode_(mode),
        generator_(std::move(generator)),
        bf16_(bf16),
        checks_statistics_(checks_statistics) {}

  // `inputs`: [sample, …] each, one for each of the program's. Returns its outputs; with `bf16`, floats in float32.
  // Throws ERR_SHAPE where the program takes no batch of so many samples, which in evaluation may be too few.
  std::vector<at::Tensor> operator()(std::vector<at::Tensor> inputs);

 private:
  std::vector<at::Tensor> run(std::vector<at::Tensor> inputs);

  Variants variants_;
  std::vector<at::Tensor> tensors_;
  Mode mode_;
  at::Generator generator_;
  bool bf16_;
  bool checks_statistics_;
  std::unique_ptr<Executor> small_batch_, large_batch_;
};

}  // namespace incremental
