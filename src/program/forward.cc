#include "src/program/forward.h"

#include <utility>

#include "src/program/autocast.h"

namespace incremental {

at::Tensor Forward::operator()(at::Tensor input) {
  const bool many = input.dim() > 0 && input.size(0) > ways_.limit;
  std::unique_ptr<Executor>& executor = many ? many_ : few_;
  if (!executor) {
    executor =
        std::make_unique<Executor>(many ? ways_.many : ways_.few, tensors_, mode_, generator_, checks_statistics_);
  }
  if (!bf16_) return executor->run({std::move(input)}).front();
  const Autocast autocast(input.device().type());
  return executor->run({std::move(input)}).front().to(at::kFloat);
}

}  // namespace incremental
