// Writes states as torch.save writes it. Atomic replacement of an older file is the caller's (lib/checkpoint/).
#pragma once
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"

namespace incremental {

struct WritePlan {
  std::string path;               // must not exist yet
  uint32_t mode;                  // permissions, before the umask
  std::string archive;            // top folder inside the zip
  std::string pickle;             // data.pkl, which names the storages "0", "1", …
  std::vector<int64_t> storages;  // which of storages_of() they are, in that order
};

// Returns when everything is on the disk.
void write_states(const States& states, const WritePlan& plan);

}  // namespace incremental
