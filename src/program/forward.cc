#include "src/program/forward.h"

#include <utility>

#include "src/core/error.h"
#include "src/program/autocast.h"

namespace incremental {

std::vector<at::Tensor> Forward::operator()(std::vector<at::Tensor> inputs) {
  check(!inputs.empty(), "ERR_SHAPE", "Expected at least one input");
  const c10::DeviceType device = inputs.front().device().type();
  const bool is_large = inputs.front().dim() > 0 && inputs.front().size(0) > variants_.limit;
  std::unique_ptr<Executor>& executor = is_large ? large_batch_ : small_batch_;
  if (!executor) {
    executor = std::make_unique<Executor>(is_large ? variants_.large_batch : variants_.small_batch, tensors_, mode_,
                                          generator_, checks_statistics_);
  }
  if (!bf16_) return executor->run(std::move(inputs));
  const Autocast autocast(device);
  std::vector<at::Tensor> outputs = executor->run(std::move(inputs));
  for (at::Tensor& output : outputs) {
    if (output.is_floating_point()) output = output.to(at::kFloat);
  }
  return outputs;
}

}  // namespace incremental
