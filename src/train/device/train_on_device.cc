#include "src/train/device/train_on_device.h"

#include <algorithm>
#include <utility>

#include "src/core/priority.h"
#include "src/train/device/device_steps.h"
#include "src/train/progress.h"
#include "src/train/run.h"
#include "src/train/weights.h"

namespace incremental {
namespace {

// To report a step its loss must come from the device, which waits for it.
constexpr double kStepEventSeconds = 0.1;

BatchOptions batch_options(const TrainPlan& plan) {
  const Position& begin = plan.start.position;
  BatchOptions options{plan.batch_size, plan.epochs, plan.shuffle, plan.drop_last, begin.epoch, begin.step};
  options.workers = plan.workers;
  return options;
}

// As the first epoch finds it. Within an epoch it is where that began, and DeviceBatches gets the other state too.
at::Generator begin_generator(const TrainPlan& plan) {
  at::Generator generator = at::detail::createCPUGenerator(plan.seed);
  // In any case, so that an invalid state is refused here.
  restore(generator, plan.start.random);
  if (plan.start.position.step == 0 && plan.start.random.defined()) return generator;
  generator = at::detail::createCPUGenerator(plan.seed);
  restore(generator, plan.start.epoch_random);
  return generator;
}

class Training {
 public:
  Training(const TrainPlan& plan, const Report& report, const Cancelled& cancelled)
      : plan_(plan),
        report_(report),
        cancelled_(cancelled),
        variants_(variants_for(*plan.program, *plan.state, pipeline_of(plan).outputs(), plan.numerics, plan.device)),
        weights_(variants_.small_batch, *plan.state, plan.device),
        generator_(begin_generator(plan)),
        batches_(plan.dataset, pipeline_of(plan), batch_options(plan), generator_, plan.device,
                 plan.start.position.step > 0 ? plan.start.random : at::Tensor()),
        steps_(plan, variants_, trainable(plan, weights_), batches_),
        per_epoch_(batches_.per_epoch()),
        position_(plan.start.position) {
    check_batches(plan, pipeline_of(plan).outputs());
  }

  TrainOutcome run() {
    at::Tensor random = generator_state();
    while (position_.epoch < plan_.epochs) {
      run_epoch();
      report_({Event::Type::kEpoch, position_.epoch + 1, per_epoch_,
               position_.loss_sum / static_cast<double>(position_.samples), position_.seconds, position_.samples,
               nullptr, nullptr, steps_.rates().learning_rates()});
      steps_.end_epoch();
      check_finite(weights_, *plan_.state);
      random = batches_.random_before(per_epoch_);
      position_ = {position_.epoch + 1};
      if (is_due()) snapshot(random, random);
    }
    check_finite(weights_, *plan_.state);
    snapshot(random, random);
    return {weights_.release(plan_.names), nullptr,
            position_.epoch * per_epoch_,  clock_.seconds(),
            variants_.contracted,          steps_.not_captured()};
  }

 private:
  static const Weights& trainable(const TrainPlan& plan, const Weights& weights) {
    ParameterGroups::require_grad(plan.groups, weights.parameters());
    return weights;
  }

  void run_epoch() {
    const Clock epoch_clock;
    const double seconds_before = position_.seconds;
    int64_t asked = position_.step;
    steps_.begin_epoch(asked);
    while (asked < per_epoch_) {
      if (cancelled_) {
        settle(asked);
        position_.seconds = seconds_before + epoch_clock.seconds();
        snapshot_within();
        stop_if(cancelled_);
      }
      asked += steps_.run(asked, until_something(asked));
      const bool log = plan_.log_every > 0 && asked % plan_.log_every == 0;
      const bool due = plan_.snapshot_every > 0 && (position_.epoch * per_epoch_ + asked) % plan_.snapshot_every == 0;
      const bool reports = log || clock_.seconds() - reported_ > kStepEventSeconds;
      if (!reports && !due && asked < per_epoch_) continue;
      const double loss = settle(asked);
      position_.seconds = seconds_before + epoch_clock.seconds();
      if (reports) {
        reported_ = clock_.seconds();
        report_({log ? Event::Type::kLog : Event::Type::kStep, position_.epoch + 1, asked, loss, reported_, seen_,
                 nullptr, nullptr, steps_.rates().learning_rates()});
      }
      // The last step of an epoch is reported as the beginning of the next one, by run().
      if (due && asked < per_epoch_) snapshot_within();
    }
  }

  // Steps from `step` on that nothing has to be done between.
  int64_t until_something(int64_t step) const {
    int64_t count = per_epoch_ - step;
    if (plan_.log_every > 0) count = std::min(count, plan_.log_every - step % plan_.log_every);
    const int64_t every = plan_.snapshot_every;
    if (every > 0) count = std::min(count, every - (position_.epoch * per_epoch_ + step) % every);
    return count;
  }

  // Waits for all steps before `asked`, and counts them. Returns the last one's loss.
  double settle(int64_t asked) {
    double last = 0;
    if (asked == position_.step) return last;
    for (const double loss : steps_.losses(position_.step, asked)) {
      const int64_t samples = batches_.batch_size(position_.step);
      check_finite(loss, position_.epoch, ++position_.step);
      position_.loss_sum += steps_.loss().total(loss, static_cast<double>(samples));
      position_.samples += samples;
      seen_ += samples;
      last = loss;
    }
    taken_ = false;
    return last;
  }

  bool is_due() const {
    return plan_.snapshot_every > 0 ? position_.epoch * per_epoch_ % plan_.snapshot_every == 0 : true;
  }

  void snapshot_within() { snapshot(batches_.random_before(position_.step), batches_.epoch_random()); }

  void snapshot(const at::Tensor& random, const at::Tensor& epoch_random) {
    if (plan_.snapshot_every < 0 || taken_) return;
    report_({Event::Type::kSnapshot, position_.epoch, position_.step, 0, 0, 0, nullptr,
             std::make_shared<const Snapshot>(take_snapshot(position_, weights_, plan_, steps_.optimizer_state(),
                                                            steps_.rates(), random, epoch_random))});
    taken_ = true;
  }

  // Where there is nothing to train any more, the one the run began with.
  at::Tensor generator_state() const {
    if (plan_.start.random.defined()) return plan_.start.random;
    return plan_.start.position.epoch < plan_.epochs ? at::Tensor() : generator_.get_state();
  }

  const TrainPlan& plan_;
  const Report& report_;
  const Cancelled& cancelled_;
  Clock clock_;
  Variants variants_;
  Weights weights_;
  at::Generator generator_;
  DeviceBatches batches_;
  DeviceSteps steps_;
  const int64_t per_epoch_;
  Position position_;  // up to where losses are known
  int64_t seen_ = 0;
  double reported_ = 0;  // when a step was last reported
  bool taken_ = false;   // a snapshot at this very position
};

}  // namespace

TrainOutcome train_on_device(const TrainPlan& plan, const Report& report, const Cancelled& cancelled) {
  be_nice(plan.niceness);
  RunScope scope(plan.threads);
  DeviceScope device(plan.device);
  return Training(plan, report, cancelled).run();
}

}  // namespace incremental
