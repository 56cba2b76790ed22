// The training loop. Called by src/napi/jobs.cc on a thread of its own.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/batches/batches.h"
#include "src/core/choice.h"
#include "src/datasets/dataset.h"
#include "src/losses/loss.h"
#include "src/optimizers/parameter_groups.h"
#include "src/program/variants.h"
#include "src/state/state_dict.h"
#include "src/train/report.h"
#include "src/train/snapshot.h"
#include "src/train/step.h"
#include "src/train/validation.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

// The common part of training and evaluating.
struct RunPlan {
  std::shared_ptr<const Program> program;
  std::shared_ptr<const StateDict> state;
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::vector<Transform>> transforms;  // for each input of the data set
  std::vector<int64_t> order;                      // for each input of the program, which of these it is
  std::shared_ptr<const LossPlan> loss;            // of training and evaluating
  std::vector<Choice> sums;                        // of the metrics of evaluating
  size_t output = 0;                               // of the program, to predict
  int64_t batch_size = 0;
  int threads = 1;
  c10::Device device = c10::kCPU;
};

// A validation after every so many epochs; its plan has no state.
struct Validation {
  RunPlan plan;
  int64_t every = 1;
  std::shared_ptr<Verdicts> verdicts;
};

struct TrainPlan : RunPlan {
  std::vector<std::string> names;  // of the returned state, in order
  Numerics numerics;
  int64_t epochs = 0;
  bool shuffle = false;
  bool drop_last = false;
  int64_t workers = 0;  // of the DataLoader whose draws these are
  std::vector<ParameterGroup> groups;
  std::optional<Choice> scheduler;  // of the rates of all groups
  int64_t accumulate = 1;           // batches of a step
  GradientLimits limits;
  Choice average;  // of no kind: none
  std::optional<Validation> validation;
  uint64_t seed = 0;
  int niceness = 0;       // of the threads that compute: see be_nice()
  int64_t log_every = 0;  // 0: never
  // Where the run ends before its epochs do, after a step; 0: nowhere.
  int64_t max_steps = 0;   // with those before it was resumed
  double max_seconds = 0;  // of this run
  Start start;
  // Snapshots every so many steps, counted from the first epoch's first; 0: at the end of every epoch; negative: none
  // at all. Where there are any there is also one at the end, and one when the run is cancelled.
  int64_t snapshot_every = -1;
};

struct TrainOutcome {
  std::shared_ptr<const StateDict> state;  // the best one or the average, where the plan has these
  std::shared_ptr<const StateDict> last;   // as the last step left it, where it is another one
  int64_t steps = 0;                       // with those before it was resumed
  double seconds = 0;
  std::vector<std::string> contracted;  // the weights of chains that were trained as one
  std::string not_captured;             // why steps on a device were not captured as graphs
};

// True where the loop for devices, which asks for many steps at once, can run the plan: nothing happens between steps.
bool is_plain(const TrainPlan& plan);

// The plan's state is read and never changed. Throws ERR_NOT_FINITE when the loss or a weight stops being a number.
TrainOutcome train(const TrainPlan& plan, const Report& report, const Cancelled& cancelled);

}  // namespace incremental
