#include "src/checkpoint/read.h"

#include <c10/core/CPUAllocator.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "src/core/crc32.h"
#include "src/core/error.h"

namespace incremental {
namespace {

constexpr const char* kFormat = "ERR_STATE_FORMAT";
constexpr int64_t kLocalHeaderBytes = 30;
constexpr int64_t kChunkBytes = 4 << 20;  // read and checked while it is in the cache

class File {
 public:
  explicit File(const ReadPlan& plan) : path_(plan.path) {
    // Non-blocking, so that a FIFO that took the file's place does not hang.
    descriptor_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    check(descriptor_ >= 0, "ERR_FILE", "Cannot open ", path_, ": ", std::strerror(errno));
    struct stat status;
    const bool same = fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == plan.file_bytes;
    if (same) return;
    close(descriptor_);
    throw Error("ERR_FILE", path_ + " changed while it was read");
  }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void read(void* to, int64_t bytes, int64_t offset) const {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t count = pread(descriptor_, at, bytes, offset);
      if (count < 0 && errno == EINTR) continue;
      check(count >= 0, "ERR_FILE", "Cannot read ", path_, ": ", std::strerror(errno));
      check(count > 0, kFormat, path_, " ends at byte ", offset, ", before what it should hold");
      at += count;
      bytes -= count;
      offset += count;
    }
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_;
};

// Where a record's bytes begin: behind its local header, which must name the same record.
int64_t data_offset(const File& file, const StoragePlan& storage, int64_t file_bytes) {
  check(storage.header >= 0 && storage.bytes >= 0 && storage.limit <= file_bytes && storage.header < storage.limit &&
            storage.bytes <= file_bytes,
        kFormat, file.path(), ": the record ", storage.name, " lies outside the file");
  std::vector<uint8_t> header(kLocalHeaderBytes + storage.name.size());
  file.read(header.data(), static_cast<int64_t>(header.size()), storage.header);
  const auto word = [&](size_t at) { return static_cast<int64_t>(header[at] | header[at + 1] << 8); };
  const bool agrees = std::memcmp(header.data(), "PK\3\4", 4) == 0 && word(8) == 0 &&
                      word(26) == static_cast<int64_t>(storage.name.size()) &&
                      std::memcmp(header.data() + kLocalHeaderBytes, storage.name.data(), storage.name.size()) == 0;
  const int64_t start = storage.header + static_cast<int64_t>(header.size()) + word(28);
  check(agrees && start + storage.bytes <= storage.limit, kFormat, file.path(), ": the header of ", storage.name,
        " disagrees with the zip directory");
  return start;
}

at::Storage read_storage(const File& file, const StoragePlan& plan, int64_t file_bytes) {
  const int64_t start = data_offset(file, plan, file_bytes);
  // An allocation of the file's own size at most: a file cannot claim more than it holds.
  at::Storage storage(at::Storage::use_byte_size_t(), plan.bytes, c10::GetCPUAllocator()->allocate(plan.bytes),
                      c10::GetCPUAllocator(), /*resizable=*/false);
  auto* data = static_cast<char*>(storage.mutable_data());
  uint32_t crc = 0;
  for (int64_t done = 0; done < plan.bytes; done += kChunkBytes) {
    const int64_t bytes = std::min(kChunkBytes, plan.bytes - done);
    file.read(data + done, bytes, start + done);
    if (plan.crc != 0) crc = crc32(crc, data + done, bytes);
  }
  check(crc == plan.crc, kFormat, file.path(), ": ", plan.name, " is damaged: its checksum is wrong");
  return storage;
}

// Whether all elements lie in the storage, without overflow on the way.
bool fits(const TensorPlan& plan, int64_t storage_bytes, int64_t item_bytes) {
  if (plan.offset < 0 || plan.shape.size() != plan.stride.size() || plan.shape.size() > 64) return false;
  const int64_t capacity = storage_bytes / item_bytes;
  int64_t last = plan.offset, elements = 1;
  for (size_t axis = 0; axis < plan.shape.size(); ++axis) {
    const int64_t length = plan.shape[axis], stride = plan.stride[axis];
    if (length < 0 || stride < 0 || __builtin_mul_overflow(elements, std::max<int64_t>(length, 1), &elements))
      return false;
    int64_t reach;
    if (length == 0) continue;
    if (__builtin_mul_overflow(length - 1, stride, &reach) || __builtin_add_overflow(last, reach, &last)) return false;
  }
  const bool empty = std::find(plan.shape.begin(), plan.shape.end(), 0) != plan.shape.end();
  return empty ? plan.offset <= capacity : last < capacity;
}

void swap_bytes(at::Storage& storage, at::ScalarType dtype) {
  const size_t parts = c10::isComplexType(dtype) ? 2 : 1;
  const size_t size = c10::elementSize(dtype) / parts;
  auto* data = static_cast<char*>(storage.mutable_data());
  for (size_t at = 0; at + size <= storage.nbytes(); at += size) std::reverse(data + at, data + at + size);
}

}  // namespace

std::shared_ptr<const StateDict> read_state(const ReadPlan& plan) {
  const File file(plan);
  std::vector<at::Storage> storages;
  for (const StoragePlan& storage : plan.storages) storages.push_back(read_storage(file, storage, plan.file_bytes));

  std::vector<bool> swapped(storages.size(), !plan.big_endian);
  auto state = std::make_shared<StateDict>();
  for (const TensorPlan& wanted : plan.tensors) {
    check(wanted.storage < storages.size(), kFormat, file.path(), ": \"", wanted.name, "\" has no storage");
    at::Storage& storage = storages[wanted.storage];
    const auto item_bytes = static_cast<int64_t>(c10::elementSize(wanted.dtype));
    check(fits(wanted, static_cast<int64_t>(storage.nbytes()), item_bytes), kFormat, file.path(), ": \"", wanted.name,
          "\" of shape ", at::IntArrayRef(wanted.shape), " reaches outside its storage of ", storage.nbytes(),
          " bytes");
    if (!swapped[wanted.storage]) {
      swap_bytes(storage, wanted.dtype);
      swapped[wanted.storage] = true;
    }
    at::Tensor tensor = at::empty({0}, wanted.dtype);
    tensor.set_(storage, wanted.offset, wanted.shape, wanted.stride);
    state->push_back({wanted.name, std::move(tensor)});
  }
  return state;
}

}  // namespace incremental
