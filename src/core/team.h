// Checks that OpenMP can make its team. GCC's library ends the whole process where one of its threads cannot be made,
// and libtorch starts a team at its first operation that is large enough.
#pragma once

namespace incremental {

// Throws std::system_error unless the system grants the threads that a team of `threads` on this thread adds to it.
// Makes them once for each thread and size of team, and ends them again: only a limit that stands is found so.
void check_team(int threads);

}  // namespace incremental
