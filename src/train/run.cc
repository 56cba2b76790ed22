#include "src/train/run.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

#include "src/core/error.h"

namespace incremental {
namespace {

// Nanoseconds; twice what threads get that ask for nothing. More would make OpenMP's threads wait long for one another
// where other programs compute on the same cores: among equals, who asks for longer slices waits longer for the next one.
[[maybe_unused]] constexpr uint64_t kTimeSlice = 3'000'000;

}  // namespace

void yield_to_others() {
#ifdef __linux__
  // As struct sched_attr of sched_setattr(2), for which older C libraries have no declaration. Of this thread alone,
  // and of those that it starts from now on: OpenMP's team, the batches' assembler.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice, deadline, period;
  } attributes{sizeof(attributes), SCHED_OTHER, 0, getpriority(PRIO_PROCESS, 0), 0, kTimeSlice, 0, 0};
  if (sched_getscheduler(0) == SCHED_OTHER) syscall(SYS_sched_setattr, 0, &attributes, 0);
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
