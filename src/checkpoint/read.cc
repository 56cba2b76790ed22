#include "src/checkpoint/read.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/core/crc32.h"
#include "src/core/error.h"
#include "src/core/memory.h"
#include "src/core/parallel.h"
#include "src/state/extent.h"

namespace incremental {
namespace {

// Small enough for a core's own cache.
constexpr int64_t kPieceBytes = int64_t{1} << 18;
// What a thread takes at a time: two huge pages.
constexpr int64_t kRunBytes = int64_t{1} << 22;
// A thread is not started for less work than this.
constexpr size_t kRunsForThread = 2;

template <class Visit>
void for_each_tensor(const ReadPlan& plan, const Visit& visit) {
  for (const auto& part : plan.parts) {
    for (const StoredTensor& tensor : part) visit(tensor);
  }
}

void check_plan(const ReadPlan& plan) {
  int64_t total = 0;
  for (const StoredStorage& storage : plan.storages) {
    if (storage.unpacked) {
      check(static_cast<int64_t>(storage.unpacked->size()) == storage.bytes, "ERR_STATE_FORMAT", plan.path, ": ",
            storage.unpacked->size(), " bytes were unpacked of ", storage.bytes);
      continue;
    }
    check(storage.offset >= 0 && storage.bytes >= 0 && storage.offset <= plan.file_bytes &&
              storage.bytes <= plan.file_bytes - storage.offset,
          "ERR_STATE_FORMAT", plan.path, ": ", storage.bytes, " bytes from byte ", storage.offset,
          " are not in a file of ", plan.file_bytes);
    total += storage.bytes;  // each is at most file_bytes, so that this stops long before it overflows
    check(total <= plan.file_bytes, "ERR_STATE_FORMAT", plan.path, ": the storages are larger than the file");
  }
  for_each_tensor(plan, [&](const StoredTensor& tensor) {
    check(tensor.storage >= 0 && tensor.storage < static_cast<int64_t>(plan.storages.size()), "ERR_STATE_FORMAT",
          plan.path, ": \"", tensor.name, "\" has no storage");
    const StoredStorage& storage = plan.storages[tensor.storage];
    const auto room = storage.bytes / static_cast<int64_t>(c10::elementSize(tensor.dtype));
    const int64_t extent = extent_of(tensor.name, tensor.shape, tensor.stride, tensor.offset);
    check(extent <= room, "ERR_STATE_FORMAT", plan.path, ": \"", tensor.name, "\" reaches to element ", extent,
          " of a storage of ", room);
  });
}

// Bytes of one number: what changes its order between machines. A complex number is two.
int64_t number_bytes(at::ScalarType dtype) {
  return static_cast<int64_t>(c10::elementSize(c10::toRealValueType(dtype)));
}

// Bytes of one number in each storage, from the tensors in it; 1 where there are none.
std::vector<int64_t> number_bytes_of(const ReadPlan& plan) {
  std::vector<int64_t> widths(plan.storages.size(), 0);
  for_each_tensor(plan, [&](const StoredTensor& tensor) {
    int64_t& width = widths[tensor.storage];
    const int64_t wanted = number_bytes(tensor.dtype);
    check(width == 0 || width == wanted || !plan.storages[tensor.storage].big_endian, "ERR_STATE_FORMAT", plan.path,
          ": \"", tensor.name, "\" shares big-endian bytes with a tensor of another dtype");
    width = wanted;
  });
  std::replace(widths.begin(), widths.end(), int64_t{0}, int64_t{1});
  return widths;
}

void swap_bytes(uint8_t* data, int64_t bytes, int64_t width) {
  for (int64_t at = 0; at + width <= bytes; at += width) std::reverse(data + at, data + at + width);
}

at::Storage empty_storage(int64_t bytes) {
  c10::Allocator* allocator = c10::GetAllocator(c10::DeviceType::CPU);
  return {at::Storage::use_byte_size_t{}, static_cast<size_t>(bytes), allocator->allocate(bytes), allocator,
          /*resizable=*/false};
}

// A run of a storage's bytes: what one thread reads at a time.
struct Run {
  size_t storage;
  int64_t first, bytes;
  uint32_t crc;
};

std::vector<Run> runs_of(const ReadPlan& plan) {
  std::vector<Run> runs;
  for (size_t i = 0; i < plan.storages.size(); ++i) {
    const int64_t bytes = plan.storages[i].bytes;
    for (int64_t first = 0; first < bytes; first += kRunBytes) {
      runs.push_back({i, first, std::min(kRunBytes, bytes - first), 0});
    }
  }
  return runs;
}

// Piece by piece, so that what was read is still in the cache when it is checked and swapped.
uint32_t read_run(const File& file, const StoredStorage& stored, const Run& run, uint8_t* to, int64_t width) {
  uint32_t crc = 0;
  populate(to + run.first, run.bytes);
  for (int64_t at = run.first; at < run.first + run.bytes; at += kPieceBytes) {
    const int64_t bytes = std::min(kPieceBytes, run.first + run.bytes - at);
    if (stored.unpacked) {
      std::memcpy(to + at, stored.unpacked->data() + at, bytes);
    } else {
      file.read(stored.offset + at, to + at, bytes);
    }
    if (stored.crc32) crc = crc32(crc, to + at, bytes);
    if (stored.big_endian) swap_bytes(to + at, bytes, width);
  }
  return crc;
}

void check_crcs(const ReadPlan& plan, const std::vector<Run>& runs) {
  std::vector<uint32_t> crcs(plan.storages.size(), 0);
  for (const Run& run : runs) crcs[run.storage] = crc32_combine(crcs[run.storage], run.crc, run.bytes);
  for (size_t i = 0; i < crcs.size(); ++i) {
    const StoredStorage& stored = plan.storages[i];
    check(!stored.crc32 || crcs[i] == *stored.crc32, "ERR_STATE_FORMAT", plan.path, ": the checksum of the ",
          stored.bytes, " bytes from byte ", stored.offset, " is wrong: the file is damaged. Fetch or save it again");
  }
}

std::vector<at::Storage> read_storages(const ReadPlan& plan) {
  const std::vector<int64_t> widths = number_bytes_of(plan);
  const File& file = *plan.file;
  check(file.size() == plan.file_bytes, "ERR_FILE", plan.path, " changed while it was being read: it had ",
        plan.file_bytes, " bytes and now has ", file.size());
  std::vector<at::Storage> storages;
  std::vector<uint8_t*> data;
  for (const StoredStorage& stored : plan.storages) {
    storages.push_back(empty_storage(stored.bytes));
    data.push_back(static_cast<uint8_t*>(storages.back().mutable_data()));
  }
  std::vector<Run> runs = runs_of(plan);
  in_parallel(runs.size(), kRunsForThread, [&](size_t i) {
    Run& run = runs[i];
    run.crc = read_run(file, plan.storages[run.storage], run, data[run.storage], widths[run.storage]);
  });
  check_crcs(plan, runs);
  return storages;
}

}  // namespace

std::vector<StateDict> read_states(const ReadPlan& plan) {
  check_plan(plan);
  const std::vector<at::Storage> storages = read_storages(plan);
  std::vector<StateDict> states;
  for (const auto& part : plan.parts) {
    StateDict& state = states.emplace_back();
    state.reserve(part.size());
    for (const StoredTensor& stored : part) {
      at::Tensor tensor = at::empty({0}, stored.dtype);
      tensor.set_(storages[stored.storage], stored.offset, stored.shape, stored.stride);
      state.push_back({stored.name, std::move(tensor)});
    }
  }
  return states;
}

}  // namespace incremental
