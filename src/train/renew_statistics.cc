#include "src/train/renew_statistics.h"

#include <set>
#include <string>
#include <utility>

#include "src/batches/batches.h"
#include "src/program/batch_statistics.h"
#include "src/program/forward.h"
#include "src/train/run.h"

namespace incremental {
namespace {

// The names of buffers that batch norms keep statistics in.
struct StatisticNames {
  std::set<std::string> means, variances, counts;
};

StatisticNames names_in(const Program& program) {
  StatisticNames names;
  for (const Node& node : program.nodes) {
    const std::string* mean = takes_statistics(node) ? value_of(node, "running_mean") : nullptr;
    const std::string* variance = takes_statistics(node) ? value_of(node, "running_var") : nullptr;
    if (mean == nullptr || variance == nullptr) continue;
    names.means.insert(*mean);
    names.variances.insert(*variance);
    names.counts.insert(mean->substr(0, mean->rfind('.') + 1) + "num_batches_tracked");
  }
  return names;
}

// Module.reset_running_stats()
void reset(const Weights& weights, const StatisticNames& names) {
  for (size_t i = 0; i < weights.buffers().size(); ++i) {
    const at::Tensor& buffer = weights.buffers()[i];
    const std::string& name = weights.name(weights.parameters().size() + i);
    if (names.means.contains(name) || names.counts.contains(name)) buffer.zero_();
    if (names.variances.contains(name)) buffer.fill_(1);
  }
}

// With a momentum that makes running statistics the mean of those of `batches` batches, as torch.nn.BatchNorm2d has it
// with the momentum None.
Program with_mean_statistics(Program program, int64_t batches) {
  for (Node& node : program.nodes) {
    if (!takes_statistics(node)) continue;
    for (auto& [name, argument] : node.arguments) {
      if (name == "momentum") argument = 1.0 / static_cast<double>(batches);
    }
  }
  return program;
}

}  // namespace

void renew_statistics(const TrainPlan& plan, const Variants& variants, const Weights& weights,
                      const at::Generator& generator, const Cancelled& cancelled) {
  at::NoGradGuard no_grad;
  const StatisticNames names = names_in(variants.small_batch);
  if (names.means.empty()) return;
  reset(weights, names);
  Batches batches(plan.dataset, pipeline_of(plan),
                  {plan.batch_size, /*epochs=*/1, plan.shuffle, plan.drop_last, /*first_epoch=*/0, /*first_step=*/0,
                   takes_channels_last(plan), takes_every_core(plan.threads), plan.workers},
                  generator);
  batches.prepare();
  for (int64_t step = 0; step < batches.per_epoch(); ++step) {
    stop_if(cancelled);
    Variants averaging = variants;
    averaging.small_batch = with_mean_statistics(std::move(averaging.small_batch), step + 1);
    averaging.large_batch = with_mean_statistics(std::move(averaging.large_batch), step + 1);
    Forward forward(std::move(averaging), weights.all(), Mode::kTraining, generator, plan.numerics.bf16);
    const Batch batch = batches.take();
    forward(on_device(batch, plan.device).inputs);
    batches.prepare();
  }
}

}  // namespace incremental
