#include "src/schedulers/cycled_momentum.h"

#include <algorithm>

#include "src/core/error.h"

namespace incremental {
namespace {

void set_momentum(GroupRates& group, double value) { (group.beta1 ? group.beta1 : group.momentum) = value; }

}  // namespace

CycledMomentum::CycledMomentum(const Choice& choice, const Groups& groups)
    : moves_(choice.boolean("cycleMomentum")),
      base_(choice.each("baseMomentum", groups.size())),
      most_(choice.each("maxMomentum", groups.size())) {
  const auto has_none = [](const GroupRates& group) { return !group.beta1 && !group.momentum; };
  check(!moves_ || std::none_of(groups.begin(), groups.end(), has_none), "ERR_INVALID_OPTION", choice.kind,
        "() moves the momentum too, but the optimizer has neither a momentum nor betas; give it cycleMomentum: false, "
        "or train with another optimizer");
}

void CycledMomentum::begin(Groups& groups) const {
  if (!moves_) return;
  for (size_t i = 0; i < groups.size(); ++i) {
    set_momentum(groups[i], most_[i]);
    groups[i].set("max_momentum", most_[i]);
    groups[i].set("base_momentum", base_[i]);
  }
}

void CycledMomentum::set(Groups& groups, const std::function<double(size_t, double, double)>& next) const {
  if (!moves_) return;
  for (size_t i = 0; i < groups.size(); ++i) set_momentum(groups[i], next(i, base_[i], most_[i]));
}

}  // namespace incremental
