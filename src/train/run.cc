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

Variants variants_for(const Program& program, const StateDict& state, const std::vector<int64_t>& sample_shape,
                      const Numerics& numerics, c10::Device device) {
  if (!numerics.fast) return exact_variants(program, device);
  return fast_variants(program, tensors_of(program, state, c10::kCPU), sample_shape, numerics, device);
}

void check_batches(const TrainPlan& plan, const std::vector<int64_t>& sample_shape) {
  const auto& nodes = plan.program->nodes;
  if (std::none_of(nodes.begin(), nodes.end(), takes_statistics)) return;
  const int64_t samples = plan.dataset->labels.size(0);
  const int64_t rest = plan.drop_last ? 0 : samples % plan.batch_size;
  const bool is_last = rest > 0 && samples > plan.batch_size;
  const int64_t fewest = rest > 0 ? rest : plan.batch_size;
  const Shapes shapes = shapes_of(*plan.program, tensors_of(*plan.program, *plan.state, c10::kCPU), sample_shape);
  const std::string lack = lack_of_values(*plan.program, shapes, fewest);
  if (lack.empty()) return;
  const bool dropping_helps = is_last && lack_of_values(*plan.program, shapes, plan.batch_size).empty();
  check(false, "ERR_SHAPE", lack, dropping_helps ? ": the last batch of " : ": a batch of ", samples,
        " samples in batches of ", plan.batch_size, " has ", fewest, ". ",
        dropping_helps ? "Set dropLast: true, or another batchSize" : "Use another batchSize, or larger inputs");
}

Pipeline pipeline_of(const RunPlan& plan) {
  return {plan.transforms, plan.dataset->inputs.sizes().slice(1).vec(), plan.dataset->inputs.scalar_type()};
}

bool takes_every_core(int threads) {
  const unsigned cores = std::thread::hardware_concurrency();  // that this process may use; 0: unknown
  return cores > 0 && threads >= static_cast<int>(cores);
}

void check_logits(const at::Tensor& logits, int64_t samples, const Dataset& dataset) {
  check(logits.dim() == 2 && logits.size(0) == samples, "ERR_SHAPE", "Expected the model to return [", samples,
        ", classes] for a batch of ", samples, " but it returned ", logits.sizes());
  check(logits.size(1) >= dataset.classes, "ERR_SHAPE", "The data set has ", dataset.classes,
        " classes but the model returns ", logits.size(1));
}

}  // namespace incremental
