#include "src/napi/job_thread.h"

#include <utility>

#include "src/core/priority.h"

namespace incremental {

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
    work_();
    lock.lock();
    work_ = nullptr;
    changed_.notify_all();
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
