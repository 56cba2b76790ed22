#include "src/optimizers/sgd.h"

#include <algorithm>
#include <utility>

#include "src/optimizers/elementwise.h"

namespace incremental {
SgdOptions::SgdOptions(const Choice& choice)
    : learning_rate(choice.number("learningRate")),
      momentum(choice.number("momentum")),
      dampening(choice.number("dampening")),
      weight_decay(choice.number("weightDecay")),
      nesterov(choice.boolean("nesterov")),
      maximize(choice.boolean("maximize")) {}

Sgd::Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options)
    : ByParameter(std::move(parameters), {{"momentum_buffer", Slot::Shape::kNone}}, options.maximize),
      options_(options) {}

std::optional<Optimizer::Bounds> Sgd::bounds_after(const Bounds& before, double gradient_norm) const {
  const double slope = (gradient_norm + options_.weight_decay * before.weight) * kRounding;
  const double momentum = (options_.momentum * before.state + slope) * kRounding;
  const double direction = options_.nesterov ? (slope + options_.momentum * momentum) * kRounding : momentum;
  const double change = options_.learning_rate * direction * kRounding;
  const double weight = (before.weight + change) * kRounding;
  const bool fits = std::max({slope, momentum, direction, change, weight}) < kLargest;
  return fits ? std::optional(Bounds{weight, options_.momentum == 0 ? 0 : momentum}) : std::nullopt;
}

// The same as the calls of update() below, for each element. ATen's kernels contract a product and a sum into one
// rounding, but not those of two calls.
template <bool kDecay, bool kNesterov>
void Sgd::update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const {
  auto* const parameters = parameter.mutable_data_ptr<float>();
  auto* const buffers = buffer.mutable_data_ptr<float>();
  const auto* const gradients = gradient.const_data_ptr<float>();
  const auto rate = static_cast<float>(options_.learning_rate), momentum = static_cast<float>(options_.momentum),
             share = static_cast<float>(1 - options_.dampening), decay = static_cast<float>(options_.weight_decay);
  over_elements(parameter.numel(), [=](int64_t i) INLINED {
    const float slope = kDecay ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
    const float kept = buffers[i] * momentum;
    const float sum = __builtin_fmaf(slope, share, kept);
    buffers[i] = sum;
    const float change = kNesterov ? __builtin_fmaf(sum, momentum, slope) : sum;
    parameters[i] = __builtin_fmaf(change, -rate, parameters[i]);
  });
}

void Sgd::update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const {
  at::Tensor& buffer = slots.front();
  if (options_.momentum != 0 && fit_one_pass({parameter, buffer, gradient})) {
    const bool decays = options_.weight_decay != 0;
    if (decays && options_.nesterov) return update_at_once<true, true>(parameter, buffer, gradient);
    if (decays) return update_at_once<true, false>(parameter, buffer, gradient);
    if (options_.nesterov) return update_at_once<false, true>(parameter, buffer, gradient);
    return update_at_once<false, false>(parameter, buffer, gradient);
  }
  if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
  if (options_.momentum != 0) {
    if (buffer.defined()) {
      scale(buffer, options_.momentum).add_(gradient, 1 - options_.dampening);
    } else {
      buffer = gradient.clone();
    }
    gradient = options_.nesterov ? gradient.add(buffer, options_.momentum) : buffer;
  }
  parameter.add_(gradient, -options_.learning_rate);
}

}  // namespace incremental
