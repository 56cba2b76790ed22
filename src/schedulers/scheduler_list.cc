#include "src/schedulers/scheduler_list.h"

#include "src/core/error.h"

namespace incremental {

SchedulerList::SchedulerList(const Choice& choice, Groups& groups) : Scheduler(groups) {
  const std::vector<Choice>& choices = choice.choices("schedulers");
  schedulers_.reserve(choices.size());
  for (const Choice& one : choices) schedulers_.push_back(make_scheduler(one, groups));
}

void SchedulerList::initial_step() {
  is_first_of_sequence_ = true;
  step();
}

void SchedulerList::restart() {
  check(false, "ERR_INVALID_OPTION",
        "A scheduler that holds others can only be the first of sequentialLR(), as in PyTorch");
}

void SchedulerList::undo() {
  for (const auto& scheduler : schedulers_) scheduler->undo();
}

SchedulerState SchedulerList::state() const {
  SchedulerState state{{{"_last_lr", last_rates_}}, {}};
  if (is_first_of_sequence_) state.values["_step_count"] = {0};
  state.schedulers.reserve(schedulers_.size());
  for (const auto& scheduler : schedulers_) state.schedulers.push_back(scheduler->state());
  return state;
}

void SchedulerList::restore(const SchedulerState& state) {
  take(state, "_last_lr", last_rates_);
  check(state.schedulers.size() == schedulers_.size(), "ERR_STATE_MISMATCH", "Expected the states of ",
        schedulers_.size(), " schedulers but found ", state.schedulers.size());
  for (size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i]->restore(state.schedulers[i]);
}

}  // namespace incremental
