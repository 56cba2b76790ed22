// Lays the tensors of a state out in storages of given sizes, as the archive of an exported program has them. Training
// gives each tensor memory of its own, whatever it shared before.
#pragma once
#include <cstdint>
#include <vector>

#include "src/state/state_dict.h"

namespace incremental {

// Where a tensor belongs. Offset and strides are in elements.
struct Place {
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> stride;
  int64_t offset;
  int64_t storage;
  std::vector<int64_t> tensors;  // indices in the state, at least one: the names of one tensor
};

struct LayoutPlan {
  std::vector<int64_t> storages;  // bytes of each
  std::vector<Place> places;
};

struct Layout {
  // The bytes of each storage, as a tensor without a name; 0 where no tensor lies. A storage of the state that already
  // is as the plan wants it is taken as it is. Then one for each displaced place, in which the tensor starts at offset
  // 0.
  StateDict storages;
  // Places whose tensor has other values than an earlier one of the plan where both share memory, which can hold only
  // one.
  std::vector<int32_t> displaced;
};

// Trusts nothing of the plan. Throws ERR_STATE_MISMATCH where a tensor has another dtype or shape than its place (one
// element may be of shape [1] or []), where names of one tensor have different values, and where one tensor has
// different values in elements that its strides make one.
Layout lay_out(const StateDict& state, const LayoutPlan& plan);

}  // namespace incremental
