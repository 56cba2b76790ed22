// Short work off the JavaScript thread (reading and writing files): one libuv pool task and one promise.
// Long work (training, evaluating) has its own thread: src/napi/job.h.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "src/core/libtorch.h"
#include "src/core/team.h"
#include "src/napi/error.h"

namespace incremental {

// `Work` runs on the pool and touches nothing of JavaScript; `Deliver` turns its result into a value afterwards.
template <class Result>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Deliver = std::function<Napi::Value(Napi::Env, Result&)>;

  static Napi::Promise start(Napi::Env env, Work work, Deliver deliver) {
    auto worker = std::unique_ptr<PromiseWorker>(new PromiseWorker(env, std::move(work), std::move(deliver)));
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    worker.release();  // NOLINT(bugprone-unused-return-value): deletes itself when it is done
    return promise;
  }

 protected:
  void Execute() override {
    try {
      have_team();
      result_.emplace(work_());
    } catch (...) {
      failure_ = describe(std::current_exception());
    }
    work_ = nullptr;  // what it holds is freed here, not on the JavaScript thread
    release_team();   // a thread of the pool may long do other things
  }

  void OnOK() override {
    settle(Env(), deferred_, failure_, [this] { return deliver_(Env(), *result_); });
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Deliver deliver)
      : Napi::AsyncWorker(env, "torch-incremental"),
        deferred_(env),
        work_(std::move(work)),
        deliver_(std::move(deliver)) {}

  // This work has the same result on one thread.
  static void have_team() {
    try {
      check_team(at::get_num_threads());
    } catch (const std::system_error&) {
      at::set_num_threads(1);
    }
  }

  Napi::Promise::Deferred deferred_;
  Work work_;
  Deliver deliver_;
  std::optional<Result> result_;
  std::optional<Failure> failure_;
};

}  // namespace incremental
