#include "src/core/team.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace incremental {
namespace {

// Threads that do nothing, all at the same time.
class Waiting {
 public:
  explicit Waiting(int count) {
    threads_.reserve(count);
    try {
      for (int i = 0; i < count; ++i) threads_.emplace_back([this] { wait(); });
    } catch (...) {
      end();
      throw;
    }
  }
  ~Waiting() { end(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

void check_team(int threads) {
  thread_local int granted = 1;
  if (threads <= granted) return;
  const Waiting team(threads - granted);
  granted = threads;
}

}  // namespace incremental
