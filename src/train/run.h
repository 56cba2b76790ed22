// What every run over a data set needs: its threads, its memory, and a check that model and labels fit.
#pragma once
#include "src/core/libtorch.h"
#include "src/core/memory.h"
#include "src/data/dataset.h"

namespace incremental {

// Lives on the stack of the job's thread while it computes.
class RunScope {
 public:
  // The thread count is this thread's own: other jobs in the process keep theirs.
  explicit RunScope(int threads);

 private:
  MemoryLease memory_;
};

// Whether nothing is left for one more thread that computes.
bool takes_every_core(int threads);

// Throws ERR_SHAPE unless `logits` is [sample, class] with room for every label of `dataset`.
void check_logits(const at::Tensor& logits, int64_t samples, const Dataset& dataset);

}  // namespace incremental
