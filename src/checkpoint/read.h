// Fills a state from a file, by the plan that the parsers of lib/checkpoint/ made of it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/core/file.h"
#include "src/state/state_dict.h"

namespace incremental {

struct StoredStorage {
  int64_t offset;
  int64_t bytes;
  bool big_endian;
  std::optional<uint32_t> crc32;
  std::optional<std::string> unpacked;  // the bytes, where they are compressed in the file
};

struct StoredTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> stride;  // in elements, as is `offset`
  int64_t offset;
  int64_t storage;
};

struct ReadPlan {
  std::string path;
  std::shared_ptr<const File> file;
  int64_t file_bytes;
  std::vector<StoredStorage> storages;
  std::vector<std::vector<StoredTensor>> parts;  // each becomes a state; they may share storages
};

// Trusts nothing of the plan: every extent is checked against the file, and every tensor against its storage, before
// the first byte is allocated. One state for each part.
std::vector<StateDict> read_states(const ReadPlan& plan);

}  // namespace incremental
