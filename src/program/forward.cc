#include "src/program/forward.h"

#include <utility>

#include "src/program/autocast.h"

namespace incremental {

at::Tensor Forward::operator()(at::Tensor input) {
  Executor& executor = input.dim() > 0 && input.size(0) > limit_ ? many_ : few_;
  if (!bf16_) return executor.run({std::move(input)}).front();
  const Autocast autocast(input.device().type());
  return executor.run({std::move(input)}).front().to(at::kFloat);
}

}  // namespace incremental
