// Numbers about the values of tensors, for looking into checkpoints.
#pragma once
#include <cstdint>
#include <vector>

#include "src/state/state_dict.h"

namespace incremental {

// Of all values that are numbers; complex numbers count as two. min, max and mean are NaN where there are none.
struct TensorStats {
  double min, max, mean;
  int64_t nan, infinite;
};

// One for each tensor of the state.
std::vector<TensorStats> stats_of(const StateDict& state);

}  // namespace incremental
