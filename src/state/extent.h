// How far a strided tensor reaches into its storage.
#pragma once
#include <cstdint>
#include <string>

#include "src/core/libtorch.h"

namespace incremental {

// Elements from the storage's start to the end of the tensor; 0 for an empty one. As in lib/checkpoint/tensors.ts.
// Throws ERR_STATE_FORMAT, naming the tensor, for shapes and strides that no tensor has. Offset and strides are in
// elements.
int64_t extent_of(const std::string& name, at::IntArrayRef shape, at::IntArrayRef stride, int64_t offset);

}  // namespace incremental
