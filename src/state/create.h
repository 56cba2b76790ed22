// Makes a new state, initialised as PyTorch's modules initialise theirs.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/state/state_dict.h"

namespace incremental {

struct InitialTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
};

struct Constant {
  double value;
  std::optional<int64_t> row = std::nullopt;  // only this one of the first axis
};
// In [-bound, bound).
struct Uniform {
  double bound;
};
struct Normal {
  double mean, deviation;
};
// As torch.nn.init.trunc_normal_: within [low, high].
struct TruncatedNormal {
  double mean, deviation, low, high;
};
// Draws nothing. The tensor has the shape and the dtype that are wanted.
struct Computed {
  std::function<at::Tensor()> compute;
};
// The values that another tensor has by then.
struct Copied {
  size_t tensor;
};
using Initialiser = std::variant<Constant, Uniform, Normal, TruncatedNormal, Computed, Copied>;

struct Draw {
  size_t tensor;  // its index
  Initialiser initialiser;
};

// Draws in list order from a generator as torch.manual_seed(seed) leaves it (torch/nn/init.py). A tensor may be drawn
// more than once, as where a model initialises layers again that did so themselves; one that is not drawn is zero.
std::shared_ptr<StateDict> create_state(const std::vector<InitialTensor>& tensors, const std::vector<Draw>& draws,
                                        uint64_t seed);

}  // namespace incremental
