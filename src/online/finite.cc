#include "src/online/finite.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace incremental {
namespace {

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

std::vector<Slots> copies_of(std::vector<Slots> state) {
  for (Slots& slots : state) {
    for (NamedTensor& slot : slots) slot.tensor = slot.tensor.clone();
  }
  return state;
}

std::vector<at::Tensor> tensors_in(const Slots& slots) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : slots) tensors.push_back(tensor);
  return tensors;
}

double largest_of(const std::vector<Slots>& state) {
  double largest = 0;
  for (const Slots& slots : state) largest = std::max(largest, largest_of(tensors_in(slots)));
  return largest;
}

bool lost_finiteness(const std::vector<Slots>& before, const std::vector<Slots>& now) {
  for (size_t i = 0; i < now.size(); ++i) {
    std::vector<at::Tensor> known = tensors_in(before[i]);
    known.resize(now[i].size());  // before the first step there were none
    if (incremental::lost_finiteness(known, tensors_in(now[i]))) return true;
  }
  return false;
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

bool GuardedSteps::step(ParameterGroups& optimizer, const Weights& weights, double gradient_norm, bool averaged) {
  at::NoGradGuard no_grad;
  std::optional<Optimizer::Bounds> next;
  if (bounds_) next = optimizer.bounds_after(*bounds_, gradient_norm);
  if (!next) {
    const Optimizer::Bounds measured{largest_of(weights.parameters()), largest_of(optimizer.state())};
    next = optimizer.bounds_after(measured, gradient_norm);
  }
  bounds_ = next;
  if (next) {
    optimizer.step();
    return true;
  }
  const std::vector<at::Tensor> parameters = copies_of(weights.parameters());
  const std::vector<Slots> state = copies_of(optimizer.state());
  optimizer.step();
  const bool fits = !averaged || largest_of(weights.parameters()) <= Optimizer::kLargest;
  if (fits && !lost_finiteness(parameters, weights.parameters()) && !lost_finiteness(state, optimizer.state())) {
    return true;
  }
  for (size_t i = 0; i < parameters.size(); ++i) weights.parameters()[i].copy_(parameters[i]);
  optimizer.restore(state);
  return false;
}

}  // namespace incremental
