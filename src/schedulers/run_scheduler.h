// The scheduler of a run and the rates of its parameter groups, which it moves after steps or after epochs.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "src/schedulers/scheduler.h"

namespace incremental {

class RunScheduler {
 public:
  // `groups`: as the optimizer begins with them. Where there is no scheduler they stay so.
  RunScheduler(const std::optional<Choice>& choice, Groups groups);

  // Continues from a state, with the groups as they were then.
  void restore(const SchedulerState& state, Groups groups);

  // Each returns whether the rates may have changed. `monitored`: what the validation after this epoch gave.
  bool after_step();
  bool after_epoch(std::optional<double> monitored);

  bool is_by_step() const { return by_step_; }
  const Groups& rates() const { return groups_; }
  SchedulerState state() const;

 private:
  Groups groups_;
  bool by_step_ = false;
  std::unique_ptr<Scheduler> scheduler_;  // moves groups_; nullptr: nothing does
};

// What a scheduler makes of a training of which only the numbers of steps are known.
struct RatesPlan {
  std::optional<Choice> scheduler;
  Groups groups;
  int64_t epochs = 0, steps = 0;  // steps of each epoch
  std::vector<double> monitored;  // after each epoch; later epochs have no number
  // Where to begin, with the state and the groups that led there.
  int64_t epoch = 0, step = 0;
  std::optional<SchedulerState> start;
};

struct ScheduledRates {
  std::vector<double> learning_rates, momentums, betas;  // [step, group]; NaN where a group has none
  Groups groups;                                         // at the end, as is the state
  SchedulerState state;
};

// Throws ERR_INVALID_OPTION where a scheduler does not go so far.
ScheduledRates scheduled_rates(const RatesPlan& plan);

}  // namespace incremental
