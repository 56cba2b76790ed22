#include "src/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace incremental {
namespace {

// More do not read faster: by then memory is what is waited for.
constexpr size_t kMostThreads = 4;

}  // namespace

void in_parallel(size_t count, size_t per_thread, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto take_turns = [&] {
    try {
      for (size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;  // the others stop too
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t wanted = std::min({kMostThreads, cores, count / per_thread});
  std::vector<std::thread> threads;
  threads.reserve(wanted);
  try {
    for (size_t i = 1; i < wanted; ++i) threads.emplace_back(take_turns);
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do all the work.
  }
  take_turns();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace incremental
