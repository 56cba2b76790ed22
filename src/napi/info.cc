// Facts about the build and about what is loaded; for `doctor` and for error messages.
#include <napi.h>

#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>

#include <string>

#include "src/core/libtorch.h"
#include "src/device/device.h"
#include "src/napi/exports.h"
#include "src/napi/promise_worker.h"

namespace incremental {
namespace {

Napi::Value find(const Napi::CallbackInfo& call) {
  const int64_t tried = call[0].As<Napi::Number>().Int64Value();
  const auto work = [tried] { return find_devices(tried); };
  return PromiseWorker<Devices>::start(call.Env(), work, [](Napi::Env env, Devices& devices) {
    Napi::Array list = Napi::Array::New(env, devices.list.size());
    for (uint32_t i = 0; i < devices.list.size(); ++i) {
      Napi::Object item = Napi::Object::New(env);
      item["name"] = devices.list[i].name;
      item["memoryBytes"] = static_cast<double>(devices.list[i].memory_bytes);
      item["capability"] = devices.list[i].capability;
      list[i] = item;
    }
    Napi::Object found = Napi::Object::New(env);
    found["devices"] = list;
    found["problem"] = devices.problem;
    found["tf32Convolutions"] = devices.tf32_convolutions;
    found["tf32Matmuls"] = devices.tf32_matmuls;
    return found;
  });
}

}  // namespace

void export_info(Napi::Env env, Napi::Object exports) {
  exports["info"] = Napi::Function::New(
      env,
      [](const Napi::CallbackInfo& call) {
        Napi::Object info = Napi::Object::New(call.Env());
        info["builtFor"] = TORCH_VERSION;
        info["cpuCapability"] = at::get_cpu_capability();
        // As it was before the first job: jobs set the process-wide count.
        static const int threads = at::get_num_threads();
        static const std::string parallel = at::get_parallel_info();
        info["threads"] = threads;
        info["parallel"] = parallel;
        // Whether it is in libtorch; whether there is a GPU takes longer to find out.
        info["cuda"] = at::detail::getCUDAHooks().isBuilt();
        return info;
      },
      "info");
  export_function(env, exports, "findDevices", find);
}

}  // namespace incremental
