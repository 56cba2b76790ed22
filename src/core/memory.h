// Memory for tensors while a job runs. With glibc's malloc every activation of a few megabytes is unmapped when freed
// and faulted in again at the next step, which costs more than a third of a step. Blocks are kept instead and used
// again.
#pragma once

namespace incremental {

// While at least one lease lives, freed blocks of tensors are kept for reuse; with the last lease all of them go back
// to the system. The first lease installs the allocator in libtorch (unless something else installed its own).
class MemoryLease {
 public:
  MemoryLease();
  ~MemoryLease();
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;
};

}  // namespace incremental
