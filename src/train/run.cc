#include "src/train/run.h"

#include <algorithm>
#include <thread>

#include "src/core/error.h"
#include "src/core/team.h"
#include "src/program/batch_statistics.h"
#include "src/program/rewrites/rewrite.h"
#include "src/train/weights.h"

namespace incremental {

RunScope::RunScope(int threads) {
  check_team(threads);
  // A new thread asks for the process-wide count at its first parallel operation, which would replace its own by what
  // another job set meanwhile. Asking first gets that over with (lazy_init_num_threads in ATen/Parallel.h).
  // Setting it drops what oneDNN has prepared for shapes that it knows, which is not done for nothing.
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

Variants variants_for(const Program& program, const StateDict& state, const std::vector<InputForm>& inputs,
                      const Numerics& numerics, c10::Device device) {
  if (!numerics.fast) return exact_variants(program, device);
  return fast_variants(program, tensors_of(program, state, c10::kCPU), inputs, numerics, device);
}

void check_batches(const TrainPlan& plan, const std::vector<InputForm>& inputs) {
  const auto& nodes = plan.program->nodes;
  if (std::none_of(nodes.begin(), nodes.end(), takes_statistics)) return;
  const int64_t samples = plan.dataset->samples();
  const int64_t rest = plan.drop_last ? 0 : samples % plan.batch_size;
  const bool is_last = rest > 0 && samples > plan.batch_size;
  const int64_t fewest = rest > 0 ? rest : plan.batch_size;
  const Shapes shapes = shapes_of(*plan.program, tensors_of(*plan.program, *plan.state, c10::kCPU), inputs);
  const std::string lack = lack_of_values(*plan.program, shapes, fewest);
  if (lack.empty()) return;
  const bool dropping_helps = is_last && lack_of_values(*plan.program, shapes, plan.batch_size).empty();
  check(false, "ERR_SHAPE", lack, dropping_helps ? ": the last batch of " : ": a batch of ", samples,
        " samples in batches of ", plan.batch_size, " has ", fewest, ". ",
        dropping_helps ? "Set dropLast: true, or another batchSize" : "Use another batchSize, or larger inputs");
}

SamplePipeline pipeline_of(const RunPlan& plan) {
  return {plan.dataset->forms(), plan.transforms, plan.order, types_of(*plan.program)};
}

std::vector<at::ScalarType> types_of(const Program& program) {
  std::vector<at::ScalarType> types;
  for (const ProgramInput& input : program.inputs) types.push_back(input.dtype);
  return types;
}

bool takes_every_core(int threads) {
  const unsigned cores = std::thread::hardware_concurrency();  // that this process may use; 0: unknown
  return cores > 0 && threads >= static_cast<int>(cores);
}

}  // namespace incremental
