#include "src/program/variants.h"

#include <limits>

#include "src/program/rewrites/blocked.h"
#include "src/program/rewrites/channels_last.h"
#include "src/program/rewrites/contract.h"
#include "src/program/rewrites/exact_linear.h"
#include "src/program/rewrites/own_kernels.h"

namespace incremental {

Variants exact_variants(const Program& program, c10::Device device) {
  // Devices have none of oneDNN's layouts.
  if (!device.is_cpu() || !program.may_be_rewritten) return {program, program, std::numeric_limits<int64_t>::max(), {}};
  // For single samples ATen has other convolutions, with other roundings.
  return {program, with_exact_linear(with_blocked_convolutions(program)), 1, {}};
}

Variants fast_variants(const Program& program, const std::vector<at::Tensor>& tensors,
                       const std::vector<InputForm>& inputs, const Numerics& numerics, c10::Device device) {
  if (!program.may_be_rewritten) return exact_variants(program, device);
  const Shapes shapes = shapes_of(program, tensors, inputs);
  const Program general = with_channels_last(program, shapes);
  Variants variants{general, general, std::numeric_limits<int64_t>::max(), {}};
  if (numerics.contract_linear && !numerics.bf16) {
    Contracted contracted = with_contracted_chains(general, shapes, /*turned=*/device.is_cpu());
    if (contracted.rows > 0) {
      variants.large_batch = std::move(contracted.program);
      variants.limit = contracted.rows;
      variants.contracted = std::move(contracted.weights);
    }
  }
  if (device.is_cpu() && !numerics.bf16) {
    variants.small_batch = with_own_kernels(variants.small_batch);
    variants.large_batch = with_own_kernels(variants.large_batch);
  }
  return variants;
}

}  // namespace incremental
