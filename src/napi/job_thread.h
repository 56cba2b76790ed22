// The threads that jobs run on, none of libuv's pool: a long training would keep one of those from fs, dns and crypto.
// Used by job.cc, on the JavaScript thread.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace incremental {

enum class JobLength {
  kShort,  // somebody waits for it, such as a prediction of a few samples
  kLong
};

// One thread, which does one thing after the other.
class JobThread {
 public:
  explicit JobThread(JobLength length);
  ~JobThread();  // waits
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // Call it only while no other work is running.
  void start(std::function<void()> work);
  bool busy();
  void wait();

 private:
  void loop(JobLength length);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  // empty: idle
  bool ending_ = false;
  std::thread thread_;  // last: everything above exists when it starts
};

// Threads for short work are kept: to make one, with what libtorch prepares for each, takes longer than to predict one
// sample. A thread for long work is a new one, which a training gives a priority of its own.
class JobThreads {
 public:
  std::shared_ptr<JobThread> take(JobLength length);
  // Once its work is done.
  void give_back(std::shared_ptr<JobThread> thread, JobLength length);
  void end_idle();

 private:
  std::vector<std::shared_ptr<JobThread>> idle_;
};

}  // namespace incremental
