#include "src/napi/job_thread.h"

#include <chrono>
#include <utility>

#include "src/core/priority.h"
#include "src/core/team.h"

namespace incremental {
namespace {

// A thread without work for this long gives up its team of threads.
constexpr std::chrono::milliseconds kIdle{20};

}  // namespace

JobThread::JobThread(JobLength length) : thread_([this, length] { loop(length); }) {}

JobThread::~JobThread() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void JobThread::start(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

bool JobThread::busy() {
  std::lock_guard lock(mutex_);
  return static_cast<bool>(work_);
}

void JobThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !work_; });
}

void JobThread::loop(JobLength length) {
  if (length == JobLength::kShort) take_short_slices();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return work_ || ending_; });
    if (!work_) return;
    lock.unlock();
    {
      const TeamUser user;
      work_();
      // Short work does not slow long work down, not even by the team that it leaves.
      if (length == JobLength::kShort && !TeamUser::is_alone()) release_team();
    }
    lock.lock();
    work_ = nullptr;
    changed_.notify_all();
    // By the system's clock: for the steady one the standard library calls a function that glibc 2.28 does not have.
    const auto until = std::chrono::system_clock::now() + kIdle;
    if (changed_.wait_until(lock, until, [this] { return work_ || ending_; })) continue;
    lock.unlock();
    release_team();
    lock.lock();
  }
}

std::shared_ptr<JobThread> JobThreads::take(JobLength length) {
  if (length == JobLength::kLong || idle_.empty()) return std::make_shared<JobThread>(length);
  std::shared_ptr<JobThread> thread = std::move(idle_.back());
  idle_.pop_back();
  return thread;
}

void JobThreads::give_back(std::shared_ptr<JobThread> thread, JobLength length) {
  if (length == JobLength::kShort && idle_.size() < std::thread::hardware_concurrency())
    idle_.push_back(std::move(thread));
}

void JobThreads::end_idle() { idle_.clear(); }

}  // namespace incremental
