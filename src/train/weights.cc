#include "src/train/weights.h"

#include <algorithm>

#include "src/core/error.h"
#include "src/program/stored.h"

namespace incremental {
namespace {

at::Tensor copy_of(const ProgramTensor& wanted, const StateDict& state) {
  auto found =
      std::find_if(state.begin(), state.end(), [&](const NamedTensor& item) { return item.name == wanted.name; });
  check(found != state.end(), "ERR_STATE_MISMATCH", "The state has no tensor named \"", wanted.name, "\"");
  check(found->tensor.sizes() == at::IntArrayRef(wanted.shape), "ERR_STATE_MISMATCH", "Expected shape ",
        at::IntArrayRef(wanted.shape), " for \"", wanted.name, "\" but the state has ", found->tensor.sizes());
  return to_stored(wanted, at::empty(wanted.shape, wanted.dtype).copy_(found->tensor));
}

}  // namespace

Weights::Weights(const Program& program, const StateDict& state) {
  at::NoGradGuard no_grad;
  for (const ProgramTensor& wanted : program.parameters) {
    wanted_.push_back(wanted);
    parameters_.push_back(copy_of(wanted, state));
  }
  for (const ProgramTensor& wanted : program.buffers) {
    wanted_.push_back(wanted);
    buffers_.push_back(copy_of(wanted, state));
  }
}

std::vector<at::Tensor> Weights::all() const {
  std::vector<at::Tensor> tensors = parameters_;
  tensors.insert(tensors.end(), buffers_.begin(), buffers_.end());
  return tensors;
}

void Weights::require_grad() const {
  for (const at::Tensor& parameter : parameters_) parameter.requires_grad_(true);
}

std::shared_ptr<const StateDict> Weights::release(const std::vector<std::string>& names) const {
  const std::vector<at::Tensor> tensors = all();
  auto state = std::make_shared<StateDict>();
  for (const std::string& name : names) {
    auto found = std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& wanted) { return wanted.name == name; });
    check(found != wanted_.end(), "ERR_INVALID_OPTION", "The program has no tensor named \"", name, "\"");
    state->push_back({name, from_stored(*found, tensors[found - wanted_.begin()].detach())});
  }
  return state;
}

std::shared_ptr<const StateDict> Weights::copy(const std::vector<std::string>& names) const {
  at::NoGradGuard no_grad;
  auto state = std::make_shared<StateDict>(*release(names));
  for (NamedTensor& item : *state) item.tensor = item.tensor.clone();
  return state;
}

}  // namespace incremental
