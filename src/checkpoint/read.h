// Fills a state from a file, by the plan that the parsers of lib/checkpoint/ made of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"

namespace incremental {

struct StoredStorage {
  int64_t offset;
  int64_t bytes;
  bool big_endian;
  uint32_t crc32;  // 0: none was recorded
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
  int64_t file_bytes;
  std::vector<StoredStorage> storages;
  std::vector<StoredTensor> tensors;
};

// Trusts nothing of the plan: every extent is checked against the file, and every tensor against its storage, before
// the first byte is allocated.
StateDict read_state(const ReadPlan& plan);

}  // namespace incremental
