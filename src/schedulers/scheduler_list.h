// Base of the schedulers that hold others, which all move the same groups.
#pragma once
#include <memory>
#include <vector>

#include "src/schedulers/scheduler.h"

namespace incremental {

class SchedulerList : public Scheduler {
 public:
  void initial_step() final;
  // PyTorch has no function for it either.
  void restart() final;
  void undo() final;
  SchedulerState state() const override;
  void restore(const SchedulerState& state) override;

 protected:
  // Those of `choice`, begun one after the other.
  SchedulerList(const Choice& choice, Groups& groups);

  std::vector<std::unique_ptr<Scheduler>> schedulers_;

 private:
  bool is_first_of_sequence_ = false;  // PyTorch's then has a _step_count, which stays 0
};

}  // namespace incremental
