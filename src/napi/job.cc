#include "src/napi/job.h"

#include <utility>

#include "src/napi/convert.h"
#include "src/napi/handle.h"
#include "src/napi/scheduler_values.h"

namespace incremental {
namespace {

// Nobody looks more often, and each notice takes a core away from the computation for a moment.
constexpr std::chrono::milliseconds kStepInterval{25};

Napi::Object to_js(Napi::Env env, const Snapshot& snapshot) {
  const auto& [position, model, rest, average, best, rates, scheduler] = snapshot;
  Napi::Object object = Napi::Object::New(env);
  object["type"] = "snapshot";
  object["epoch"] = position.epoch;
  object["step"] = position.step;
  object["lossSum"] = position.loss_sum;
  object["samples"] = position.samples;
  object["seconds"] = position.seconds;
  object["model"] = Handle<StateDict>::make(env, model, bytes_of(*model));
  object["rest"] = Handle<StateDict>::make(env, rest, bytes_of(*rest));
  if (average) object["average"] = Handle<StateDict>::make(env, average, bytes_of(*average));
  if (best) object["best"] = Handle<StateDict>::make(env, best, bytes_of(*best));
  object["rates"] = rates_to_js(env, rates);
  object["scheduler"] = scheduler_state_to_js(env, scheduler);
  return object;
}

Napi::Array to_js(Napi::Env env, const std::vector<double>& numbers) {
  Napi::Array list = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) list[i] = numbers[i];
  return list;
}

Napi::Object to_js(Napi::Env env, const Event& event) {
  if (event.snapshot) return to_js(env, *event.snapshot);
  static constexpr const char* kTypes[] = {"step", "log", "epoch", "validation"};
  Napi::Object object = Napi::Object::New(env);
  object["type"] = kTypes[static_cast<int>(event.type)];
  object["epoch"] = event.epoch;
  object["step"] = event.step;
  object["loss"] = event.loss;
  object["seconds"] = event.seconds;
  object["samples"] = event.samples;
  object["learningRates"] = to_js(env, event.learning_rates);
  if (event.validation) object["validation"] = to_js(env, *event.validation);
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

void Job::Running::add(Napi::Env env, std::unique_ptr<Job> job) {
  if (!channel) {
    channel = Channel::New(env, "torch-incremental", /*maxQueueSize=*/0, /*initialThreadCount=*/1);
    // Registered after the channel, so that it runs before Node closes the channel (hooks run in reverse).
    env.AddCleanupHook(&Running::abandon, this);
  } else if (jobs.empty()) {
    channel->Ref(env);
  }
  job->channel_ = channel;
  Job* key = job.get();
  jobs.emplace(key, std::move(job));
}

std::unique_ptr<Job> Job::Running::remove(Napi::Env env, Job* job) {
  std::unique_ptr<Job> removed = std::move(jobs.extract(job).mapped());
  if (jobs.empty()) channel->Unref(env);
  return removed;
}

void Job::Running::stop() {
  closed = true;
  for (const auto& [job, owned] : jobs) job->feed_->cancelled = true;
  for (const auto& [job, owned] : jobs) job->thread_->wait();
  threads.end_idle();
}

void Job::Running::abandon(Running* all) {
  all->stop();
  all->jobs.clear();
  all->channel->Release();
}

void Job::check_open(const Running& all) {
  check(!all.closed, "ERR_TORCH", "The process is exiting: nothing new can begin");
}

void Job::stop_all(Napi::Env env) { running(env).stop(); }

Job::Job(Napi::Env env, const Napi::Value& on_events, std::optional<JobLength> length,
         std::shared_ptr<JobThread> thread, Work work)
    : deferred_(env),
      length_(length),
      thread_(std::move(thread)),
      work_(std::move(work)),
      feed_(std::make_shared<Feed>(this)),
      end_(std::make_unique<Notice>(Notice{feed_, true})) {
  if (on_events.IsFunction()) on_events_ = Napi::Persistent(on_events.As<Napi::Function>());
}

Napi::Object Job::start(Napi::Env env, const Napi::Value& on_events, JobLength length, Work work) {
  Running& all = running(env);
  check_open(all);
  auto job = std::unique_ptr<Job>(new Job(env, on_events, length, all.threads.take(length), std::move(work)));
  Napi::Object handle = Napi::Object::New(env);
  handle["done"] = job->deferred_.Promise();
  handle["cancel"] = Napi::Function::New(
      env, [feed = job->feed_](const Napi::CallbackInfo&) { feed->cancelled = true; }, "cancel");
  start(env, std::move(job));
  return handle;
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<JobThread> thread, Work work) {
  check(!thread->busy(), "ERR_BUSY", "Another operation of this object is still running");
  check_open(running(env));
  return start(env,
               std::unique_ptr<Job>(new Job(env, env.Undefined(), std::nullopt, std::move(thread), std::move(work))));
}

Napi::Promise Job::start(Napi::Env env, std::unique_ptr<Job> job) {
  Job* started = job.get();
  Napi::Promise promise = started->deferred_.Promise();
  running(env).add(env, std::move(job));
  started->thread_->start([started] { started->run(); });
  return promise;
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

void Job::deliver(Napi::Env env, Napi::Function, std::nullptr_t*, Notice* raw) {
  const std::unique_ptr<Notice> notice(raw);
  Job* job = notice->feed->job;
  if (env == nullptr || job == nullptr) return;  // draining at teardown: free the notice, call nobody
  if (notice->ended) {
    job->finish(env);
  } else {
    job->report(env);
  }
}

void Job::report(Napi::Env env) {
  const std::vector<Event> events = feed_->take();
  try {
    Napi::Array list = Napi::Array::New(env, events.size());
    for (uint32_t i = 0; i < events.size(); ++i) list[i] = to_js(env, events[i]);
    on_events_.Call({list});
  } catch (const std::exception&) {
    // Either the callback threw, against its contract, or the environment can no longer run JavaScript.
    feed_->cancelled = true;
  }
}

void Job::run() {
  try {
    result_ = work_([this](const Event& event) { post(event); }, feed_->cancelled);
  } catch (...) {
    failure_ = describe(std::current_exception());
  }
  work_ = nullptr;  // what it holds is freed here, not on the JavaScript thread
  if (channel_->NonBlockingCall(end_.get()) == napi_ok) {
    end_.release();  // NOLINT(bugprone-unused-return-value): the queue owns it now
  }
}

// Never blocks on JavaScript: while it is busy, log and epoch events queue up and only the newest step and the newest
// snapshot wait.
void Job::post(const Event& event) {
  if (on_events_.IsEmpty()) return;
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
  auto notice = std::make_unique<Notice>(Notice{feed_, false});
  if (channel_->NonBlockingCall(notice.get()) != napi_ok) return;
  notice.release();  // NOLINT(bugprone-unused-return-value): the queue owns it now
  feed_->posted = true;
}

void Job::finish(Napi::Env env) {
  Running& all = running(env);
  const std::unique_ptr<Job> self = all.remove(env, this);
  thread_->wait();
  if (all.closed) return;
  if (length_) all.threads.give_back(std::move(thread_), *length_);
  settle(env, deferred_, failure_, [&] { return result_(env); });
}

}  // namespace incremental
