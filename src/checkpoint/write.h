// Writes states as torch.save, torch.export.save and the safetensors library write them. Atomic replacement of an older
// file is the caller's (lib/checkpoint/).
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "src/state/state_dict.h"

namespace incremental {

// A record of a zip file: its bytes, or which of storages_of() it is.
struct Record {
  std::string name;
  std::variant<std::string, int64_t> content;
};

struct WritePlan {
  std::string path;     // must not exist yet
  uint32_t mode;        // permissions, before the umask
  std::string archive;  // top folder inside the zip
  std::vector<Record> records;
};

// Tensors of one state after a header, each contiguous and little-endian.
struct WriteTensorsPlan {
  std::string path;  // must not exist yet
  uint32_t mode;     // permissions, before the umask
  std::string header;
  std::vector<int64_t> tensors;  // indices into the state, in the order of the file
};

// Both return when everything is on the disk.
void write_states(const States& states, const WritePlan& plan);
void write_tensors(const StateDict& state, const WriteTensorsPlan& plan);

}  // namespace incremental
