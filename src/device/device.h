// The devices that libtorch can compute on, and what a job needs to work on one. Only libtorch's device-agnostic
// interfaces are used, so that one addon serves builds of libtorch with and without CUDA.
#pragma once
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct DeviceFacts {
  std::string name;
  int64_t memory_bytes;
  std::string capability;  // such as "9.0"
};

struct Devices {
  std::vector<DeviceFacts> list;  // by their indices
  std::string problem;            // why the list is empty, or why the one that was tried does not work
  // Whether PyTorch's defaults, which these are unless somebody set others, let CUDA compute float32 in TF32.
  bool tf32_convolutions = false, tf32_matmuls = false;
};

// Looks for GPUs, and computes a little on the one numbered `tried`, if there is one, to see whether it works. Takes
// some 100 ms at first where there is CUDA. Never throws.
Devices find_devices(int64_t tried);

// "cpu", "cuda:0" …; ERR_INVALID_OPTION for anything else. Does not ask whether there is such a device.
c10::Device to_device(const std::string& name);

// A generator of its own for what a model draws on `device`.
at::Generator make_generator(c10::Device device, uint64_t seed);

// Lives on the stack of a job's thread while the job computes on `device`, longer than all its tensors. What the thread
// asks of the device then runs on a stream of the job's own. When the last such job ends, cached memory goes back.
class DeviceScope {
 public:
  // Throws ERR_DEVICE where there is no such device.
  explicit DeviceScope(c10::Device device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  c10::Device device_;
  std::optional<c10::StreamGuard> stream_;
};

// Keeps a job from running far ahead of its device, so that it can be stopped soon. Does nothing on the CPU.
class Pace {
 public:
  Pace(c10::Device device, size_t most) : device_(device), most_(most) {}

  // After every piece of work: returns when at most `most` pieces are not done yet.
  void mark();

 private:
  c10::Device device_;
  size_t most_;
  std::deque<c10::Event> pieces_;
};

}  // namespace incremental
