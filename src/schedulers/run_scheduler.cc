#include "src/schedulers/run_scheduler.h"

#include <limits>
#include <utility>

namespace incremental {

RunScheduler::RunScheduler(const std::optional<Choice>& choice, Groups groups) : groups_(std::move(groups)) {
  if (!choice) return;
  by_step_ = choice->word("every") == "step";
  scheduler_ = make_scheduler(*choice, groups_);
}

void RunScheduler::restore(const SchedulerState& state, Groups groups) {
  groups_ = std::move(groups);
  if (scheduler_) scheduler_->restore(state);
}

bool RunScheduler::after_step() {
  if (!scheduler_ || !by_step_) return false;
  scheduler_->step();
  return true;
}

bool RunScheduler::after_epoch(std::optional<double> monitored) {
  if (!scheduler_ || by_step_) return false;
  scheduler_->step_after_epoch(monitored);
  return true;
}

SchedulerState RunScheduler::state() const { return scheduler_ ? scheduler_->state() : SchedulerState{}; }

ScheduledRates scheduled_rates(const RatesPlan& plan) {
  RunScheduler scheduler(plan.scheduler, plan.groups);
  if (plan.start) scheduler.restore(*plan.start, plan.groups);
  ScheduledRates rates;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  int64_t step = plan.step;
  for (int64_t epoch = plan.epoch; epoch < plan.epochs; ++epoch) {
    for (; step < plan.steps; ++step) {
      for (const GroupRates& group : scheduler.rates()) {
        rates.learning_rates.push_back(group.learning_rate);
        rates.momentums.push_back(group.momentum.value_or(kNone));
        rates.betas.push_back(group.beta1.value_or(kNone));
      }
      scheduler.after_step();
    }
    step = 0;
    const auto at = static_cast<size_t>(epoch);
    scheduler.after_epoch(at < plan.monitored.size() ? std::optional(plan.monitored[at]) : std::nullopt);
  }
  rates.groups = scheduler.rates();
  rates.state = scheduler.state();
  return rates;
}

}  // namespace incremental
