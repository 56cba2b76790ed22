// New states of the tensors of others: shared, with more rows, or averaged. Nothing given changes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/state/create.h"
#include "src/state/state_dict.h"

namespace incremental {

// A tensor to be copied into the first rows of a new one.
struct GrownTensor {
  InitialTensor wanted;  // all rows
  Initialiser initialiser;
  at::Tensor rows;
};

// Draws all rows of every tensor in list order, as create_state() does, then copies those that exist.
std::shared_ptr<const StateDict> grow_tensors(const std::vector<GrownTensor>& tensors, uint64_t seed);

// States of the same names, shapes and dtypes in the same order. Floating-point and complex numbers are summed in
// float64 in the order of the states, divided by their number, and rounded once; others are those of the last state.
std::shared_ptr<const StateDict> average_states(const States& states);

}  // namespace incremental
