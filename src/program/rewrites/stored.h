// Tensors as a state has them, and as a run keeps them where ProgramTensor::image_shape is given.
#pragma once
#include "src/program/program.h"

namespace incremental {

// The state's tensor, in memory as the run wants it; may be the tensor given.
at::Tensor to_stored(const ProgramTensor& wanted, const at::Tensor& tensor);

// The way back. Of a parameter, its gradient or its momentum buffer.
at::Tensor from_stored(const ProgramTensor& wanted, const at::Tensor& stored);

}  // namespace incremental
