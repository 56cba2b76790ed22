// Matrices that fast mode keeps as images, [rows, channels, height, width] in channels_last memory, so that nothing has
// to be moved where images are flattened (ProgramTensor::image_shape).
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// [rows, columns], with the columns in the order of memory. Shares memory with what lies in channels_last memory.
inline at::Tensor rows_in_memory(const at::Tensor& images) { return images.permute({0, 2, 3, 1}).flatten(1); }

// [rows, columns], from the order that a state has into that of memory and back. `images`: such a matrix. Copies.
inline at::Tensor to_memory_order(const at::Tensor& columns, const at::Tensor& images) {
  return rows_in_memory(columns.reshape({-1, images.size(1), images.size(2), images.size(3)}));
}

inline at::Tensor to_state_order(const at::Tensor& columns, const at::Tensor& images) {
  return columns.reshape({-1, images.size(2), images.size(3), images.size(1)}).permute({0, 3, 1, 2}).flatten(1);
}

}  // namespace incremental
