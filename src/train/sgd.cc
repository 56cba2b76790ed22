#include "src/train/sgd.h"

#include <utility>

#include "src/core/error.h"

// One version for each kind of processor, chosen when the addon is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace incremental {
namespace {

// What mul_(momentum), add_(gradient) and add_(buffer, -rate) do to each element, in one pass over memory instead of
// three. ATen's kernels contract a product and a sum into one rounding, but not those of two calls.
FOR_EACH_PROCESSOR void update(float* parameter, float* buffer, const float* gradient, int64_t count, float momentum,
                               float rate) {
  for (int64_t i = 0; i < count; ++i) {
    const float kept = buffer[i] * momentum;
    const float sum = kept + gradient[i];
    buffer[i] = sum;
    parameter[i] = __builtin_fmaf(sum, -rate, parameter[i]);
  }
}

// ATen's kernels for older processors round products too.
bool contracts() {
#ifdef __x86_64__
  static const bool contracted = at::get_cpu_capability().starts_with("AVX");
  return contracted;
#else
  return false;
#endif
}

bool is_plain(const at::Tensor& tensor) { return tensor.scalar_type() == at::kFloat && tensor.is_contiguous(); }

}  // namespace

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

bool Sgd::can_update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const {
  return contracts() && !options_.nesterov && is_plain(parameter) && is_plain(buffer) && is_plain(gradient);
}

void Sgd::update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const {
  constexpr int64_t kGrain = 32768;  // at::internal::GRAIN_SIZE
  auto* const parameters = parameter.mutable_data_ptr<float>();
  auto* const buffers = buffer.mutable_data_ptr<float>();
  const auto* const gradients = gradient.const_data_ptr<float>();
  const auto momentum = static_cast<float>(options_.momentum), rate = static_cast<float>(options_.learning_rate);
  at::parallel_for(0, parameter.numel(), kGrain, [&](int64_t begin, int64_t end) {
    update(parameters + begin, buffers + begin, gradients + begin, end - begin, momentum, rate);
  });
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
      if (buffer.defined() && can_update_at_once(parameter, buffer, gradient)) {
        update_at_once(parameter, buffer, gradient);
        parameter.mutable_grad() = at::Tensor();
        continue;
      }
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
