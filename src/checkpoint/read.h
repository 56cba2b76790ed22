// Fills a state dict from a zip-form checkpoint, following a plan that lib/checkpoint/ made of the file's directory and
// pickle. Nothing in the plan is trusted: offsets, sizes and strides are compared with the file and with each other.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"

namespace incremental {

struct StoragePlan {
  std::string name;  // of the zip record, with its top folder
  int64_t header;    // where its local header begins
  int64_t bytes;
  uint32_t crc;   // 0: none was computed
  int64_t limit;  // where the next record begins
};

struct TensorPlan {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape, stride;
  int64_t offset;  // elements
  size_t storage;  // index
};

struct ReadPlan {
  std::string path;
  int64_t file_bytes;
  bool big_endian;
  std::vector<StoragePlan> storages;
  std::vector<TensorPlan> tensors;
};

// Throws ERR_FILE where the file cannot be read, ERR_STATE_FORMAT where it is not what the plan says.
std::shared_ptr<const StateDict> read_state(const ReadPlan& plan);

}  // namespace incremental
