#include "src/train/train.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "src/averages/average.h"
#include "src/core/priority.h"
#include "src/device/device.h"
#include "src/program/forward.h"
#include "src/train/evaluate.h"
#include "src/train/progress.h"
#include "src/train/rates.h"
#include "src/train/renew_statistics.h"
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
  return {plan.batch_size,
          plan.epochs,
          plan.shuffle,
          plan.drop_last,
          start.epoch,
          start.step * plan.accumulate,
          takes_channels_last(plan),
          takes_every_core(plan.threads),
          plan.workers};
}

class Training {
 public:
  Training(const TrainPlan& plan, const Report& report, const Cancelled& cancelled)
      : plan_(plan),
        report_(report),
        cancelled_(cancelled),
        generator_(at::detail::createCPUGenerator(plan.seed)),
        variants_(variants_for(*plan.program, *plan.state, pipeline_of(plan).outputs(), plan.numerics, plan.device)),
        weights_(variants_.small_batch, *plan.state, plan.device),
        rates_(plan.groups, plan.scheduler, plan.start.scheduler, plan.start.rates),
        step_(make_step()),
        average_(started_average()),
        best_(plan.start.best),
        position_(plan.start.position),
        epoch_random_(restored(generator_, plan.start.epoch_random)),
        batches_(plan.dataset, pipeline_of(plan), batch_options(plan), generator_),
        random_(restored(generator_, plan.start.random)),
        steps_((batches_.per_epoch() + plan.accumulate - 1) / plan.accumulate) {}

  TrainOutcome run() {
    batches_.prepare();
    while (position_.epoch < plan_.epochs && !is_over()) {
      const Clock epoch_clock;
      const double seconds_before = position_.seconds;
      while (position_.step < steps_ && !is_over()) {
        if (cancelled_) stop();
        const double loss = one_step();
        position_.seconds = seconds_before + epoch_clock.seconds();
        rates_.after_step(step_.optimizer());
        report_step(loss);
        // A snapshot after the last step of an epoch is one before the first step of the next.
        if (position_.step < steps_ && is_due()) snapshot();
      }
      if (position_.step < steps_) break;
      end_epoch();
      if (is_due()) snapshot();
    }
    check_finite(weights_, *plan_.state);
    snapshot();
    return outcome();
  }

 private:
  Step make_step() {
    ParameterGroups::require_grad(plan_.groups, weights_.parameters());
    check_batches(plan_, pipeline_of(plan_).outputs());
    ParameterGroups optimizer(rates_.groups(), weights_.parameters(), kernels_of(plan_.numerics), weights_.shapes());
    optimizer.restore(weights_.to_kept(plan_.start.slots));
    // In Python one generator serves samples and operators, on the CPU.
    at::Generator drawn = plan_.device.is_cpu() ? generator_ : make_generator(plan_.device, plan_.seed);
    return {Forward(variants_, weights_.all(), Mode::kTraining, std::move(drawn), plan_.numerics.bf16,
                    /*checks_statistics=*/true),
            make_loss(plan_.loss, *plan_.dataset), std::move(optimizer), weights_.parameters()};
  }

  std::unique_ptr<Average> started_average() const {
    auto average = make_average(plan_.average);
    const Start& start = plan_.start;
    if (average && start.averaged > 0) average->restore(weights_.to_kept(start.average), start.averaged);
    return average;
  }

  // Forward and backward passes of its batches, then the optimizer. Returns the mean of their losses.
  double one_step() {
    const int64_t first = position_.step * plan_.accumulate;
    const int64_t count = std::min(plan_.accumulate, batches_.per_epoch() - first);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += one_batch();
    step_.limit_gradients(plan_.limits);
    step_.optimizer().step();
    if (average_) average_->after_step(weights_.parameters());
    ++position_.step;
    taken_ = false;
    return count == 1 ? sum : sum / static_cast<double>(count);
  }

  double one_batch() {
    const Batch batch = on_device(batches_.take(), plan_.device);
    const at::Tensor mean = step_.gradients(
        batch,
        [this](const at::Tensor&) {
          prepare_next();
          return true;
        },
        plan_.accumulate);
    const auto loss = mean.item<double>();
    check_finite(loss, position_.epoch, position_.step + 1);
    seen_ += batch.samples();
    position_.samples += batch.samples();
    position_.loss_sum += step_.loss().total(loss, static_cast<double>(batch.samples()));
    return loss;
  }

  // Called after the forward pass, where Python's loader draws too, so that the pixels of the next batch are made
  // during the backward pass. The generator's state, 5 KB, is kept at every step: any may be the last one before a
  // cancel.
  void prepare_next() {
    if (takes_snapshots() || average_) random_ = generator_.get_state();
    batches_.prepare();
  }

  void report_step(double loss) const {
    const bool log = plan_.log_every > 0 && position_.step % plan_.log_every == 0;
    report_({log ? Event::Type::kLog : Event::Type::kStep, position_.epoch + 1, position_.step, loss, clock_.seconds(),
             seen_, nullptr, nullptr, rates_.learning_rates()});
  }

  void end_epoch() {
    check_finite(weights_, *plan_.state);
    if (average_) average_->after_epoch(weights_.parameters(), position_.epoch + 1);
    std::optional<double> monitored;
    if (plan_.validation && (position_.epoch + 1) % plan_.validation->every == 0) {
      monitored = validate(*plan_.validation);
    }
    report_({Event::Type::kEpoch, position_.epoch + 1, steps_,
             position_.loss_sum / static_cast<double>(position_.samples), position_.seconds, position_.samples, nullptr,
             nullptr, rates_.learning_rates()});
    rates_.after_epoch(step_.optimizer(), monitored);
    position_ = {position_.epoch + 1};
    epoch_random_ = random_;
  }

  // Draws nothing from the run's generator. Returns the monitored number.
  std::optional<double> validate(const Validation& validation) {
    RunPlan plan = validation.plan;
    plan.state = serving();
    report_({Event::Type::kValidation, position_.epoch + 1, 0, 0, 0, 0,
             std::make_shared<const Evaluation>(evaluate(plan, cancelled_))});
    const Verdict verdict = validation.verdicts->wait(cancelled_);
    if (verdict.keeps) best_ = plan.state;
    stops_ = verdict.stops;
    return verdict.monitored;
  }

  // A copy of the weights that serve: the average, where there is one.
  std::shared_ptr<const StateDict> serving() const {
    return weights_.copy(plan_.names, average_ ? average_->weights() : std::vector<at::Tensor>());
  }

  bool is_over() const {
    const int64_t done = position_.epoch * steps_ + position_.step;
    return stops_ || (plan_.max_steps > 0 && done >= plan_.max_steps) ||
           (plan_.max_seconds > 0 && clock_.seconds() >= plan_.max_seconds);
  }

  TrainOutcome outcome() {
    TrainOutcome outcome;
    outcome.steps = position_.epoch * steps_ + position_.step;
    outcome.contracted = variants_.contracted;
    if (best_) {
      outcome.state = best_;
    } else if (average_ && average_->count() > 0) {
      outcome.state = finished_average();
    }
    (outcome.state ? outcome.last : outcome.state) = weights_.release(plan_.names);
    outcome.seconds = clock_.seconds();
    return outcome;
  }

  std::shared_ptr<const StateDict> finished_average() {
    if (!average_->needs_statistics()) return serving();
    const Weights weights(variants_.small_batch, *serving(), plan_.device);
    restore(generator_, random_);
    renew_statistics(plan_, variants_, weights, generator_, cancelled_);
    return weights.release(plan_.names);
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
    Snapshot snapshot =
        take_snapshot(position_, weights_, plan_, step_.optimizer().state(), rates_, random_, epoch_random_);
    if (average_) snapshot.average = averaged_model(*serving(), average_->count());
    snapshot.best = best_;
    report_({Event::Type::kSnapshot, position_.epoch, position_.step, 0, 0, 0, nullptr,
             std::make_shared<const Snapshot>(std::move(snapshot))});
    taken_ = true;
  }

  const TrainPlan& plan_;
  const Report& report_;
  const Cancelled& cancelled_;
  Clock clock_;
  at::Generator generator_;
  Variants variants_;
  Weights weights_;
  Rates rates_;
  Step step_;
  std::unique_ptr<Average> average_;       // or null
  std::shared_ptr<const StateDict> best_;  // or null
  Position position_;
  at::Tensor epoch_random_;  // before the current epoch
  Batches batches_;
  at::Tensor random_;  // before the batch that follows the current step
  int64_t steps_;      // in an epoch
  int64_t seen_ = 0;
  bool taken_ = false;  // a snapshot at this position
  bool stops_ = false;  // by the verdict on the last validation
};

}  // namespace

bool is_plain(const TrainPlan& plan) {
  return plan.accumulate == 1 && plan.limits.norm == 0 && plan.limits.value == 0 && plan.average.kind.empty() &&
         !plan.validation && plan.max_steps == 0 && plan.max_seconds == 0;
}

TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled) {
  be_nice(plan.niceness);
  RunScope scope(plan.threads);
  DeviceScope device(plan.device);
  return Training(plan, report, cancelled).run();
}

}  // namespace incremental
