#include <memory>

#include "src/schedulers/members.h"
#include "src/schedulers/scheduler_list.h"

namespace incremental {
namespace {

// ChainedScheduler of torch/optim/lr_scheduler.py.
class ChainedScheduler : public SchedulerList {
 public:
  ChainedScheduler(const Choice& choice, Groups& groups) : SchedulerList(choice, groups) {}

  void begin() override { last_rates_ = rates(); }

  void step() override {
    for (const auto& scheduler : schedulers_) scheduler->step();
    last_rates_ = rates();
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_chained_scheduler(const Choice& choice, Groups& groups) {
  return std::make_unique<ChainedScheduler>(choice, groups);
}

}  // namespace incremental
