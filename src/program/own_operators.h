// Operators that only rewrites of this library put into programs. They are in no library of the dispatcher's, which
// would have two of each where this addon is loaded twice.
#pragma once
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// The way out of oneDNN's blocked layout: to_dense.h. (self)
constexpr const char* kToDenseFromBlocked = "incremental::to_dense";

// aten::linear with its bits: exact_linear.h. (input, weight, bias)
constexpr const char* kExactLinear = "incremental::exact_linear";

// aten::linear over images: input [sample, channel, height, width] and weight [out, channel, height, width], both in
// channels_last memory, so that neither is copied. (input, weight, bias)
constexpr const char* kImageLinear = "incremental::image_linear";

// aten::linear, and aten::conv2d with stride and padding 1, by whichever kernel is faster: ATen's, or one of
// src/kernels/. (input, weight, bias)
constexpr const char* kLinear = "incremental::linear";
constexpr const char* kConvolution = "incremental::conv2d";

struct OwnOperator {
  const char* name;
  const char* stands_for;              // the operator that the model's author knows
  std::vector<const char*> arguments;  // all tensors; those that the caller leaves out are undefined
  at::Tensor (*call)(const std::vector<at::Tensor>& arguments);
};

// Null where no operator of ours has this name.
const OwnOperator* find_own_operator(const std::string& name);

}  // namespace incremental
