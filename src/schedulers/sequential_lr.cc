#include <algorithm>
#include <memory>
#include <vector>

#include "src/core/error.h"
#include "src/schedulers/members.h"
#include "src/schedulers/scheduler_list.h"

namespace incremental {
namespace {

// SequentialLR of torch/optim/lr_scheduler.py.
class SequentialLR : public SchedulerList {
 public:
  SequentialLR(const Choice& choice, Groups& groups)
      : SchedulerList(choice, groups), milestones_(choice.numbers("milestones", schedulers_.size() - 1)) {}

  // Its schedulers began one after the other, and each has changed the rates: only the first is to have done so.
  void begin() override {
    for (GroupRates& group : groups_) group.learning_rate = group.get("initial_lr");
    undo();
    const size_t first = index_of(0);
    schedulers_[first]->initial_step();
    last_rates_ = schedulers_[first]->last_rates();
  }

  void step() override {
    ++last_epoch_;
    const size_t index = index_of(last_epoch_);
    if (index > 0 && milestones_[index - 1] == static_cast<double>(last_epoch_)) {
      schedulers_[index]->restart();
    } else {
      schedulers_[index]->step();
    }
    last_rates_ = schedulers_[index]->last_rates();
  }

  SchedulerState state() const override {
    SchedulerState state = SchedulerList::state();
    state.values["last_epoch"] = {static_cast<double>(last_epoch_)};
    return state;
  }

  void restore(const SchedulerState& state) override {
    SchedulerList::restore(state);
    take(state, "last_epoch", last_epoch_);
  }

 private:
  size_t index_of(int64_t epoch) const {
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), static_cast<double>(epoch));
    return static_cast<size_t>(next - milestones_.begin());
  }

  std::vector<double> milestones_;
  int64_t last_epoch_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_sequential_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<SequentialLR>(choice, groups);
}

}  // namespace incremental
