#include "src/program/variants.h"

#include <limits>

#include "src/program/rewrites/blocked.h"
#include "src/program/rewrites/channels_last.h"
#include "src/program/rewrites/contract.h"
#include "src/program/rewrites/exact_linear.h"
#include "src/program/rewrites/own_kernels.h"

namespace incremental {

Ways exact_ways(const Program& program, c10::Device device) {
  // Devices have none of oneDNN's layouts.
  if (!device.is_cpu()) return {program, program, std::numeric_limits<int64_t>::max(), {}};
  // For single samples ATen has other convolutions, with other roundings.
  return {program, with_exact_linear(with_blocked_convolutions(program)), 1, {}};
}

Ways fast_ways(const Program& program, const std::vector<at::Tensor>& tensors, const std::vector<int64_t>& sample_shape,
               const Numerics& numerics, c10::Device device) {
  const Shapes shapes = shapes_of(program, tensors, sample_shape);
  const Program general = with_channels_last(program, shapes);
  Ways ways{general, general, std::numeric_limits<int64_t>::max(), {}};
  if (numerics.contract_linear && !numerics.bf16) {
    Contracted contracted = with_contracted_chains(general, shapes, /*turned=*/device.is_cpu());
    if (contracted.rows > 0) {
      ways.many = std::move(contracted.program);
      ways.limit = contracted.rows;
      ways.contracted = std::move(contracted.weights);
    }
  }
  if (device.is_cpu() && !numerics.bf16) {
    ways.few = with_own_kernels(ways.few);
    ways.many = with_own_kernels(ways.many);
  }
  return ways;
}

}  // namespace incremental
