// The border of exceptions: whatever the core or libtorch throws becomes a JavaScript Error with a `code`.
#pragma once
#include <napi.h>

#include <exception>
#include <optional>
#include <string>

namespace incremental {

// What can be carried from one thread to another before it is a JavaScript error.
struct Failure {
  std::string code;
  std::string message;
};

// Describes an exception: Error keeps its code; a shortage of memory or of threads is ERR_OUT_OF_MEMORY, all else
// ERR_TORCH.
Failure describe(const std::exception_ptr& cause);

Napi::Error to_js(Napi::Env env, const Failure& failure);

// Settles a promise, on the JavaScript thread, with the value that `deliver` makes, or with what it throws. Does
// nothing where the environment no longer runs JavaScript: then nobody waits.
template <class Deliver>
void settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const std::optional<Failure>& failure,
            Deliver&& deliver) {
  try {
    Napi::HandleScope scope(env);
    if (failure) return deferred.Reject(to_js(env, *failure).Value());
    Napi::Value value;
    try {
      value = deliver();
    } catch (const Napi::Error& error) {
      return deferred.Reject(error.Value());
    } catch (...) {
      return deferred.Reject(to_js(env, describe(std::current_exception())).Value());
    }
    deferred.Resolve(value);
  } catch (const std::exception&) {
    // The environment is closing.
  }
}

// Runs `body` on the JavaScript thread; C++ exceptions leave as JavaScript ones.
template <class Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js(env, describe(std::current_exception()));
  }
}

}  // namespace incremental
