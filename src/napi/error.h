// The border of exceptions: whatever the core or libtorch throws becomes a JavaScript Error with a `code`.
#pragma once
#include <napi.h>

#include <exception>
#include <string>

namespace incremental {

// What can be carried from one thread to another before it is a JavaScript error.
struct Failure {
  std::string code;
  std::string message;
};

// Describes the exception in hand: Error keeps its code, memory errors are ERR_OUT_OF_MEMORY, all else ERR_TORCH.
Failure describe(const std::exception_ptr& cause);

Napi::Error to_js(Napi::Env env, const Failure& failure);

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
