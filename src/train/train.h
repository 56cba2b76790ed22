// The training loop. Called by src/napi/jobs.cc on a thread of its own.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/batches/batches.h"
#include "src/core/choice.h"
#include "src/datasets/dataset.h"
#include "src/optimizers/parameter_groups.h"
#include "src/program/variants.h"
#include "src/state/state_dict.h"
#include "src/train/report.h"
#include "src/train/snapshot.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

// The common part of training and evaluating.
struct RunPlan {
  std::shared_ptr<const Program> program;
  std::shared_ptr<const StateDict> state;
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::vector<Transform>> transforms;  // for each input of the data set
  std::vector<int64_t> order;                      // for each input of the program, which of these it is
  Choice loss;                                     // of training and evaluating
  int64_t batch_size = 0;
  int threads = 1;
  c10::Device device = c10::kCPU;
};

struct TrainPlan : RunPlan {
  std::vector<std::string> names;  // of the returned state, in order
  Numerics numerics;
  int64_t epochs = 0;
  bool shuffle = false;
  bool drop_last = false;
  std::vector<ParameterGroup> groups;
  uint64_t seed = 0;
  int niceness = 0;       // of the threads that compute: see be_nice()
  int64_t log_every = 0;  // 0: never
  Start start;
  // Snapshots every so many steps, counted from the first epoch's first; 0: at the end of every epoch; negative: none
  // at all. Where there are any there is also one at the end, and one when the run is cancelled.
  int64_t snapshot_every = -1;
};

struct TrainOutcome {
  std::shared_ptr<const StateDict> state;
  double seconds;
  std::vector<std::string> contracted;  // the weights of chains that were trained as one
  std::string not_captured;             // why steps on a device were not captured as graphs
};

// The plan's state is read and never changed. Throws ERR_NOT_FINITE when the loss or a weight stops being a number.
TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled);

}  // namespace incremental
