#include "src/train/sgd.h"

#include <utility>

#include "src/core/error.h"

namespace incremental {

Sgd::Sgd(std::vector<at::Tensor> parameters, SgdOptions options, const std::vector<at::Tensor>& momentum_buffers)
    : parameters_(std::move(parameters)), momentum_buffers_(parameters_.size()), options_(options) {
  for (size_t i = 0; i < momentum_buffers.size(); ++i) {
    const at::Tensor& given = momentum_buffers[i];
    if (!given.defined()) continue;
    check(i < parameters_.size() && given.sizes() == parameters_[i].sizes(), "ERR_STATE_MISMATCH",
          "The momentum buffer of parameter ", i, " has shape ", given.sizes(), ", which is not that parameter's");
    // With its strides: kernels round differently where they cannot take a tensor in one run.
    momentum_buffers_[i] = given.to(at::kFloat).clone();
  }
}

void Sgd::step_fused() {
  std::vector<at::Tensor> parameters, gradients, buffers;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) continue;
    if (gradient.strides() != parameters_[i].strides()) gradient = at::empty_like(parameters_[i]).copy_(gradient);
    parameters.push_back(parameters_[i]);
    gradients.push_back(gradient);
    if (options_.momentum == 0) continue;
    // A first step makes the gradient the buffer, as adding it to nothing does.
    if (!momentum_buffers_[i].defined()) momentum_buffers_[i] = at::zeros_like(parameters_[i]);
    buffers.push_back(momentum_buffers_[i]);
  }
  at::_fused_sgd_(parameters, gradients, buffers, options_.weight_decay, options_.momentum, options_.learning_rate,
                  /*dampening=*/0, options_.nesterov, /*maximize=*/false, /*is_first_step=*/false);
  for (at::Tensor& parameter : parameters) parameter.mutable_grad() = at::Tensor();
}

void Sgd::step() {
  at::NoGradGuard no_grad;
  if (options_.fused) return step_fused();
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
