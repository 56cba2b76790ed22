#include "src/napi/job.h"

#include <utility>

#include "src/napi/handle.h"

namespace incremental {
namespace {

// Nobody looks more often, and each notice takes a core away from the computation for a moment.
constexpr std::chrono::milliseconds kStepInterval{25};

Napi::Object to_js(Napi::Env env, const Snapshot& snapshot) {
  const auto& [position, model, rest] = snapshot;
  Napi::Object object = Napi::Object::New(env);
  object["type"] = "snapshot";
  object["epoch"] = position.epoch;
  object["step"] = position.step;
  object["lossSum"] = position.loss_sum;
  object["samples"] = position.samples;
  object["seconds"] = position.seconds;
  object["model"] = Handle<StateDict>::make(env, model, bytes_of(*model));
  object["rest"] = Handle<StateDict>::make(env, rest, bytes_of(*rest));
  return object;
}

Napi::Object to_js(Napi::Env env, const Event& event) {
  if (event.snapshot) return to_js(env, *event.snapshot);
  static constexpr const char* kTypes[] = {"step", "log", "epoch"};
  Napi::Object object = Napi::Object::New(env);
  object["type"] = kTypes[static_cast<int>(event.type)];
  object["epoch"] = event.epoch;
  object["step"] = event.step;
  object["loss"] = event.loss;
  object["seconds"] = event.seconds;
  object["samples"] = event.samples;
  return object;
}

}  // namespace

Job::Running& Job::running(Napi::Env env) {
  auto* running = env.GetInstanceData<Running>();
  if (running == nullptr) {
    auto made = std::make_unique<Running>();
    env.SetInstanceData(made.get());
    running = made.release();
  }
  return *running;
}

void Job::check_open(const Running& all) {
  check(!all.closed, "ERR_TORCH", "The process is exiting: nothing new can begin");
}

void Job::stop_all(Napi::Env env) {
  Running& all = running(env);
  all.closed = true;
  for (Job* job : all.jobs) job->feed_->cancelled = true;
  for (Job* job : all.jobs) abandon(job);
  all.threads.end_idle();
}

Napi::Object Job::start(Napi::Env env, const Napi::Value& on_events, JobLength length, Work work) {
  Running& all = running(env);
  check_open(all);
  return start(env, on_events, length, all.threads.take(length), std::move(work));
}

Napi::Object Job::start(Napi::Env env, std::shared_ptr<JobThread> thread, Work work) {
  check(!thread->busy(), "ERR_BUSY", "Another operation of this object is still running");
  check_open(running(env));
  return start(env, env.Undefined(), std::nullopt, std::move(thread), std::move(work));
}

// All that can fail comes first: the thread, which the callers have, the values of JavaScript, the place in the list. A
// channel whose job never runs would keep the process alive, and a clean-up hook would wait for a thread that there is
// none of.
Napi::Object Job::start(Napi::Env env, const Napi::Value& on_events, std::optional<JobLength> length,
                        std::shared_ptr<JobThread> thread, Work work) {
  auto job = std::unique_ptr<Job>(new Job(env, length, std::move(thread), std::move(work)));
  Napi::Object handle = Napi::Object::New(env);
  handle["done"] = job->deferred_.Promise();
  handle["cancel"] = Napi::Function::New(
      env, [feed = job->feed_](const Napi::CallbackInfo&) { feed->cancelled = true; }, "cancel");
  Napi::Function callback = on_events.IsFunction() ? on_events.As<Napi::Function>()
                                                   : Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  std::unordered_set<Job*>& jobs = running(env).jobs;
  jobs.insert(job.get());
  try {
    job->channel_ = Channel::New(
        env, callback, "torch-incremental", /*maxQueueSize=*/0, /*initialThreadCount=*/1,
        static_cast<std::nullptr_t*>(nullptr),
        [](Napi::Env closing, Job* finished, std::nullptr_t*) { finished->finish(closing); }, job.get());
  } catch (...) {
    jobs.erase(job.get());
    throw;
  }
  Job* owned = job.release();  // by the channel, whose finalizer calls finish()
  // Registered after the channel, so that it runs before Node closes the channel (hooks run in reverse).
  owned->hook_ = env.AddCleanupHook(&Job::abandon, owned);
  owned->thread_->start([owned] { owned->run(); });
  return handle;
}

std::vector<Event> Job::Feed::take() {
  std::lock_guard lock(mutex);
  posted = false;
  std::vector<Event> events(kept.begin(), kept.end());
  kept.clear();
  if (newest) events.push_back(*std::exchange(newest, std::nullopt));
  // Last: a caller who gets it has then received all events that led to it.
  if (snapshot) events.push_back(*std::exchange(snapshot, std::nullopt));
  return events;
}

void Job::deliver(Napi::Env env, Napi::Function callback, std::nullptr_t*, Notice* raw) {
  std::unique_ptr<Notice> notice(raw);
  if (env == nullptr) return;  // draining at teardown: free the notice, call nobody
  const std::vector<Event> events = (*notice)->take();
  try {
    Napi::Array list = Napi::Array::New(env, events.size());
    for (uint32_t i = 0; i < events.size(); ++i) list[i] = to_js(env, events[i]);
    callback.Call({list});
  } catch (const std::exception&) {
    // Either the callback threw, against its contract, or the environment can no longer run JavaScript.
    (*notice)->cancelled = true;
  }
}

void Job::run() {
  try {
    result_ = work_([this](const Event& event) { post(event); }, feed_->cancelled);
  } catch (...) {
    failure_ = describe(std::current_exception());
  }
  work_ = nullptr;     // what it holds is freed here, not on the JavaScript thread
  channel_.Release();  // this thread's last use of the channel; finish follows on the JavaScript thread
}

// Never blocks on JavaScript: while it is busy, log and epoch events queue up and only the newest step and the newest
// snapshot wait.
void Job::post(const Event& event) {
  std::lock_guard lock(feed_->mutex);
  if (event.type == Event::Type::kStep) {
    feed_->newest = event;
    const auto now = std::chrono::steady_clock::now();
    if (now < feed_->next_step) return;
    feed_->next_step = now + kStepInterval;
  } else if (event.type == Event::Type::kSnapshot) {
    feed_->snapshot = event;
  } else {
    feed_->newest.reset();  // older than what is kept now
    feed_->kept.push_back(event);
  }
  if (feed_->posted) return;
  auto notice = std::make_unique<Notice>(feed_);
  if (channel_.NonBlockingCall(notice.get()) != napi_ok) return;
  notice.release();  // NOLINT(bugprone-unused-return-value): the queue owns it now
  feed_->posted = true;
}

// Waits for at most one batch: native work must end before the environment does.
void Job::abandon(Job* job) {
  job->closing_ = true;
  job->feed_->cancelled = true;
  job->thread_->wait();
}

void Job::finish(Napi::Env env) {
  std::unique_ptr<Job> self(this);
  thread_->wait();
  if (closing_) return;
  running(env).jobs.erase(this);
  if (length_) running(env).threads.give_back(std::move(thread_), *length_);
  hook_.Remove(env);
  settle(env, deferred_, failure_, [&] { return result_(env); });
}

}  // namespace incremental
