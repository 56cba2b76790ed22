#include "src/core/team.h"

#include <dlfcn.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
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

thread_local int granted = 1;  // threads that this one's team may have

std::atomic<int> team_users = 0;

// GCC's OpenMP, where libtorch loaded that one.
struct Gomp {
  int (*pause)(int kind, int device) = nullptr;
  int (*initial_device)() = nullptr;

  Gomp() {
    void* const parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");  // LLVM's library has it too
    Dl_info info;
    if (parallel == nullptr || dladdr(parallel, &info) == 0 || std::strstr(info.dli_fname, "libgomp") == nullptr)
      return;
    pause = reinterpret_cast<decltype(pause)>(dlsym(RTLD_DEFAULT, "omp_pause_resource"));
    initial_device = reinterpret_cast<decltype(initial_device)>(dlsym(RTLD_DEFAULT, "omp_get_initial_device"));
  }
};

}  // namespace

void release_team() {
  static const Gomp gomp;
  constexpr int kSoft = 1;
  if (granted > 1 && gomp.pause != nullptr && gomp.initial_device != nullptr &&
      gomp.pause(kSoft, gomp.initial_device()) == 0) {
    granted = 1;
  }
}

TeamUser::TeamUser() { ++team_users; }

TeamUser::~TeamUser() { --team_users; }

bool TeamUser::is_alone() { return team_users <= 1; }

void check_team(int threads) {
  if (threads <= granted) return;
  const Waiting team(threads - granted);
  granted = threads;
}

}  // namespace incremental
