#include "src/train/validation.h"

#include <chrono>
#include <utility>

namespace incremental {
namespace {

// How often a training that waits looks whether it was cancelled.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

void Verdicts::give(const Verdict& verdict) {
  const std::lock_guard lock(mutex_);
  verdict_ = verdict;
  given_.notify_one();
}

Verdict Verdicts::wait(const Cancelled& cancelled) {
  std::unique_lock lock(mutex_);
  // By this clock, since a wait by the steady one needs a newer C library than libtorch does.
  const auto look = [] { return std::chrono::system_clock::now() + kLook; };
  while (!given_.wait_until(lock, look(), [this] { return verdict_.has_value(); })) stop_if(cancelled);
  return *std::exchange(verdict_, std::nullopt);
}

}  // namespace incremental
