// The data set on a device, and samples made from it there: the same bits as Pipeline::apply makes, by integer
// arithmetic on whole batches and a table of floats. All of it is libtorch's operators, so the same code runs on the
// CPU, where tests compare it.
#pragma once
#include <utility>
#include <vector>

#include "src/batches/batches.h"

namespace incremental {

// One input of the model.
class DeviceInput {
 public:
  // Copies all of `data` to `device`. Throws ERR_INVALID_OPTION where images are too large to be transformed there.
  DeviceInput(const at::Tensor& data, const Pipeline& pipeline, c10::Device device);

  // `samples`: [sample] int32; `moves`: [sample, numbers of a FixedAffine for each transform that moves pixels] int32.
  at::Tensor make(const at::Tensor& samples, const at::Tensor& moves) const;

 private:
  at::Tensor positions(const at::Tensor& moves) const;
  at::Tensor from_bytes(const at::Tensor& samples, const at::Tensor& moves) const;

  std::vector<int64_t> output_shape_;
  at::ScalarType output_dtype_;
  std::vector<ImageSize> sizes_;  // Pipeline's
  at::Tensor
      data_;  // of images [sample, channel, pixel], a black pixel after the last; other values as in the data set
  at::Tensor values_;          // [256 * channel]: what each byte becomes; channel after channel
  at::Tensor value_offsets_;   // [channel, 1]: where a channel's begin
  at::Tensor columns_, rows_;  // [1, pixel] int32 of the image that goes out
  std::vector<std::pair<at::Tensor, at::Tensor>> normalizes_;  // of float32 data: mean and std, [channel, 1, 1]
};

class DeviceSamples {
 public:
  DeviceSamples(const Dataset& dataset, const SamplePipeline& pipeline, c10::Device device);

  // Numbers in a row: which sample, then one FixedAffine for each transform that moves pixels, input after input.
  static int64_t row_length(const SamplePipeline& pipeline);
  static void write_row(const SamplePipeline& pipeline, int64_t sample, const double* drawn, int32_t* row);

  // `rows`: [sample, row_length] int32 on the device. Waits for nothing.
  Batch make(const at::Tensor& rows) const;

 private:
  std::vector<DeviceInput> inputs_;
  std::vector<int64_t> moves_;  // numbers in a row for each input
  at::Tensor targets_;
};

}  // namespace incremental
