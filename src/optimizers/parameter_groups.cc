#include "src/optimizers/parameter_groups.h"

#include <algorithm>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

void check_numbers(const std::vector<ParameterGroup>& groups, size_t count) {
  std::vector<bool> seen(count, false);
  for (const ParameterGroup& group : groups) {
    for (const int64_t number : group.parameters) {
      const auto index = static_cast<size_t>(number);
      check(number >= 0 && index < count && !seen[index], "ERR_INVALID_OPTION",
            "Expected each parameter in at most one group, but number ", number, " of ", count,
            " does not exist or is in two");
      seen[index] = true;
    }
  }
}

}  // namespace

ParameterGroups::ParameterGroups(const std::vector<ParameterGroup>& groups, const std::vector<at::Tensor>& parameters,
                                 OptimizerKernels kernels, const ParameterShapes& shapes)
    : count_(parameters.size()) {
  check_numbers(groups, count_);
  for (const ParameterGroup& group : groups) {
    std::vector<at::Tensor> members;
    members.reserve(group.parameters.size());
    ParameterShapes own;
    own.reserve(group.parameters.size());
    for (const int64_t number : group.parameters) {
      members.push_back(parameters[number]);
      if (!shapes.empty()) own.push_back(shapes.at(number));
    }
    groups_.push_back(
        {group.optimizer, make_optimizer(group.optimizer, members, kernels, std::move(own)), group.parameters});
  }
}

void ParameterGroups::require_grad(const std::vector<ParameterGroup>& groups,
                                   const std::vector<at::Tensor>& parameters) {
  check_numbers(groups, parameters.size());
  for (const ParameterGroup& group : groups) {
    for (const int64_t number : group.parameters) parameters[number].requires_grad_(true);
  }
}

void ParameterGroups::set_options(size_t group, Choice choice) {
  groups_[group].optimizer->set_options(choice);
  groups_[group].choice = std::move(choice);
}

void ParameterGroups::step() {
  for (const Group& group : groups_) group.optimizer->step();
}

std::vector<Slots> ParameterGroups::state() const {
  std::vector<Slots> state(count_);
  for (const Group& group : groups_) {
    std::vector<Slots> own = group.optimizer->state();
    for (size_t i = 0; i < own.size(); ++i) state[group.parameters[i]] = std::move(own[i]);
  }
  return state;
}

void ParameterGroups::restore(const std::vector<Slots>& state) {
  check(state.size() <= count_, "ERR_STATE_MISMATCH", "Expected the state of ", count_,
        " parameters but received that of ", state.size());
  for (const Group& group : groups_) {
    std::vector<Slots> own(group.parameters.size());
    for (size_t i = 0; i < own.size(); ++i) {
      const auto number = static_cast<size_t>(group.parameters[i]);
      if (number < state.size()) own[i] = state[number];
    }
    group.optimizer->restore(own);
  }
}

bool ParameterGroups::is_capturable() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const Group& group) { return group.optimizer->is_capturable(); });
}

std::optional<Optimizer::Bounds> ParameterGroups::bounds_after(const Optimizer::Bounds& before,
                                                               double gradient_norm) const {
  // Frozen parameters stay as they were.
  Optimizer::Bounds after{before.weight, 0};
  for (const Group& group : groups_) {
    const std::optional<Optimizer::Bounds> own = group.optimizer->bounds_after(before, gradient_norm);
    if (!own) return std::nullopt;
    after = {std::max(after.weight, own->weight), std::max(after.state, own->state)};
  }
  return after;
}

}  // namespace incremental
