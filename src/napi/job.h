// Long work that JavaScript can watch and stop: its own thread, events, cancellation, a promise. Used by jobs.cc.
//
// Threads: start, deliver, finish and abandon run on the JavaScript thread; run and post on the job's (job_thread.h).
// Ownership: the jobs of an environment (Running) own each from start until it is finished or abandoned. All of them
// report through one channel, which is a quarter of the time that a short job took to start and to end. While an
// environment is torn down, Node drains that channel after the last job is gone: what it carries (Feed) is shared, and
// names its job only as long as there is one.
#pragma once
#include <napi.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/napi/error.h"
#include "src/napi/job_thread.h"
#include "src/train/report.h"

namespace incremental {

class Job {
 public:
  ~Job() { feed_->job = nullptr; }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // Turns the result into a JavaScript value, on the JavaScript thread.
  using Deliver = std::function<Napi::Value(Napi::Env)>;
  // Runs on the job's thread and touches nothing of JavaScript.
  using Work = std::function<Deliver(const Report&, const Cancelled&)>;

  // Returns { done: Promise, cancel() }. `on_events` is called with an array of events; undefined where none are
  // wanted. It must not throw (lib/native/job.ts sees to that).
  static Napi::Object start(Napi::Env env, const Napi::Value& on_events, JobLength length, Work work);
  // Without events and cancellation, on a thread of the caller's, which must be idle: for an object that does all its
  // work on one thread.
  static Napi::Promise start(Napi::Env env, std::shared_ptr<JobThread> thread, Work work);

  // Ends every job of this environment after its current batch, and lets none begin. For the 'exit' event of the main
  // thread: process.exit() then destroys libtorch's statics without running any clean-up hook, and a thread that
  // still computes would use them.
  static void stop_all(Napi::Env env);

 private:
  // What both threads see.
  struct Feed {
    explicit Feed(Job* of) : job(of) {}

    Job* job;  // null: it is gone. For the JavaScript thread.
    Cancelled cancelled{false};
    std::mutex mutex;
    std::deque<Event> kept;         // never dropped
    std::optional<Event> newest;    // the newest step: older ones are of no use to anybody
    std::optional<Event> snapshot;  // the newest one: it replaces all before it
    bool posted = false;
    std::chrono::steady_clock::time_point next_step;  // before this, steps wait for the next notice

    std::vector<Event> take();
  };
  struct Notice {
    std::shared_ptr<Feed> feed;
    bool ended;  // the last one of its job
  };

  static void deliver(Napi::Env env, Napi::Function, std::nullptr_t*, Notice* raw);
  using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, Notice, &Job::deliver>;

  // The jobs of one environment, kept as its instance data. They keep the process alive.
  struct Running {
    std::unordered_map<Job*, std::unique_ptr<Job>> jobs;
    std::optional<Channel> channel;  // from the first job on
    JobThreads threads;
    bool closed = false;

    void add(Napi::Env env, std::unique_ptr<Job> job);
    std::unique_ptr<Job> remove(Napi::Env env, Job* job);
    // Ends all jobs after their current batches, and waits for that: native work must end before the environment does.
    void stop();
    // The same when the environment ends, of which nobody hears any more.
    static void abandon(Running* all);
  };
  static Running& running(Napi::Env env);

  Job(Napi::Env env, const Napi::Value& on_events, std::optional<JobLength> length, std::shared_ptr<JobThread> thread,
      Work work);
  // All that can fail comes first: the thread, which the callers have, the values of JavaScript, the place among the
  // jobs.
  static Napi::Promise start(Napi::Env env, std::unique_ptr<Job> job);
  static void check_open(const Running& all);
  void run();
  void post(const Event& event);
  void report(Napi::Env env);
  void finish(Napi::Env env);

  Napi::Promise::Deferred deferred_;
  Napi::FunctionReference on_events_;
  std::optional<JobLength> length_;  // of a thread that is to be given back
  std::shared_ptr<JobThread> thread_;
  Work work_;
  std::shared_ptr<Feed> feed_;
  std::unique_ptr<Notice> end_;  // made at the start: the end of a job finds no shortage of memory
  std::optional<Channel> channel_;
  Deliver result_;
  std::optional<Failure> failure_;
};

}  // namespace incremental
