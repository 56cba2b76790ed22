#include "src/device/device.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <thread>

#include "src/core/error.h"
#include "src/device/driver.h"
#include "src/device/errors.h"

namespace incremental {
namespace {

std::atomic<int> scopes = 0;

std::string version_text(int version) { return c10::str(version / 1000, ".", version % 1000 / 10); }

// Gives memory that the allocator caches back to the system. Best effort: on a lost device even this fails, and while
// another job captures a graph it is refused.
void release_cached_memory(c10::DeviceType type) noexcept {
  try {
    c10::getDeviceAllocator(type)->emptyCache();
  } catch (...) {
  }
}

// Throws where libtorch has no code for such a GPU, or it is not available.
void try_out(c10::Device device) {
  TORCH_CHECK(at::ones({2}, at::device(device)).sum().item<float>() == 2, device.str(), " computes wrong results");
}

}  // namespace

Devices find_devices(int64_t tried) {
  Devices devices;
  try {
    const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
    if (!hooks.isBuilt()) {
      devices.problem = "this libtorch is built without CUDA";
      return devices;
    }
    const Driver driver = ask_driver();
    devices.problem = driver.problem;
    if (!driver.usable) return devices;
    // Drivers serve every older CUDA, and newer ones of the same major version.
    const auto needed = static_cast<int>(hooks.versionCUDART());
    if (driver.version / 1000 < needed / 1000) {
      devices.problem =
          c10::str("the NVIDIA driver is too old: it serves CUDA ", version_text(driver.version),
                   ", and this libtorch is built for CUDA ", version_text(needed), "; install a newer driver");
      return devices;
    }
    const auto count = static_cast<size_t>(std::max(0, hooks.getNumGPUs()));
    for (size_t i = 0; i < count; ++i) {
      const DriverDevice known = i < driver.devices.size() ? driver.devices[i] : DriverDevice{};
      devices.list.push_back({known.name, known.memory_bytes, c10::str(known.major, ".", known.minor)});
    }
    if (devices.list.empty()) devices.problem = "libtorch finds no usable GPU although the driver has some";
    devices.tf32_convolutions = at::globalContext().allowTF32CuDNN();
    devices.tf32_matmuls = at::globalContext().allowTF32CuBLAS();
    if (tried >= 0 && tried < static_cast<int64_t>(count)) {
      try_out({c10::kCUDA, static_cast<c10::DeviceIndex>(tried)});
    }
  } catch (const c10::Error& error) {
    const auto explained = explain_device_error(error);
    devices.problem = explained ? explained->message : error.what_without_backtrace();
  } catch (const std::exception& error) {
    devices.problem = error.what();
  }
  return devices;
}

c10::Device to_device(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  constexpr std::string_view prefix = "cuda:";
  int index = -1;
  const char* end = name.data() + name.size();
  const bool parsed =
      name.starts_with(prefix) && std::from_chars(name.data() + prefix.size(), end, index).ptr == end && index >= 0;
  check(parsed && index < 128, "ERR_INVALID_OPTION",
        "Expected \"cpu\" or \"cuda:N\" for \"device\" of a plan but received \"", name, "\"");
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

at::Generator make_generator(c10::Device device, uint64_t seed) {
  if (device.is_cpu()) return at::detail::createCPUGenerator(seed);
  at::Generator generator = at::detail::getCUDAHooks().getNewGenerator(device.index());
  generator.set_current_seed(seed);
  return generator;
}

DeviceScope::DeviceScope(c10::Device device) : device_(device) {
  if (device.is_cpu()) return;
  const Devices devices = find_devices(-1);
  check(device.index() < static_cast<int>(devices.list.size()), "ERR_DEVICE", "Expected a device that is there but ",
        device.str(),
        " is not: ", devices.list.empty() ? devices.problem : c10::str("there are ", devices.list.size()));
  at::globalContext().lazyInitDevice(device.type());
  // Not the default stream, on which nothing can be captured.
  stream_.emplace(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device));
  ++scopes;
}

DeviceScope::~DeviceScope() {
  if (!stream_) return;
  stream_.reset();
  if (--scopes == 0) release_cached_memory(device_.type());
}

void Pace::mark() {
  if (device_.is_cpu()) return;
  pieces_.emplace_back(device_.type());
  pieces_.back().record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  for (; pieces_.size() > most_; pieces_.pop_front()) {
    // Not Event::synchronize, which keeps a core busy all the while.
    while (!pieces_.front().query()) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

}  // namespace incremental
