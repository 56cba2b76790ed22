// Parts of every run over a data set: its threads, its memory, and the samples as its model takes them.
#pragma once
#include <vector>

#include "src/core/libtorch.h"
#include "src/core/memory.h"
#include "src/datasets/dataset.h"
#include "src/optimizers/optimizer.h"
#include "src/program/variants.h"
#include "src/state/state_dict.h"
#include "src/train/train.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

// Lives on the stack of the job's thread while it computes.
class RunScope {
 public:
  // The thread count is this thread's own: other jobs in the process keep theirs. Throws std::system_error where the
  // system does not grant so many.
  explicit RunScope(int threads);

 private:
  MemoryLease memory_;
};

// The variants of `program` for samples of these inputs, as `numerics` say. `state`: the program's tensors, of any
// values. `device`: where it will run.
Variants variants_for(const Program& program, const StateDict& state, const std::vector<InputForm>& inputs,
                      const Numerics& numerics, c10::Device device = c10::kCPU);

// Throws ERR_SHAPE where the sizes alone say that a batch of the run has one value for a statistic of the model's.
void check_batches(const TrainPlan& plan, const std::vector<InputForm>& inputs);

// Makes samples as the program takes them of the data set's, as the plan's transforms say.
SamplePipeline pipeline_of(const RunPlan& plan);

// Whether batches of images are laid out as fast mode's kernels like them. Exported programs may only view what is
// contiguous.
inline bool takes_channels_last(const TrainPlan& plan) { return plan.numerics.fast && plan.program->may_be_rewritten; }

// The kernels of the optimizer.
inline OptimizerKernels kernels_of(const Numerics& numerics) {
  return numerics.fast ? OptimizerKernels::kFast : OptimizerKernels::kExact;
}

// The types that a program takes.
std::vector<at::ScalarType> types_of(const Program& program);

// True where no core is left for one more thread that computes.
bool takes_every_core(int threads);

}  // namespace incremental
