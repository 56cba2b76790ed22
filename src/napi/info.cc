// What was built and what is loaded; for `doctor` and for error messages.
#include <napi.h>

#include <torch/headeronly/version.h>

#include "src/core/libtorch.h"
#include "src/napi/exports.h"

namespace incremental {

void export_info(Napi::Env env, Napi::Object exports) {
  exports["info"] = Napi::Function::New(
      env,
      [](const Napi::CallbackInfo& call) {
        Napi::Object info = Napi::Object::New(call.Env());
        info["builtFor"] = TORCH_VERSION;
        info["cpuCapability"] = at::get_cpu_capability();
        info["parallel"] = at::get_parallel_info();
        // As it was before the first job: jobs set the process-wide count.
        static const int threads = at::get_num_threads();
        info["threads"] = threads;
        info["cuda"] = at::hasCUDA();
        return info;
      },
      "info");
}

}  // namespace incremental
