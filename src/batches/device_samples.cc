#include "src/batches/device_samples.h"

#include <algorithm>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

constexpr int64_t kMoveNumbers = sizeof(FixedAffine) / sizeof(int32_t);

at::Tensor floats(const std::vector<float>& values, c10::Device device) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
  return tensor.to(device);
}

// Numbers in a row that say how the pixels of an input move.
int64_t move_numbers(const Pipeline& pipeline) {
  return kMoveNumbers * static_cast<int64_t>(pipeline.sizes().size() - 1);
}

}  // namespace

DeviceInput::DeviceInput(const at::Tensor& data, const Pipeline& pipeline, c10::Device device)
    : output_shape_(pipeline.output_shape()), output_dtype_(pipeline.output_dtype()), sizes_(pipeline.sizes()) {
  at::NoGradGuard no_grad;
  if (pipeline.tables().empty()) {
    data_ = data.to(device);
    for (const Pipeline::Normalize& step : pipeline.normalizes()) {
      normalizes_.emplace_back(floats(step.mean, device).view({-1, 1, 1}), floats(step.std, device).view({-1, 1, 1}));
    }
    return;
  }

  check(data.size(0) <= std::numeric_limits<int32_t>::max(), "ERR_INVALID_OPTION", "A data set of ", data.size(0),
        " images is too large for a device; use device: 'cpu'");
  for (const ImageSize& size : sizes_) {
    check(sizes_.size() == 1 || std::max(size.height, size.width) <= kLargestSide, "ERR_INVALID_OPTION", "Images of ",
          size.height, "x", size.width, " are too large to be transformed on a device, where a side has at most ",
          kLargestSide, " pixels; use device: 'cpu', or make them smaller first");
  }
  const int64_t channels = output_shape_[0], pixels = sizes_.front().pixels();
  const bool moves = sizes_.size() > 1;
  data_ = at::zeros({data.size(0), channels, pixels + (moves ? 1 : 0)}, at::device(device).dtype(at::kByte));
  data_.narrow(2, 0, pixels).copy_(data.view({-1, channels, pixels}));

  std::vector<float> values;
  for (const auto& table : pipeline.tables()) values.insert(values.end(), table.begin(), table.end());
  values_ = floats(values, device);
  const auto integers = at::device(device).dtype(at::kInt);
  value_offsets_ = at::arange(channels, integers).mul_(256).view({channels, 1});
  const ImageSize out = sizes_.back();
  rows_ = at::arange(out.height, integers).view({-1, 1}).expand({-1, out.width}).reshape({1, -1});
  columns_ = at::arange(out.width, integers).view({1, -1}).expand({out.height, -1}).reshape({1, -1});
}

at::Tensor DeviceInput::make(const at::Tensor& samples, const at::Tensor& moves) const {
  const std::vector<int64_t> shape = batch_shape(samples.size(0), output_shape_);
  if (values_.defined()) return from_bytes(samples, moves).view(shape);
  at::Tensor values = data_.index_select(0, samples);
  // Tensors, not numbers: by a number CUDA multiplies with its reciprocal instead of dividing.
  for (const auto& [mean, std] : normalizes_) values.sub_(mean).div_(std);
  return values.view(shape).to(output_dtype_);
}

at::Tensor DeviceInput::from_bytes(const at::Tensor& samples, const at::Tensor& moves) const {
  at::Tensor bytes = data_.index_select(0, samples);  // [sample, channel, pixel]
  if (sizes_.size() > 1) {
    const at::Tensor from = positions(moves).unsqueeze(1).expand({-1, bytes.size(1), -1});
    bytes = bytes.gather(2, from);
  }
  return values_.index_select(0, bytes.to(at::kInt).add_(value_offsets_).view({-1}));
}

// [sample, pixel] int64: for each pixel that goes out its position in the data set's image, or the one after the last.
// Follows the transforms backwards, from the image that goes out to the one that is there.
at::Tensor DeviceInput::positions(const at::Tensor& moves) const {
  at::Tensor x = columns_, y = rows_, outside;
  for (size_t i = sizes_.size() - 1; i-- > 0;) {
    const at::Tensor move = moves.narrow(1, kMoveNumbers * static_cast<int64_t>(i), kMoveNumbers);
    const auto number = [&](int64_t index) { return move.select(1, index).unsqueeze(1); };
    const at::Tensor new_x = (x * number(0)).add_(y * number(1)).add_(number(2)).bitwise_right_shift_(16);
    const at::Tensor new_y = (x * number(3)).add_(y * number(4)).add_(number(5)).bitwise_right_shift_(16);
    // Kept within the image, so that what follows cannot overflow; where that changes something it was outside.
    x = new_x.clamp(0, sizes_[i].width - 1);
    y = new_y.clamp(0, sizes_[i].height - 1);
    const at::Tensor left = x.ne(new_x).logical_or_(y.ne(new_y));
    outside = outside.defined() ? outside.logical_or_(left) : left;
  }
  const ImageSize in = sizes_.front();
  return y.mul(in.width).add_(x).masked_fill_(outside, in.pixels()).to(at::kLong);
}

DeviceSamples::DeviceSamples(const Dataset& dataset, const SamplePipeline& pipeline, c10::Device device) {
  for (const auto& [source, drawn, part] : pipeline.parts()) {
    inputs_.emplace_back(dataset.inputs[source], part, device);
    moves_.push_back(move_numbers(part));
  }
  if (dataset.targets.defined()) targets_ = dataset.targets.to(device);
}

int64_t DeviceSamples::row_length(const SamplePipeline& pipeline) {
  int64_t length = 1;
  for (const auto& part : pipeline.parts()) length += move_numbers(part.pipeline);
  return length;
}

void DeviceSamples::write_row(const SamplePipeline& pipeline, int64_t sample, const double* drawn, int32_t* row) {
  static_assert(sizeof(FixedAffine) == kMoveNumbers * sizeof(int32_t) && alignof(FixedAffine) == alignof(int32_t));
  *row++ = static_cast<int32_t>(sample);
  for (const auto& [source, first, part] : pipeline.parts()) {
    part.affines(drawn + first, reinterpret_cast<FixedAffine*>(row));
    row += move_numbers(part);
  }
}

Batch DeviceSamples::make(const at::Tensor& rows) const {
  at::NoGradGuard no_grad;
  const at::Tensor samples = rows.select(1, 0);
  Batch batch;
  int64_t first = 1;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    batch.inputs.push_back(inputs_[i].make(samples, rows.narrow(1, first, moves_[i])));
    first += moves_[i];
  }
  if (targets_.defined()) batch.targets = targets_.index_select(0, samples);
  return batch;
}

}  // namespace incremental
