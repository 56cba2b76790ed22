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

// Lets threads that wake up for a moment (JavaScript's, a prediction's) run before the calling one, which computes for
// hours: on as many cores as there are threads computing, a prediction would otherwise wait for the end of a time slice
// at each of its steps. The thread asks for longer slices, which Linux 6.12 and later interrupt for threads with shorter
// ones; its share of the processor stays the same. Elsewhere this does nothing.
void yield_to_others();

// Throws ERR_SHAPE unless `logits` is [sample, class] with room for every label of `dataset`.
void check_logits(const at::Tensor& logits, int64_t samples, const Dataset& dataset);

}  // namespace incremental
