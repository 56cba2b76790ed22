// Files by descriptor, with the system's own words when something goes wrong. For src/checkpoint/.
#pragma once
#include <cstdint>
#include <string>

namespace incremental {

// Owns a descriptor.
class File {
 public:
  // The regular file that `descriptor` is open for, by a descriptor of its own: the given one may be closed at any
  // time. `path` is for messages; what has that name by now may be another file.
  static File duplicate(std::string path, int descriptor);
  // A new file; one that exists already is an error. The umask is taken from `mode`.
  static File create(std::string path, uint32_t mode);

  ~File();
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const;
  // All of `bytes`, or an error.
  void read(int64_t offset, void* to, int64_t bytes) const;
  void append(const void* from, int64_t bytes);
  // On the disk, not only in the system's memory.
  void sync();

 private:
  File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
};

}  // namespace incremental
