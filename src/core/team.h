// Teams of OpenMP threads. GCC's library ends the whole process where one of its threads cannot be made,
// and libtorch starts a team at its first operation that is large enough.
#pragma once

namespace incremental {

// Throws std::system_error unless the system grants the threads that a team of `threads` on this thread adds to it.
// Makes them once for each thread and size of team, and ends them again: only a lasting limit is found so.
void check_team(int threads);

// Ends the OpenMP team of this thread, which begins again where it is next needed: call check_team() before. GCC's
// library lets threads wait awake only while no more of them exist in the process than there are cores; one idle team
// too many, and every operation of every other team begins and ends in the system. Does nothing with other libraries,
// whose threads serve the whole process.
void release_team();

// Counts a thread that computes with a team, or may soon.
class TeamUser {
 public:
  TeamUser();
  ~TeamUser();
  TeamUser(const TeamUser&) = delete;
  TeamUser& operator=(const TeamUser&) = delete;

  static bool is_alone();
};

}  // namespace incremental
