#include "src/online/finite.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace incremental {
namespace {

// Far enough below the largest float for every rounding on the way.
constexpr double kLimit = static_cast<double>(std::numeric_limits<float>::max()) / 16;
constexpr double kRounding = 1.0001;

double largest_of(const std::vector<at::Tensor>& tensors) {
  double largest = 0;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.numel() == 0) continue;
    const auto value = tensor.abs().max().item<double>();
    if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, value);
  }
  return largest;
}

}  // namespace

bool all_finite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return true;
  if (tensor.scalar_type() == at::kFloat && tensor.is_contiguous()) {
    const auto* values = tensor.const_data_ptr<float>();
    // A product with 0 is 0, or NaN where the factor is not finite.
    float sum = 0;
    for (int64_t i = 0; i < tensor.numel(); ++i) sum += values[i] * 0.0F;
    return sum == 0;
  }
  return at::isfinite(tensor).all().item<bool>();
}

std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  copies.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) copies.push_back(tensor.defined() ? tensor.clone() : tensor);
  return copies;
}

bool lost_finiteness(const std::vector<at::Tensor>& before, const std::vector<at::Tensor>& now) {
  for (size_t i = 0; i < now.size(); ++i) {
    if (!now[i].defined() || all_finite(now[i])) continue;
    if (!before[i].defined() || all_finite(before[i])) return true;
  }
  return false;
}

GuardedSteps::Bounds GuardedSteps::measured(const Sgd& optimizer, const Weights& weights) {
  return {largest_of(weights.parameters()), largest_of(optimizer.momentum_buffers())};
}

std::optional<GuardedSteps::Bounds> GuardedSteps::after(const Bounds& before, const SgdOptions& options,
                                                        double gradient_norm) {
  const double slope = (gradient_norm + options.weight_decay * before.weight) * kRounding;
  const double momentum = (options.momentum * before.momentum + slope) * kRounding;
  const double direction = options.nesterov ? (slope + options.momentum * momentum) * kRounding : momentum;
  const double change = options.learning_rate * direction * kRounding;
  const double weight = (before.weight + change) * kRounding;
  const bool fits = std::max({slope, momentum, direction, change, weight}) < kLimit;
  return fits ? std::optional(Bounds{weight, options.momentum == 0 ? 0 : momentum}) : std::nullopt;
}

bool GuardedSteps::step(std::unique_ptr<Sgd>& optimizer, const Weights& weights, const SgdOptions& options,
                        double gradient_norm) {
  at::NoGradGuard no_grad;
  std::optional<Bounds> next;
  if (bounds_) next = after(*bounds_, options, gradient_norm);
  if (!next) next = after(measured(*optimizer, weights), options, gradient_norm);
  bounds_ = next;
  if (next) {
    optimizer->step();
    return true;
  }
  const std::vector<at::Tensor> parameters = copies_of(weights.parameters());
  const std::vector<at::Tensor> momentum = copies_of(optimizer->momentum_buffers());
  optimizer->step();
  if (!lost_finiteness(parameters, weights.parameters()) && !lost_finiteness(momentum, optimizer->momentum_buffers())) {
    return true;
  }
  for (size_t i = 0; i < parameters.size(); ++i) weights.parameters()[i].copy_(parameters[i]);
  optimizer = std::make_unique<Sgd>(weights.parameters(), options, momentum);
  return false;
}

}  // namespace incremental
