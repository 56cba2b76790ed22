#include "src/device/driver.h"

#include <dlfcn.h>

namespace incremental {
namespace {

// From the header of the CUDA driver, whose interface is stable; no libtorch contains it.
constexpr int kSuccess = 0, kNoDevice = 100;
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

struct Calls {
  int (*init)(unsigned);
  int (*version)(int*);
  int (*count)(int*);
  int (*get)(int*, int);
  int (*name)(char*, int, int);
  int (*memory)(size_t*, int);
  int (*attribute)(int*, int, int);
  int (*error_name)(int, const char**);

  bool open(void* library) {
    return find(library, "cuInit", init) && find(library, "cuDriverGetVersion", version) &&
           find(library, "cuDeviceGetCount", count) && find(library, "cuDeviceGet", get) &&
           find(library, "cuDeviceGetName", name) && find(library, "cuDeviceTotalMem_v2", memory) &&
           find(library, "cuDeviceGetAttribute", attribute) && find(library, "cuGetErrorName", error_name);
  }

  std::string describe(int result) const {
    const char* text = nullptr;
    error_name(result, &text);
    return text ? text : "error " + std::to_string(result);
  }
};

}  // namespace

Driver ask_driver() {
  Driver driver;
  // Never closed: a driver does not survive that.
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  Calls calls;
  if (library == nullptr || !calls.open(library)) {
    driver.problem = library
                         ? "the NVIDIA driver (libcuda.so.1) has not all functions that CUDA needs; install a newer one"
                         : "there is no NVIDIA driver (libcuda.so.1); install it, or give the container its GPUs";
    return driver;
  }
  calls.version(&driver.version);
  int count = 0;
  int result = calls.init(0);
  if (result == kSuccess) result = calls.count(&count);
  if (result == kNoDevice || (result == kSuccess && count == 0)) {
    driver.problem =
        "the NVIDIA driver sees no GPU; look at what nvidia-smi shows, and at CUDA_VISIBLE_DEVICES if it is set";
    return driver;
  }
  if (result != kSuccess) {
    driver.problem = "the NVIDIA driver does not start (" + calls.describe(result) +
                     "); look at what nvidia-smi says. A driver that was just updated needs a restart of the machine";
    return driver;
  }
  for (int i = 0; i < count; ++i) {
    int device = 0;
    char name[256] = "";
    size_t memory = 0;
    DriverDevice found;
    if (calls.get(&device, i) != kSuccess) continue;
    if (calls.name(name, sizeof(name) - 1, device) == kSuccess) found.name = name;
    if (calls.memory(&memory, device) == kSuccess) found.memory_bytes = static_cast<int64_t>(memory);
    calls.attribute(&found.major, kCapabilityMajor, device);
    calls.attribute(&found.minor, kCapabilityMinor, device);
    driver.devices.push_back(std::move(found));
  }
  driver.usable = true;
  return driver;
}

}  // namespace incremental
