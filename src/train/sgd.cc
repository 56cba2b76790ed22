#include "src/train/sgd.h"

#include <utility>

namespace incremental {

Sgd::Sgd(std::vector<at::Tensor> parameters, SgdOptions options)
    : parameters_(std::move(parameters)), momentum_buffers_(parameters_.size()), options_(options) {}

void Sgd::step() {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;  // nothing the loss depends on
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    if (options_.momentum != 0) {
      at::Tensor& buffer = momentum_buffers_[i];
      if (buffer.defined()) {
        buffer.mul_(options_.momentum).add_(gradient);
      } else {
        buffer = gradient.clone();
      }
      gradient = options_.nesterov ? gradient.add(buffer, options_.momentum) : buffer;
    }
    parameter.add_(gradient, -options_.learning_rate);
    parameter.mutable_grad() = at::Tensor();
  }
}

}  // namespace incremental
