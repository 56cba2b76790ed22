// Writes a state as torch.save writes it. Atomic replacement of an older file is the caller's (lib/checkpoint/).
#pragma once
#include <string>

#include "src/checkpoint/state_dict.h"

namespace incremental {

struct WritePlan {
  std::string path;     // must not exist yet
  uint32_t mode;        // permissions, before the umask
  std::string archive;  // top folder inside the zip
  std::string pickle;   // data.pkl, which names the storages "0", "1", … in the order of storages_of()
};

// Returns when everything is on the disk.
void write_state(const StateDict& state, const WritePlan& plan);

}  // namespace incremental
