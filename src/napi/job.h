// Long work that JavaScript can watch and stop: its own thread, events, cancellation, a promise. Used by jobs.cc.
//
// Threads: start, deliver, finish and abandon run on the JavaScript thread; run and post on the job's (job_thread.h).
// Ownership: the job owns itself from start until finish deletes it. finish is not always the last call: while an
// environment is torn down Node 20 finalizes the thread-safe function first and drains its queue afterwards (Node 24
// the other way round), so what the queue carries (Feed) is shared and deliver never touches the job.
#pragma once
#include <napi.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

#include "src/napi/error.h"
#include "src/napi/job_thread.h"
#include "src/train/report.h"

namespace incremental {

class Job {
 public:
  // Turns the result into a JavaScript value, on the JavaScript thread.
  using Deliver = std::function<Napi::Value(Napi::Env)>;
  // Runs on the job's thread and touches nothing of JavaScript.
  using Work = std::function<Deliver(const Report&, const Cancelled&)>;

  // Returns { done: Promise, cancel() }. `on_events` is called with an array of events; undefined where none are
  // wanted. It must not throw (lib/native/job.ts sees to that).
  static Napi::Object start(Napi::Env env, const Napi::Value& on_events, JobLength length, Work work);
  // The same on a thread of the caller's, which must be idle: for work that is done on one thread always.
  static Napi::Object start(Napi::Env env, std::shared_ptr<JobThread> thread, Work work);

  // Ends every job of this environment after its current batch, and lets none begin. For the 'exit' event of the main
  // thread: process.exit() then destroys libtorch's statics without running any clean-up hook, and a thread that
  // still computes would use them.
  static void stop_all(Napi::Env env);

 private:
  // What both threads see.
  struct Feed {
    Cancelled cancelled{false};
    std::mutex mutex;
    std::deque<Event> kept;         // never dropped
    std::optional<Event> newest;    // the newest step: older ones are of no use to anybody
    std::optional<Event> snapshot;  // the newest one: it replaces all before it
    bool posted = false;
    std::chrono::steady_clock::time_point next_step;  // before this, steps wait for the next notice

    std::vector<Event> take();
  };
  using Notice = std::shared_ptr<Feed>;

  static void deliver(Napi::Env env, Napi::Function callback, std::nullptr_t*, Notice* raw);
  using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, Notice, &Job::deliver>;
  using Hook = Napi::Env::CleanupHook<void (*)(Job*), Job>;

  // The jobs of one environment, kept as its instance data.
  struct Running {
    std::unordered_set<Job*> jobs;
    JobThreads threads;
    bool closed = false;
  };
  static Running& running(Napi::Env env);
  static void check_open(const Running& all);

  Job(Napi::Env env, std::optional<JobLength> length, std::shared_ptr<JobThread> thread, Work work)
      : deferred_(env), length_(length), work_(std::move(work)), thread_(std::move(thread)) {}
  static Napi::Object start(Napi::Env env, const Napi::Value& on_events, std::optional<JobLength> length,
                            std::shared_ptr<JobThread> thread, Work work);
  static void abandon(Job* job);
  void run();
  void post(const Event& event);
  void finish(Napi::Env env);

  Napi::Promise::Deferred deferred_;
  std::optional<JobLength> length_;  // of a thread that is to be given back
  Work work_;
  std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
  Channel channel_;
  Hook hook_;
  std::shared_ptr<JobThread> thread_;
  bool closing_ = false;
  Deliver result_;
  std::optional<Failure> failure_;
};

}  // namespace incremental
