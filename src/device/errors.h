// Errors of devices in this library's codes, with advice. Used by src/napi/error.cc.
#pragma once
#include <optional>
#include <string>

#include "src/core/libtorch.h"

namespace incremental {

struct DeviceFailure {
  const char* code;  // ERR_OUT_OF_MEMORY or ERR_DEVICE
  std::string message;
};

// Nothing where `error` is not one of a device.
std::optional<DeviceFailure> explain_device_error(const c10::Error& error);

}  // namespace incremental
