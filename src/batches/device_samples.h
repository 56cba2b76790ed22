// The data set on a device, and samples made from it there: the same bits as Pipeline::apply makes, by integer
// arithmetic on whole batches and a table of floats. All of it is libtorch's operators, so the same code runs on the
// CPU, where tests compare it.
#pragma once
#include <vector>

#include "src/batches/batches.h"

namespace incremental {

class DeviceSamples {
 public:
  // Copies all of `dataset` to `device`. Throws ERR_INVALID_OPTION where images are too large to be transformed there.
  DeviceSamples(const Dataset& dataset, const Pipeline& pipeline, c10::Device device);

  // Numbers in a row: which sample, then one FixedAffine for each transform that moves pixels.
  static int64_t row_length(const Pipeline& pipeline);
  static void write_row(const Pipeline& pipeline, int64_t sample, const double* drawn, int32_t* row);

  // `rows`: [sample, row_length] int32 on the device. Waits for nothing.
  Batch make(const at::Tensor& rows) const;

 private:
  at::Tensor positions(const at::Tensor& rows) const;
  at::Tensor from_bytes(const at::Tensor& samples, const at::Tensor& rows) const;

  std::vector<int64_t> output_shape_;
  std::vector<ImageSize> sizes_;  // Pipeline's
  at::Tensor inputs_;  // uint8: [sample, channel, pixel], a black pixel after the last; float32: as in the data set
  at::Tensor labels_;
  at::Tensor values_;          // [256 * channel]: what each byte becomes; channel after channel
  at::Tensor value_offsets_;   // [channel, 1]: where a channel's begin
  at::Tensor columns_, rows_;  // [1, pixel] int32 of the image that goes out
  std::vector<std::pair<at::Tensor, at::Tensor>> normalizes_;  // of float32 data: mean and std, [channel, 1, 1]
};

}  // namespace incremental
