// Groups of parameters, each with an optimizer of its own, as torch.optim's param_groups. A run has at least one;
// parameters that are in none are frozen.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/optimizers/optimizer.h"

namespace incremental {

struct ParameterGroup {
  Choice optimizer;
  std::vector<int64_t> parameters;  // by their numbers in the program, growing
};

class ParameterGroups {
 public:
  // `parameters`: the program's, which state() and restore() count. `shapes`: as make_optimizer() takes them. Throws
  // ERR_INVALID_OPTION where a number is not one of them, or in two groups.
  ParameterGroups(const std::vector<ParameterGroup>& groups, const std::vector<at::Tensor>& parameters,
                  OptimizerKernels kernels = OptimizerKernels::kExact, const ParameterShapes& shapes = {});

  // Sets requires_grad where a parameter is in a group, which it checks likewise, so that no backward pass is made for
  // the others.
  static void require_grad(const std::vector<ParameterGroup>& groups, const std::vector<at::Tensor>& parameters);

  // The optimizers of the groups, in their order, and other options for one of them: see Optimizer::set_options.
  size_t size() const { return groups_.size(); }
  const Choice& options(size_t group) const { return groups_[group].choice; }
  void set_options(size_t group, Choice choice);

  // As those of Optimizer, of all groups.
  void step();
  std::vector<Slots> state() const;
  void restore(const std::vector<Slots>& state);
  bool is_capturable() const;
  std::optional<Optimizer::Bounds> bounds_after(const Optimizer::Bounds& before, double gradient_norm) const;

 private:
  struct Group {
    Choice choice;
    std::unique_ptr<Optimizer> optimizer;
    std::vector<int64_t> parameters;
  };

  std::vector<Group> groups_;
  size_t count_;  // parameters of the program
};

}  // namespace incremental
