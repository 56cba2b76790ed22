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

// Native memory that a state holds; shared storages count once per tensor.
inline int64_t bytes_of(const StateDict& state) {
  int64_t bytes = 0;
  for (const NamedTensor& item : state) bytes += static_cast<int64_t>(item.tensor.nbytes());
  return bytes;
}

}  // namespace incremental
