// A piece of work for a device, recorded once and then started with one call: a training step is some 60 small kernels,
// and asking for each of them takes the host longer than running it takes the device.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "src/core/libtorch.h"

namespace incremental {

class DeviceGraph {
 public:
  DeviceGraph();
  ~DeviceGraph();
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;

  // Why nothing can be captured for `device` with this libtorch; "" where it can.
  static std::string unavailable(c10::Device device);

  // Records what `work` asks of the device, instead of doing it, on the current stream, which must not be the default
  // one. The work's tensors must stay where they are. Throws what refused to be captured; nothing was done then.
  void capture(const std::function<void()>& work);

  // Does the work, on the current stream.
  void replay();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace incremental
