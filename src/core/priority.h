// Scheduling of the calling thread, and of those that it starts from now on (OpenMP's team), where there are more
// threads than cores. On Linux; elsewhere these do nothing.
#pragma once

namespace incremental {

// For threads that compute for a moment while a caller waits: time slices of 0.1 ms instead of some ms. A thread with
// short slices that wakes up runs before threads with longer ones at once (since Linux 6.12), not at the end of their
// slices. Its share of the processor stays the same.
void take_short_slices();

// For threads that may wait: `nice` as in nice(1), 0 to 19. Never above the process's own priority.
void be_nice(int nice);

}  // namespace incremental
