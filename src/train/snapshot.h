// The position of a training run between two steps, and all that resuming from there takes. Made by train.cc; lib/
// writes it to a file and gives it back as a plan's start.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/optimizers/optimizer.h"
#include "src/schedulers/scheduler.h"
#include "src/state/state_dict.h"

namespace incremental {

// Whole epochs done, and the results of the current epoch so far.
struct Position {
  int64_t epoch = 0;
  int64_t step = 0;  // within the current epoch: below the epoch's number of steps
  double loss_sum = 0;
  int64_t samples = 0;
  double seconds = 0;
};

struct Snapshot {
  Position position;
  std::shared_ptr<const StateDict> model;
  // The generator as torch.get_rng_state() has it, under the names `random` (just before the next batch is drawn) and
  // `epoch` (before the first one of the current epoch was); then the optimizer's slots, each under its
  // parameter's number and its own name, such as "0.exp_avg", as in its state_dict().
  std::shared_ptr<const StateDict> rest;
  // The average of weights, as AveragedModel has it in its state_dict(); and the weights that were validated best. Null
  // where there are none.
  std::shared_ptr<const StateDict> average, best;
  Groups rates;  // of the parameter groups
  SchedulerState scheduler;
};

// The same, as a run begins with it. An undefined tensor is missing.
struct Start {
  Position position;
  at::Tensor random, epoch_random;
  std::vector<Slots> slots;         // for each parameter; or empty
  std::vector<at::Tensor> average;  // for each parameter; or empty
  int64_t averaged = 0;             // weights that this is the average of
  std::shared_ptr<const StateDict> best;
  Groups rates;  // of the parameter groups, where there is a state of a scheduler
  std::optional<SchedulerState> scheduler;
};

}  // namespace incremental
