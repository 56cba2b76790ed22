// As `with torch.autocast(device, dtype=torch.bfloat16)`, or another dtype, or `enabled=False`: while it lives, each
// operator computes in the type that libtorch's list says. What it cast stays cast for as long, so make one for each
// forward pass.
#pragma once
#include <ATen/autocast_mode.h>

#include "src/core/libtorch.h"

namespace incremental {

class Autocast {
 public:
  explicit Autocast(c10::DeviceType device, bool enabled = true, at::ScalarType dtype = at::kBFloat16)
      : device_(device),
        enabled_(at::autocast::is_autocast_enabled(device)),
        dtype_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, dtype);
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, enabled_);
    at::autocast::set_autocast_dtype(device_, dtype_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool enabled_;
  at::ScalarType dtype_;
};

}  // namespace incremental
