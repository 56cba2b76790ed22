#include "src/program/rewrites/stored.h"

namespace incremental {

at::Tensor to_stored(const ProgramTensor& wanted, const at::Tensor& tensor) {
  if (wanted.image_shape.empty()) return tensor;
  return tensor.reshape(wanted.image_shape).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor from_stored(const ProgramTensor& wanted, const at::Tensor& stored) {
  if (wanted.image_shape.empty()) return stored;
  return stored.contiguous().reshape(wanted.shape);
}

}  // namespace incremental
