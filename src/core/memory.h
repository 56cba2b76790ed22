// Memory for tensors while a job runs. With glibc's malloc every activation of a few megabytes is unmapped when freed
// and faulted in again at the next step, which costs more than a third of a step. Blocks are kept instead and used
// again.
#pragma once
#include <cstddef>

namespace incremental {

// Makes libtorch take memory for tensors from here, unless something else installed an allocator before. Large blocks
// come straight from the system and go back to it when they are freed. Once for a process; called when the addon loads.
void install_allocator();

// While at least one lease lives, freed blocks are kept for reuse; with the last lease all of them go back, and with
// others now and then those that nobody has used since.
class MemoryLease {
 public:
  MemoryLease();
  ~MemoryLease();
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;
};

// Makes the pages of fresh memory now, in one call of the system instead of one fault for each 4 KiB: reading a file
// into them then takes a third less time. Only a wish.
void populate(void* memory, size_t bytes);

}  // namespace incremental
