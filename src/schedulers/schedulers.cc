#include <map>
#include <string>

#include "src/core/error.h"
#include "src/schedulers/members.h"

namespace incremental {
namespace {

// The one list of schedulers.
const std::map<std::string, MakeScheduler*> kSchedulers = {
    {"stepLR", make_step_lr},
    {"multiStepLR", make_multi_step_lr},
    {"constantLR", make_constant_lr},
    {"linearLR", make_linear_lr},
    {"exponentialLR", make_exponential_lr},
    {"polynomialLR", make_polynomial_lr},
    {"cosineAnnealingLR", make_cosine_annealing_lr},
    {"cosineAnnealingWarmRestarts", make_cosine_annealing_warm_restarts},
    {"cyclicLR", make_cyclic_lr},
    {"oneCycleLR", make_one_cycle_lr},
    {"reduceLROnPlateau", make_reduce_lr_on_plateau},
    {"sequentialLR", make_sequential_lr},
    {"chainedScheduler", make_chained_scheduler},
};

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(const Choice& choice, Groups& groups) {
  const auto found = kSchedulers.find(choice.kind);
  check(found != kSchedulers.end(), "ERR_INVALID_OPTION", "The addon has no scheduler of the kind \"", choice.kind,
        "\"");
  auto scheduler = found->second(choice, groups);
  scheduler->begin();
  return scheduler;
}

}  // namespace incremental
