#include "src/core/memory.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {
namespace {

// Below this malloc is as good, and no page is returned to the system at free().
constexpr size_t kSmallestKept = 64 << 10;
constexpr size_t kGranule = 4 << 10;
// From here on blocks come straight from the system, and are made of huge pages as far as whole ones go: a tenth less
// time for a step of Net on 64 images, most of which streams through activations of 4 and 8 MB.
constexpr size_t kSmallestMapped = 1 << 20;
constexpr size_t kHugePage = 2 << 20;

// Sixteen sizes for each doubling: few enough that batches of different sizes use each other's blocks, and at most a
// sixteenth is wasted. Whole huge pages for all would cost the activations of a ViT-tiny a sixth more memory.
size_t rounded(size_t bytes) {
  const size_t granule = std::max(kGranule, std::bit_floor(bytes) / 16);
  return (bytes + granule - 1) / granule * granule;
}

// Straight from the system and back to it: malloc would keep freed megabytes in the arena of each thread.
void* map_large(size_t size, bool huge) {
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t aligned = (start + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned > start) munmap(mapped, aligned - start);
  const uintptr_t end = aligned + size;
  if (start + size + kHugePage > end) munmap(reinterpret_cast<void*>(end), start + kHugePage - aligned);
  auto* block = reinterpret_cast<void*>(aligned);
  // A wish: where the system grants none, ordinary pages do.
  if (huge) madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  return block;
}

void* new_block(size_t size, bool huge) {
  return size < kSmallestMapped ? c10::alloc_cpu(size) : map_large(size, huge);
}

void free_block(void* block, size_t size) {
  if (size < kSmallestMapped) {
    c10::free_cpu(block);
  } else {
    munmap(block, size);
  }
}

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = obtain(bytes);
    return {data, data, &KeepingAllocator::give_back, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &KeepingAllocator::give_back; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  void open() {
    std::lock_guard lock(mutex_);
    ++leases_;
  }

  void close() {
    std::unordered_map<size_t, std::vector<Idle>> unused;
    {
      std::lock_guard lock(mutex_);
      ++closed_;
      if (--leases_ == 0) {
        unused.swap(idle_);
      } else if (closed_ % kPatience == 0) {
        for (auto& [size, blocks] : idle_) {
          // They are taken from the end: the longest idle ones are first.
          const auto first = std::find_if(blocks.begin(), blocks.end(),
                                          [&](const Idle& block) { return block.since + kPatience > closed_; });
          unused[size].assign(blocks.begin(), first);
          blocks.erase(blocks.begin(), first);
        }
      }
    }
    for (const auto& [size, blocks] : unused) {
      for (const Idle& block : blocks) free_block(block.memory, size);
    }
  }

  static KeepingAllocator& instance() {
    // Never destroyed: tensors may outlive every static of this library.
    static auto* allocator = new KeepingAllocator();
    return *allocator;
  }

 private:
  struct Idle {
    void* memory;
    uint64_t since;  // `closed_` then
  };
  // Leases that end before a block is given up.
  static constexpr uint64_t kPatience = 64;

  void* obtain(size_t bytes) {
    if (bytes < kSmallestKept) return c10::alloc_cpu(bytes);
    const size_t size = rounded(bytes);
    std::unique_lock lock(mutex_);
    std::vector<Idle>& blocks = idle_[size];
    if (!blocks.empty()) {
      void* block = blocks.back().memory;
      blocks.pop_back();
      sizes_[block] = size;
      return block;
    }
    // Only for jobs, which use a block again and again: the system clears a huge page as a whole, which in a virtual
    // machine takes three times as long as ordinary ones, more than a state that is read once gains.
    const bool huge = leases_ > 0;
    lock.unlock();
    void* block = new_block(size, huge);
    lock.lock();
    sizes_[block] = size;
    return block;
  }

  static void give_back(void* block) {
    KeepingAllocator& self = instance();
    size_t size = 0;
    {
      std::lock_guard lock(self.mutex_);
      auto known = self.sizes_.find(block);
      if (known != self.sizes_.end()) {
        size = known->second;
        self.sizes_.erase(known);
        if (self.leases_ > 0) {
          self.idle_[size].push_back({block, self.closed_});
          return;
        }
      }
    }
    // Unknown are small blocks, and those that libtorch's own allocator made before this one was installed.
    free_block(block, size);
  }

  std::mutex mutex_;
  int leases_ = 0;
  std::unordered_map<void*, size_t> sizes_;             // blocks in use, from kSmallestKept
  std::unordered_map<size_t, std::vector<Idle>> idle_;  // by size
  uint64_t closed_ = 0;                                 // leases
};

}  // namespace

void install_allocator() {
  static std::once_flag installed;
  std::call_once(installed, [] {
    if (c10::GetCPUAllocator() == c10::GetDefaultCPUAllocator()) c10::SetCPUAllocator(&KeepingAllocator::instance());
  });
}

void populate(void* memory, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  constexpr uintptr_t kPage = 4096;
  const auto start = (reinterpret_cast<uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<uintptr_t>(memory) + bytes) / kPage * kPage;
  if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_POPULATE_WRITE);
#endif
}

MemoryLease::MemoryLease() { KeepingAllocator::instance().open(); }

MemoryLease::~MemoryLease() { KeepingAllocator::instance().close(); }

}  // namespace incremental
