// Writes the zip files that torch.save and torch.export.save write, byte for byte: stored records whose data starts at
// multiples of 64, as libtorch's PyTorchStreamWriter lays them out. That class cannot be used here: it takes either a
// file name, and then does not report what the disk says, or a function, and then every archive is called "archive".
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "src/core/file.h"

namespace incremental {

class ZipWriter {
 public:
  // Of a record's name with its folder.
  static constexpr size_t kMostNameBytes = 0xFFFF;

  // All records go into the folder `archive`. `file` is to be empty.
  ZipWriter(File& file, const std::string& archive) : file_(file), prefix_(archive + "/") {}

  void add(const std::string& name, const void* data, int64_t bytes);
  void add(const std::string& name, const std::string& data) {
    add(name, data.data(), static_cast<int64_t>(data.size()));
  }

  // Adds the record that identifies all others, and the directory. Nothing can be added afterwards.
  void finish();

 private:
  struct Entry {
    std::string name;
    uint64_t offset;
    uint64_t bytes;
    uint32_t crc;
  };

  void append(const std::string& bytes);
  std::string serialization_id() const;

  File& file_;
  std::string prefix_;
  std::vector<Entry> entries_;
  uint64_t position_ = 0;
};

}  // namespace incremental
