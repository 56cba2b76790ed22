#include "src/core/priority.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace incremental {

void take_short_slices() {
#ifdef __linux__
  constexpr uint64_t kShortest = 100'000;  // nanoseconds that Linux grants
  // As struct sched_attr of sched_setattr(2), for which older C libraries have no declaration.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice, deadline, period;
  } attributes{sizeof(attributes), SCHED_OTHER, 0, getpriority(PRIO_PROCESS, 0), 0, kShortest, 0, 0};
  if (sched_getscheduler(0) == SCHED_OTHER) syscall(SYS_sched_setattr, 0, &attributes, 0);
#endif
}

void be_nice([[maybe_unused]] int nice) {
#ifdef __linux__
  // There PRIO_PROCESS and 0 mean this thread alone, against POSIX.
  if (nice > getpriority(PRIO_PROCESS, 0)) setpriority(PRIO_PROCESS, 0, nice);
#endif
}

}  // namespace incremental
