#include "src/program/forward.h"

#include <utility>

#include "src/program/autocast.h"

namespace incremental {

at::Tensor Forward::operator()(at::Tensor input) {
  const bool is_large = input.dim() > 0 && input.size(0) > variants_.limit;
  std::unique_ptr<Executor>& executor = is_large ? large_batch_ : small_batch_;
  if (!executor) {
    executor = std::make_unique<Executor>(is_large ? variants_.large_batch : variants_.small_batch, tensors_, mode_,
                                          generator_, checks_statistics_);
  }
  if (!bf16_) return executor->run({std::move(input)}).front();
  const Autocast autocast(input.device().type());
  return executor->run({std::move(input)}).front().to(at::kFloat);
}

}  // namespace incremental
