#include "src/state/edit.h"

#include "src/core/error.h"

namespace incremental {
namespace {

at::Tensor average_of(const States& states, size_t index) {
  const at::Tensor& last = (*states.back())[index].tensor;
  if (!last.is_floating_point() && !last.is_complex()) return last;
  const at::ScalarType wide = last.is_complex() ? at::kComplexDouble : at::kDouble;
  at::Tensor sum = at::zeros(last.sizes(), wide);
  for (const auto& state : states) sum.add_((*state)[index].tensor.to(wide));
  return sum.div_(static_cast<double>(states.size())).to(last.scalar_type());
}

}  // namespace

std::shared_ptr<const StateDict> grow_tensors(const std::vector<GrownTensor>& tensors, uint64_t seed) {
  at::NoGradGuard no_grad;
  std::vector<InitialTensor> wanted;
  std::vector<Draw> draws;
  wanted.reserve(tensors.size());
  for (const GrownTensor& grown : tensors) {
    at::IntArrayRef shape(grown.wanted.shape);
    check(!shape.empty() && grown.rows.dim() == static_cast<int64_t>(shape.size()) && grown.rows.size(0) <= shape[0] &&
              grown.rows.sizes().slice(1) == shape.slice(1),
          "ERR_SHAPE", "\"", grown.wanted.name, "\" of shape ", grown.rows.sizes(), " has no place in rows of ", shape);
    draws.push_back({wanted.size(), grown.initialiser});
    wanted.push_back(grown.wanted);
  }
  auto state = create_state(wanted, draws, seed);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor& rows = tensors[i].rows;
    (*state)[i].tensor.narrow(0, 0, rows.size(0)).copy_(rows);
  }
  return state;
}

std::shared_ptr<const StateDict> average_states(const States& states) {
  at::NoGradGuard no_grad;
  check(!states.empty(), "ERR_INVALID_OPTION", "Expected states to average");
  const StateDict& first = *states.front();
  for (const auto& state : states) {
    check(state->size() == first.size(), "ERR_STATE_MISMATCH", "Expected states of ", first.size(), " tensors");
    for (size_t i = 0; i < first.size(); ++i) {
      const at::Tensor &one = first[i].tensor, &other = (*state)[i].tensor;
      check(one.sizes() == other.sizes() && one.scalar_type() == other.scalar_type(), "ERR_STATE_MISMATCH", "\"",
            first[i].name, "\" has other shapes or dtypes");
    }
  }
  auto average = std::make_shared<StateDict>();
  average->reserve(first.size());
  for (size_t i = 0; i < first.size(); ++i) average->push_back({first[i].name, average_of(states, i)});
  return average;
}

}  // namespace incremental
