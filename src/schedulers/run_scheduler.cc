#include "src/schedulers/run_scheduler.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "src/core/error.h"

namespace incremental {

RunScheduler::RunScheduler(const std::optional<Choice>& choice, Groups groups) : groups_(std::move(groups)) {
  if (!choice) return;
  by_step_ = choice->word("every") == "step";
  scheduler_ = make_scheduler(*choice, groups_);
}

void RunScheduler::restore(const SchedulerState& state, Groups groups) {
  check(groups.size() == groups_.size(), "ERR_STATE_MISMATCH", "Expected the rates of ", groups_.size(),
        " parameter groups but received those of ", groups.size());
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

namespace {

constexpr int64_t kMost = int64_t{1} << 26;  // steps of a plan: its rates are in memory

}  // namespace

ScheduledRates scheduled_rates(const RatesPlan& plan) {
  RunScheduler scheduler(plan.scheduler, plan.groups);
  if (plan.start) scheduler.restore(*plan.start, plan.groups);
  ScheduledRates rates;
  const auto fits = [](int64_t number) { return number >= 0 && number < kMost; };
  check(fits(plan.epochs) && fits(plan.steps) && fits(plan.epoch) && fits(plan.step) && fits(plan.epochs * plan.steps),
        "ERR_INVALID_OPTION", "Expected fewer than ", kMost, " steps of a plan");
  const int64_t left = plan.epochs * plan.steps - plan.epoch * plan.steps - plan.step;
  const size_t count = static_cast<size_t>(std::max<int64_t>(left, 0)) * plan.groups.size();
  for (auto* list : {&rates.learning_rates, &rates.momentums, &rates.betas}) list->reserve(count);
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
