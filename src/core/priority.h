// How the calling thread, and those that it starts from now on (OpenMP's team), shares the processor's cores with
// others where there are more threads than cores. On Linux; elsewhere these do nothing.
#pragma once

namespace incremental {

// For threads that compute for a moment while somebody waits: time slices of 0.1 ms instead of some ms. Who wakes up
// runs at once before threads with longer ones (since Linux 6.12) instead of at the end of theirs. The share stays the
// same.
void take_short_slices();

// For threads that may wait: `nice` as in nice(1), 0 to 19. Never above the process's own priority.
void be_nice(int nice);

}  // namespace incremental
