// A state dict: named tensors in file order. Immutable once made; tensors that are tied share one at::Storage.
#pragma once
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;  // CPU, detached
};

using StateDict = std::vector<NamedTensor>;

}  // namespace incremental
