#include "src/train/train.h"

#include <memory>
#include <utility>

#include "src/core/priority.h"
#include "src/losses/loss.h"
#include "src/optimizers/sgd.h"
#include "src/program/forward.h"
#include "src/train/progress.h"
#include "src/train/run.h"
#include "src/train/weights.h"

namespace incremental {

TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled) {
  be_nice(plan.niceness);
  RunScope scope(plan.threads);
  Clock clock;
  at::Generator generator = at::detail::createCPUGenerator(plan.seed);
  Pipeline pipeline = pipeline_of(plan);
  Ways ways = ways_for(*plan.program, *plan.state, pipeline.output_shape(), plan.numerics);
  Weights weights(ways.few, *plan.state);
  weights.require_grad();
  std::vector<std::string> contracted = std::move(ways.contracted);
  check_batches(plan, pipeline.output_shape());
  const std::unique_ptr<const Loss> loss_of = make_loss(plan.loss);
  Forward forward(std::move(ways), weights.all(), Mode::kTraining, generator, plan.numerics.bf16,
                  /*checks_statistics=*/true);
  Sgd optimizer(weights.parameters(), sgd_options(plan.optimizer), weights.to_kept(plan.start.momentum));
  Position position = plan.start.position;
  restore(generator, plan.start.epoch_random);
  at::Tensor epoch_random = generator.get_state();  // before the epoch in hand
  Batches batches(plan.dataset, std::move(pipeline),
                  {plan.batch_size, plan.epochs, plan.shuffle, plan.drop_last, position.epoch, position.step,
                   plan.numerics.fast, takes_every_core(plan.threads)},
                  generator);
  restore(generator, plan.start.random);
  at::Tensor random = generator.get_state();  // before the batch that follows the step in hand

  const int64_t steps = batches.per_epoch();
  const bool takes_snapshots = plan.snapshot_every >= 0;
  bool taken = false;  // at this very position
  const auto snapshot = [&] {
    if (!takes_snapshots || taken) return;
    report({Event::Type::kSnapshot, position.epoch, position.step, 0, 0, 0,
            std::make_shared<const Snapshot>(
                take_snapshot(position, weights, plan, optimizer.momentum_buffers(), random, epoch_random))});
    taken = true;
  };
  const auto is_due = [&] {
    return plan.snapshot_every > 0 ? (position.epoch * steps + position.step) % plan.snapshot_every == 0
                                   : position.step == 0;
  };

  int64_t seen = 0;
  batches.prepare();
  while (position.epoch < plan.epochs) {
    Clock epoch_clock;
    const double seconds_before = position.seconds;
    while (position.step < steps) {
      if (cancelled) {
        snapshot();
        stop_if(cancelled);
      }
      Batch batch = batches.take();
      const int64_t samples = batch.labels.size(0);
      at::Tensor logits = forward(batch.inputs);
      if (seen == 0) check_logits(logits, samples, *plan.dataset);
      at::Tensor loss_tensor = (*loss_of)(logits, batch.labels);
      // Always, not only where a snapshot is due: when the next batch is drawn nobody knows whether this step will be
      // the last one before a cancel. It copies 5 KB.
      if (takes_snapshots) random = generator.get_state();
      // Here, where Python's loader draws too: after what the model drew in this step. The pixels of the next batch are
      // then worked on while this step runs backwards.
      batches.prepare();
      loss_tensor.backward();
      optimizer.step();

      const double loss = loss_tensor.item<double>();
      ++position.step;
      check_finite(loss, position.epoch, position.step);
      seen += samples;
      position.samples += samples;
      position.loss_sum += loss * static_cast<double>(samples);
      position.seconds = seconds_before + epoch_clock.seconds();
      taken = false;
      const bool log = plan.log_every > 0 && position.step % plan.log_every == 0;
      report({log ? Event::Type::kLog : Event::Type::kStep, position.epoch + 1, position.step, loss, clock.seconds(),
              seen});
      // The last step of an epoch is told of as the beginning of the next one, below.
      if (position.step < steps && is_due()) snapshot();
    }
    report({Event::Type::kEpoch, position.epoch + 1, steps, position.loss_sum / static_cast<double>(position.samples),
            position.seconds, position.samples});
    check_finite(weights, *plan.state);
    position = {position.epoch + 1};
    epoch_random = random;
    if (is_due()) snapshot();
  }
  check_finite(weights, *plan.state);
  snapshot();
  return {weights.release(plan.names), clock.seconds(), std::move(contracted), ""};
}

}  // namespace incremental
