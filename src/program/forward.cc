#include "src/program/forward.h"

#include <ATen/autocast_mode.h>

#include <utility>

namespace incremental {
namespace {

// As `with torch.autocast('cpu', dtype=torch.bfloat16)`: every operator as it is registered there.
class Autocast {
 public:
  Autocast()
      : enabled_(at::autocast::is_autocast_enabled(at::kCPU)), dtype_(at::autocast::get_autocast_dtype(at::kCPU)) {
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, enabled_);
    at::autocast::set_autocast_dtype(at::kCPU, dtype_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  at::ScalarType dtype_;
};

}  // namespace

at::Tensor Forward::operator()(at::Tensor input) {
  Executor& executor = input.dim() > 0 && input.size(0) > limit_ ? many_ : few_;
  if (!bf16_) return executor.run({std::move(input)}).front();
  const Autocast autocast;
  return executor.run({std::move(input)}).front().to(at::kFloat);
}

}  // namespace incremental
