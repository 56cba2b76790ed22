// Makes a new state, initialised as PyTorch's modules initialise theirs.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "src/state/state_dict.h"

namespace incremental {

struct InitialTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  bool uniform;  // in [-value, value); else every element is `value`
  double value;
};

// Draws in list order from a generator as torch.manual_seed(seed) leaves it (torch/nn/init.py, kaiming_uniform_).
std::shared_ptr<StateDict> create_state(const std::vector<InitialTensor>& tensors, uint64_t seed);

}  // namespace incremental
