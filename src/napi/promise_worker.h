// Short work off the JavaScript thread (reading and writing files): one libuv pool task and one promise.
// Long work (training, evaluating) has its own thread: src/napi/job.h.
#pragma once
#include <napi.h>

#include <functional>
#include <optional>
#include <utility>

#include "src/napi/error.h"

namespace incremental {

// `Work` runs on the pool and touches nothing of JavaScript; `Deliver` turns its result into a value afterwards.
template <class Result>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Deliver = std::function<Napi::Value(Napi::Env, Result&)>;

  static Napi::Promise start(Napi::Env env, Work work, Deliver deliver) {
    auto* worker = new PromiseWorker(env, std::move(work), std::move(deliver));
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      result_.emplace(work_());
    } catch (...) {
      failure_ = describe(std::current_exception());
    }
    work_ = nullptr;  // what it holds is freed here, not on the JavaScript thread
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (failure_) return deferred_.Reject(to_js(Env(), *failure_).Value());
      deferred_.Resolve(deliver_(Env(), *result_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Deliver deliver)
      : Napi::AsyncWorker(env, "torch-incremental"),
        deferred_(env),
        work_(std::move(work)),
        deliver_(std::move(deliver)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Deliver deliver_;
  std::optional<Result> result_;
  std::optional<Failure> failure_;
};

}  // namespace incremental
