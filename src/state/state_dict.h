// A state dict: named tensors in file order. Immutable once made; tensors that are tied share one at::Storage.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;  // CPU, detached
};

using StateDict = std::vector<NamedTensor>;

using States = std::vector<std::shared_ptr<const StateDict>>;

// The storages that the tensors of states lie in, in the order of their first use.
struct Storages {
  std::vector<at::Storage> list;
  std::vector<size_t> of_tensor;  // for each tensor, state after state, which one
};

Storages storages_of(const States& states);

// Native memory that a state holds. A shared storage counts once.
int64_t bytes_of(const StateDict& state);

// Same names in the same order, dtypes, shapes and bits. Unlike ==, NaN is itself and 0 is not -0.
bool bitwise_equal(const StateDict& a, const StateDict& b);

}  // namespace incremental
