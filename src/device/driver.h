// Facts about NVIDIA's driver and its devices, from the driver's own C interface, which is opened by name. That needs
// no CUDA libraries, answers where libtorch would only warn on standard error, and has the names of devices, which
// libtorch's device-agnostic interfaces do not have.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace incremental {

struct DriverDevice {
  std::string name;
  int64_t memory_bytes = 0;
  int major = 0, minor = 0;  // compute capability
};

struct Driver {
  bool usable = false;
  std::string problem;                // why not
  int version = 0;                    // the newest CUDA it serves: 1000 * major + 10 * minor
  std::vector<DriverDevice> devices;  // those that CUDA_VISIBLE_DEVICES leaves
};

// Takes some 100 ms at first where there is a driver.
Driver ask_driver();

}  // namespace incremental
