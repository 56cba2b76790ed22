#include "src/optimizers/by_parameter.h"

#include <ATen/ScalarOps.h>

#include <algorithm>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

// Factors of images in channels_last memory lie there too.
at::Tensor laid_out_as(const at::Tensor& parameter, const at::Tensor& factor) {
  constexpr auto kLast = at::MemoryFormat::ChannelsLast;
  const bool is_last = factor.dim() == 4 && !parameter.is_contiguous() && parameter.is_contiguous(kLast);
  return is_last ? factor.contiguous(kLast) : factor;
}

}  // namespace

ByParameter::ByParameter(std::vector<at::Tensor> parameters, std::vector<Slot> slots, bool maximize,
                         ParameterShapes shapes)
    : parameters_(std::move(parameters)),
      shapes_(std::move(shapes)),
      slots_(std::move(slots)),
      state_(parameters_.size()),
      maximize_(maximize) {}

void ByParameter::step() {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& parameter = parameters_[i];
    at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;  // nothing the loss depends on
    if (state_[i].empty()) {
      for (const Slot& slot : slots_) state_[i].push_back(started(slot, i));
    }
    update(parameter, maximize_ ? gradient.neg() : std::move(gradient), state_[i]);
    parameter.mutable_grad() = at::Tensor();
  }
}

std::optional<std::vector<int64_t>> ByParameter::shape_of(const Slot& slot, size_t parameter) const {
  using Shape = Slot::Shape;
  if (slot.shape == Shape::kNone) return std::nullopt;
  if (slot.shape == Shape::kNumber) return std::vector<int64_t>();
  const at::Tensor& tensor = parameters_[parameter];
  std::vector<int64_t> shape = shapes_.empty() ? tensor.sizes().vec() : shapes_[parameter];
  if (slot.shape == Shape::kParameter) return tensor.sizes().vec();
  const bool is_vector = shape.size() < 2;
  if (is_vector != (slot.shape == Shape::kVector)) return std::nullopt;
  if (!is_vector) shape.end()[slot.shape == Shape::kRows ? -1 : -2] = 1;
  return shape;
}

at::Tensor ByParameter::started(const Slot& slot, size_t parameter) const {
  const std::optional<std::vector<int64_t>> shape = shape_of(slot, parameter);
  if (!shape) return {};
  if (slot.shape == Slot::Shape::kNumber) return at::full({}, slot.start, at::kFloat);
  const at::Tensor& tensor = parameters_[parameter];
  // With the parameter's strides, where it has its shape.
  if (*shape == tensor.sizes()) return at::full_like(tensor, slot.start).detach();
  return laid_out_as(tensor, at::full(*shape, slot.start, at::device(tensor.device()).dtype(tensor.dtype())));
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
    for (const Slot& slot : slots_) restored[i].push_back(started(slot, i));
    for (const NamedTensor& given : state[i]) {
      const std::string& name = given.name;
      const at::Tensor& tensor = given.tensor;
      const auto found =
          std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return name == slot.name; });
      check(found != slots_.end(), "ERR_STATE_MISMATCH", "This optimizer keeps no ", name, " of a parameter");
      const bool is_number = found->shape == Slot::Shape::kNumber;
      const auto shape = found->shape == Slot::Shape::kNone ? parameter.sizes().vec() : shape_of(*found, i);
      check(shape.has_value(), "ERR_STATE_MISMATCH", "This optimizer keeps no ", name, " of parameter ", i,
            ", whose shape is ", parameter.sizes());
      // A factor that has the shape of the whole parameter comes as fast mode keeps that.
      const bool is_whole = tensor.sizes() == parameter.sizes() && tensor.numel() == c10::multiply_integers(*shape);
      const bool is_alike = tensor.sizes() == at::IntArrayRef(*shape);
      check(is_number ? tensor.numel() == 1 : is_alike || is_whole, "ERR_STATE_MISMATCH", "The ", name,
            " of parameter ", i, " has shape ", tensor.sizes(), ", which is not ",
            is_number ? "that of a number" : "the one that follows from that parameter's");
      // With its strides: kernels round differently where they cannot take a tensor in one run.
      const at::Tensor shaped = is_alike ? tensor : tensor.reshape(*shape);
      at::Tensor own =
          is_number ? shaped.to(at::kFloat).clone() : shaped.to(parameter.device(), parameter.scalar_type()).clone();
      const bool is_factor = found->shape == Slot::Shape::kRows || found->shape == Slot::Shape::kColumns;
      restored[i][found - slots_.begin()] = is_factor ? laid_out_as(parameter, own) : own;
    }
  }
  state_ = std::move(restored);
}

at::Tensor decayed(const at::Tensor& parameter, const at::Tensor& gradient, double rate, double weight_decay,
                   bool decoupled) {
  if (weight_decay == 0) return gradient;
  if (!decoupled) return gradient.add(parameter, weight_decay);
  scale(parameter, 1 - rate * weight_decay);
  return gradient;
}

at::Tensor scale(const at::Tensor& tensor, double factor) {
  return tensor.mul_(at::native::wrapped_scalar_tensor(factor));
}

double count_step(at::Tensor& steps) {
  steps.add_(1);
  return steps.item<double>();
}

}  // namespace incremental
