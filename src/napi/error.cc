#include "src/napi/error.h"

#include <new>
#include <system_error>

#include "src/core/error.h"
#include "src/device/errors.h"

namespace incremental {

Failure describe(const std::exception_ptr& cause) {
  try {
    std::rethrow_exception(cause);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {"ERR_OUT_OF_MEMORY", "Out of memory"};
  } catch (const std::system_error& error) {
    // What std::thread throws where the system grants none.
    if (error.code() != std::errc::resource_unavailable_try_again) return {"ERR_TORCH", error.what()};
    return {"ERR_OUT_OF_MEMORY",
            "The system grants no more threads to this process. Use fewer threads (the option \"threads\"), end other "
            "processes, or raise the limit (ulimit -u, or pids.max of the container)"};
  } catch (const c10::Error& error) {
    if (auto failure = explain_device_error(error)) return {failure->code, std::move(failure->message)};
    std::string message = error.what_without_backtrace();
    // c10/core/impl/alloc_cpu.cpp reports a failed allocation as a plain c10::Error.
    bool memory = message.find("DefaultCPUAllocator") != std::string::npos;
    return {memory ? "ERR_OUT_OF_MEMORY" : "ERR_TORCH", std::move(message)};
  } catch (const std::exception& error) {
    return {"ERR_TORCH", error.what()};
  } catch (...) {
    return {"ERR_TORCH", "unknown C++ exception"};
  }
}

Napi::Error to_js(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

}  // namespace incremental
