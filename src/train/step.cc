#include "src/train/step.h"

#include <utility>

#include "src/core/error.h"

namespace incremental {

at::Tensor add_gradients(Forward& forward, Loss& loss, const Batch& batch, const BeforeBackward& before_backward,
                         int64_t share) {
  at::Tensor value = loss(forward(batch.inputs), batch.targets, batch.samples());
  if (before_backward && !before_backward(value)) return value;
  check(value.requires_grad(), "ERR_INVALID_OPTION",
        "The loss depends on none of the parameters that are trained, since they are frozen or not used: train others");
  if (share == 1) {
    value.backward();
  } else {
    (value / static_cast<double>(share)).backward();
  }
  return value;
}

Step::Step(Forward forward, std::unique_ptr<Loss> loss, ParameterGroups optimizer, std::vector<at::Tensor> parameters)
    : forward_(std::move(forward)),
      loss_(std::move(loss)),
      optimizer_(std::move(optimizer)),
      parameters_(std::move(parameters)) {}

at::Tensor Step::run(const Batch& batch, const BeforeBackward& before_backward) {
  at::Tensor loss = gradients(batch, before_backward);
  optimizer_.step();
  return loss;
}

at::Tensor Step::gradients(const Batch& batch, const BeforeBackward& before_backward, int64_t share) {
  return add_gradients(forward_, *loss_, batch, before_backward, share);
}

void Step::limit_gradients(const GradientLimits& limits) const {
  if (limits.norm > 0) limit_gradients(limits.norm);
  if (limits.value == 0) return;
  at::NoGradGuard no_grad;
  for (const at::Tensor& parameter : parameters_) {
    if (parameter.grad().defined()) parameter.mutable_grad().clamp_(-limits.value, limits.value);
  }
}

// As torch.nn.utils.clip_grad_norm_ does it (torch/nn/utils/clip_grad.py).
double Step::limit_gradients(double limit) const {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients, norms;
  for (const at::Tensor& parameter : parameters_) {
    if (!parameter.grad().defined()) continue;
    gradients.push_back(parameter.grad());
    norms.push_back(at::linalg_vector_norm(gradients.back()));
  }
  if (norms.empty()) return 0;
  const at::Tensor total = at::linalg_vector_norm(at::stack(norms));
  const auto norm = total.item<double>();
  if (limit > 0) {
    const at::Tensor factor = at::clamp_max(limit / (total + 1e-6), 1.0);
    for (at::Tensor& gradient : gradients) gradient.mul_(factor);
  }
  return norm;
}

}  // namespace incremental
