#include "src/train/train.h"

#include <memory>
#include <utility>

#include "src/core/priority.h"
#include "src/program/forward.h"
#include "src/train/progress.h"
#include "src/train/run.h"
#include "src/train/step.h"
#include "src/train/weights.h"

namespace incremental {
namespace {

// The generator's state, after `given` was restored to it.
at::Tensor restored(at::Generator& generator, const at::Tensor& given) {
  restore(generator, given);
  return generator.get_state();
}

BatchOptions batch_options(const TrainPlan& plan) {
  const Position& start = plan.start.position;
  return {plan.batch_size, plan.epochs, plan.shuffle,       plan.drop_last,
          start.epoch,     start.step,  plan.numerics.fast, takes_every_core(plan.threads)};
}

class Training {
 public:
  Training(const TrainPlan& plan, const Report& report, const Cancelled& cancelled)
      : plan_(plan),
        report_(report),
        cancelled_(cancelled),
        generator_(at::detail::createCPUGenerator(plan.seed)),
        variants_(variants_for(*plan.program, *plan.state, pipeline_of(plan).outputs(), plan.numerics)),
        weights_(variants_.small_batch, *plan.state),
        step_(make_step()),
        position_(plan.start.position),
        epoch_random_(restored(generator_, plan.start.epoch_random)),
        batches_(plan.dataset, pipeline_of(plan), batch_options(plan), generator_),
        random_(restored(generator_, plan.start.random)),
        steps_(batches_.per_epoch()) {}

  TrainOutcome run() {
    batches_.prepare();
    while (position_.epoch < plan_.epochs) {
      const Clock epoch_clock;
      const double seconds_before = position_.seconds;
      while (position_.step < steps_) {
        if (cancelled_) stop();
        const Batch batch = batches_.take();
        const at::Tensor mean = step_.run(batch, [this](const at::Tensor&) {
          prepare_next();
          return true;
        });
        const auto loss = mean.item<double>();
        count(loss, batch.samples());
        position_.seconds = seconds_before + epoch_clock.seconds();
        report_step(loss);
        // A snapshot after the last step of an epoch is one before the first step of the next.
        if (position_.step < steps_ && is_due()) snapshot();
      }
      end_epoch();
      if (is_due()) snapshot();
    }
    check_finite(weights_, *plan_.state);
    snapshot();
    return {weights_.release(plan_.names), clock_.seconds(), variants_.contracted, ""};
  }

 private:
  Step make_step() {
    ParameterGroups::require_grad(plan_.groups, weights_.parameters());
    check_batches(plan_, pipeline_of(plan_).outputs());
    ParameterGroups optimizer(plan_.groups, weights_.parameters(), kernels_of(plan_.numerics));
    optimizer.restore(weights_.to_kept(plan_.start.slots));
    return {Forward(variants_, weights_.all(), Mode::kTraining, generator_, plan_.numerics.bf16,
                    /*checks_statistics=*/true),
            make_loss(plan_.loss), std::move(optimizer), weights_.parameters(), plan_.dataset->target};
  }

  // Called after the forward pass, where Python's loader draws too, so that the pixels of the next batch are made
  // during the backward pass. The generator's state, 5 KB, is kept at every step: any may be the last one before a
  // cancel.
  void prepare_next() {
    if (takes_snapshots()) random_ = generator_.get_state();
    batches_.prepare();
  }

  void count(double loss, int64_t samples) {
    check_finite(loss, position_.epoch, ++position_.step);
    seen_ += samples;
    position_.samples += samples;
    position_.loss_sum += loss * static_cast<double>(samples);
    taken_ = false;
  }

  void report_step(double loss) const {
    const bool log = plan_.log_every > 0 && position_.step % plan_.log_every == 0;
    report_({log ? Event::Type::kLog : Event::Type::kStep, position_.epoch + 1, position_.step, loss, clock_.seconds(),
             seen_});
  }

  void end_epoch() {
    report_({Event::Type::kEpoch, position_.epoch + 1, steps_,
             position_.loss_sum / static_cast<double>(position_.samples), position_.seconds, position_.samples});
    check_finite(weights_, *plan_.state);
    position_ = {position_.epoch + 1};
    epoch_random_ = random_;
  }

  void stop() {
    snapshot();
    stop_if(cancelled_);
  }

  bool takes_snapshots() const { return plan_.snapshot_every >= 0; }

  bool is_due() const {
    return plan_.snapshot_every > 0 ? (position_.epoch * steps_ + position_.step) % plan_.snapshot_every == 0
                                    : position_.step == 0;
  }

  void snapshot() {
    if (!takes_snapshots() || taken_) return;
    report_({Event::Type::kSnapshot, position_.epoch, position_.step, 0, 0, 0,
             std::make_shared<const Snapshot>(
                 take_snapshot(position_, weights_, plan_, step_.optimizer().state(), random_, epoch_random_))});
    taken_ = true;
  }

  const TrainPlan& plan_;
  const Report& report_;
  const Cancelled& cancelled_;
  Clock clock_;
  at::Generator generator_;
  Variants variants_;
  Weights weights_;
  Step step_;
  Position position_;
  at::Tensor epoch_random_;  // before the current epoch
  Batches batches_;
  at::Tensor random_;  // before the batch that follows the current step
  int64_t steps_;      // in an epoch
  int64_t seen_ = 0;
  bool taken_ = false;  // a snapshot at this position
};

}  // namespace

TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled) {
  be_nice(plan.niceness);
  RunScope scope(plan.threads);
  return Training(plan, report, cancelled).run();
}

}  // namespace incremental
