#include "src/train/train.h"

#include <chrono>
#include <cmath>

#include "src/program/forward.h"
#include "src/train/run.h"
#include "src/train/weights.h"

namespace incremental {
namespace {

class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void check_finite(const Weights& weights) {
  for (const at::Tensor& parameter : weights.parameters()) {
    check(at::isfinite(parameter.detach()).all().item<bool>(), "ERR_NOT_FINITE",
          "A weight became infinite or NaN in the last step. The given state is unchanged; try a smaller learningRate");
  }
}

}  // namespace

TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled) {
  RunScope scope(plan.threads);
  Clock clock;
  at::Generator generator = at::detail::createCPUGenerator(plan.seed);
  Weights weights(plan.program, *plan.state);
  weights.require_grad();
  Forward forward(plan.program, weights.all(), Mode::kTraining, generator);
  Sgd optimizer(weights.parameters(), plan.sgd);
  Batches batches(
      plan.dataset,
      Pipeline(plan.transforms, plan.dataset->inputs.sizes().slice(1).vec(), plan.dataset->inputs.scalar_type()),
      {plan.batch_size, plan.epochs, plan.shuffle, plan.drop_last}, generator);

  const int64_t steps = batches.per_epoch();
  int64_t seen = 0;
  batches.prepare();
  for (int64_t epoch = 1; epoch <= plan.epochs; ++epoch) {
    Clock epoch_clock;
    double loss_sum = 0;
    int64_t epoch_samples = 0;
    for (int64_t step = 1; step <= steps; ++step) {
      stop_if(cancelled);
      Batch batch = batches.take();
      const int64_t samples = batch.labels.size(0);
      at::Tensor logits = forward(batch.inputs);
      if (seen == 0) check_logits(logits, samples, *plan.dataset);
      at::Tensor loss_tensor = at::cross_entropy_loss(logits, batch.labels);
      // Here, where Python's loader draws too: after what the model drew in this step. The pixels of the next batch are
      // then worked on while this step runs backwards.
      batches.prepare();
      loss_tensor.backward();
      optimizer.step();

      const double loss = loss_tensor.item<double>();
      check(std::isfinite(loss), "ERR_NOT_FINITE", "The loss became ", loss, " at epoch ", epoch, ", step ", step,
            ". The given state is unchanged; try a smaller learningRate, or look for bad values in the data");
      seen += samples;
      epoch_samples += samples;
      loss_sum += loss * static_cast<double>(samples);
      const bool log = plan.log_every > 0 && step % plan.log_every == 0;
      report({log ? Event::Type::kLog : Event::Type::kStep, epoch, step, loss, clock.seconds(), seen});
    }
    report({Event::Type::kEpoch, epoch, steps, loss_sum / static_cast<double>(epoch_samples), epoch_clock.seconds(),
            epoch_samples});
  }
  check_finite(weights);
  return {weights.release(plan.names), clock.seconds()};
}

}  // namespace incremental
