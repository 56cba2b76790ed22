// Names of a tensor's axes, by which losses say which tensors they take: lib/losses/fragment.ts.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// "..." stands for any number of axes, the same ones wherever it is.
using Axes = std::vector<std::string>;

// The sizes that axes were found to have.
class AxisSizes {
 public:
  explicit AxisSizes(int64_t samples) : sizes_{{"samples", samples}} {}

  // Whether a tensor of these sizes has the axes, those that are known in their known sizes. If so, the others are
  // known too.
  bool fit(const Axes& axes, at::IntArrayRef sizes);

  std::optional<int64_t> size_of(const std::string& axis) const;

  // Such as "[64, classes, 5]": sizes that are known, and names of the others.
  std::string text(const Axes& axes) const;

 private:
  std::map<std::string, int64_t> sizes_;
  std::optional<std::vector<int64_t>> rest_;  // of "..."
};

}  // namespace incremental
