#include "src/optimizers/by_parameter.h"

#include <algorithm>
#include <utility>

#include "src/core/error.h"

namespace incremental {

ByParameter::ByParameter(std::vector<at::Tensor> parameters, std::vector<Slot> slots, bool maximize)
    : parameters_(std::move(parameters)), slots_(std::move(slots)), state_(parameters_.size()), maximize_(maximize) {}

void ByParameter::step() {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& parameter = parameters_[i];
    at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;  // nothing the loss depends on
    if (state_[i].empty()) {
      for (const Slot& slot : slots_) state_[i].push_back(started(slot, parameter));
    }
    update(parameter, maximize_ ? gradient.neg() : std::move(gradient), state_[i]);
    parameter.mutable_grad() = at::Tensor();
  }
}

at::Tensor ByParameter::started(const Slot& slot, const at::Tensor& parameter) const {
  switch (slot.shape) {
    case Slot::Shape::kParameter:
      return at::full_like(parameter, slot.start).detach();
    case Slot::Shape::kNumber:
      return at::full({}, slot.start, at::kFloat);
    case Slot::Shape::kNone:
      break;
  }
  return {};
}

std::vector<Slots> ByParameter::state() const {
  std::vector<Slots> state(parameters_.size());
  for (size_t i = 0; i < state.size(); ++i) {
    for (size_t k = 0; k < state_[i].size(); ++k) {
      if (state_[i][k].defined()) state[i].push_back({slots_[k].name, state_[i][k]});
    }
  }
  return state;
}

void ByParameter::restore(const std::vector<Slots>& state) {
  at::NoGradGuard no_grad;
  check(state.size() <= parameters_.size(), "ERR_STATE_MISMATCH", "Expected the state of ", parameters_.size(),
        " parameters but received that of ", state.size());
  std::vector<std::vector<at::Tensor>> restored(parameters_.size());
  for (size_t i = 0; i < state.size(); ++i) {
    if (state[i].empty()) continue;
    const at::Tensor& parameter = parameters_[i];
    for (const Slot& slot : slots_) restored[i].push_back(started(slot, parameter));
    for (const NamedTensor& given : state[i]) {
      const std::string& name = given.name;
      const at::Tensor& tensor = given.tensor;
      const auto found =
          std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return name == slot.name; });
      check(found != slots_.end(), "ERR_STATE_MISMATCH", "This optimizer keeps no ", name, " of a parameter");
      const bool is_number = found->shape == Slot::Shape::kNumber;
      check(is_number ? tensor.numel() == 1 : tensor.sizes() == parameter.sizes(), "ERR_STATE_MISMATCH", "The ", name,
            " of parameter ", i, " has shape ", tensor.sizes(), ", which is not ",
            is_number ? "that of a number" : "that parameter's");
      // With its strides: kernels round differently where they cannot take a tensor in one run.
      restored[i][found - slots_.begin()] = is_number ? tensor.to(at::kFloat).reshape({}).clone()
                                                      : tensor.to(parameter.device(), parameter.scalar_type()).clone();
    }
  }
  state_ = std::move(restored);
}

at::Tensor decayed(const at::Tensor& parameter, const at::Tensor& gradient, double rate, double weight_decay,
                   bool decoupled) {
  if (weight_decay == 0) return gradient;
  if (!decoupled) return gradient.add(parameter, weight_decay);
  parameter.mul_(1 - rate * weight_decay);
  return gradient;
}

double count_step(at::Tensor& steps) {
  steps.add_(1);
  return steps.item<double>();
}

}  // namespace incremental
