// The rates of a run's parameter groups: moved by its scheduler, and given to its optimizers. Serves both training
// loops.
#pragma once
#include <optional>
#include <vector>

#include "src/optimizers/parameter_groups.h"
#include "src/schedulers/run_scheduler.h"

namespace incremental {

class Rates {
 public:
  // `start`: the state and the groups to continue from.
  Rates(std::vector<ParameterGroup> groups, const std::optional<Choice>& scheduler,
        const std::optional<SchedulerState>& start, const Groups& start_rates);

  // The groups with the rates of now, for making their optimizers.
  std::vector<ParameterGroup> groups() const;

  // After a step of `optimizer`, or after an epoch; `monitored`: what its validation gave. Each returns whether the
  // optimizer has got other rates.
  bool after_step(ParameterGroups& optimizer);
  bool after_epoch(ParameterGroups& optimizer, std::optional<double> monitored);

  bool move_by_step() const { return scheduler_.is_by_step(); }

  // Of the groups, in the last step; before the first, those for it.
  const std::vector<double>& learning_rates() const { return learning_rates_; }
  // What resuming takes of them.
  const Groups& kept() const { return scheduler_.rates(); }
  SchedulerState state() const { return scheduler_.state(); }

 private:
  void note();
  void give_to(ParameterGroups& optimizer) const;

  std::vector<ParameterGroup> groups_;
  RunScheduler scheduler_;
  std::vector<double> learning_rates_;
};

}  // namespace incremental
