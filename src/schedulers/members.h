// The schedulers, each whole in the file of its name; schedulers.cc has the list.
#pragma once
#include <memory>

#include "src/schedulers/scheduler.h"

namespace incremental {

using MakeScheduler = std::unique_ptr<Scheduler>(const Choice& choice, Groups& groups);

MakeScheduler make_chained_scheduler;
MakeScheduler make_constant_lr;
MakeScheduler make_cosine_annealing_lr;
MakeScheduler make_cosine_annealing_warm_restarts;
MakeScheduler make_cyclic_lr;
MakeScheduler make_exponential_lr;
MakeScheduler make_linear_lr;
MakeScheduler make_multi_step_lr;
MakeScheduler make_one_cycle_lr;
MakeScheduler make_polynomial_lr;
MakeScheduler make_reduce_lr_on_plateau;
MakeScheduler make_sequential_lr;
MakeScheduler make_step_lr;

}  // namespace incremental
