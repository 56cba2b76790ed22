// The momentum that cyclicLR and oneCycleLR move against the learning rate: the first beta of optimizers that have
// betas, else the option momentum.
#pragma once
#include <functional>
#include <vector>

#include "src/core/choice.h"
#include "src/schedulers/group_rates.h"

namespace incremental {

class CycledMomentum {
 public:
  // Throws ERR_INVALID_OPTION where the optimizer of a group has neither, and it is to be moved.
  CycledMomentum(const Choice& choice, const Groups& groups);

  // Begins with the largest, and keeps the largest and the smallest in the groups.
  void begin(Groups& groups) const;
  // Sets what `next` gives for a group, of which the smallest and the largest are.
  void set(Groups& groups, const std::function<double(size_t group, double base, double most)>& next) const;

 private:
  bool moves_;
  std::vector<double> base_, most_;
};

}  // namespace incremental
