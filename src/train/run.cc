#include "src/train/run.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

#include <algorithm>

#include "src/core/error.h"

namespace incremental {

void yield_to_others() {
#ifdef __linux__
  // Of this thread alone, and of the threads that it starts from now on: OpenMP's team, the batches' assembler.
  constexpr int kLower = 10, kLowest = 19;
  setpriority(PRIO_PROCESS, 0, std::min(getpriority(PRIO_PROCESS, 0) + kLower, kLowest));
#endif
}

RunScope::RunScope(int threads) {
  // A new thread asks for the process-wide count at its first parallel operation, which would replace its own by what
  // another job set meanwhile. Asking first gets that over with (lazy_init_num_threads in ATen/Parallel.h).
  at::get_num_threads();
  at::set_num_threads(threads);
}

void check_logits(const at::Tensor& logits, int64_t samples, const Dataset& dataset) {
  check(logits.dim() == 2 && logits.size(0) == samples, "ERR_SHAPE", "Expected the model to return [", samples,
        ", classes] for a batch of ", samples, " but it returned ", logits.sizes());
  check(logits.size(1) >= dataset.classes, "ERR_SHAPE", "The data set has ", dataset.classes,
        " classes but the model returns ", logits.size(1));
}

}  // namespace incremental
