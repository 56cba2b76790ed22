#include "src/transforms/pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/core/error.h"
#include "src/state/dtypes.h"

namespace incremental {
namespace {

// As torch.as_tensor(values, dtype=torch.float32) and the broadcasting after it: one value serves every channel.
std::vector<float> to_channels(const std::vector<double>& values, int64_t channels) {
  if (values.size() == 1) return std::vector<float>(channels, static_cast<float>(values[0]));
  return {values.begin(), values.end()};
}

template <class From, class To>
void copy_as(const void* from, void* to, int64_t count) {
  std::copy_n(static_cast<const From*>(from), count, static_cast<To*>(to));
}

// As Pipeline::set_cast allows it.
void cast(const void* from, at::ScalarType dtype, void* to, at::ScalarType output_dtype, int64_t count) {
  if (dtype == output_dtype) {
    std::memcpy(to, from, count * c10::elementSize(dtype));
  } else if (dtype == at::kInt) {
    copy_as<int32_t, int64_t>(from, to, count);
  } else if (output_dtype == at::kInt) {
    copy_as<uint8_t, int32_t>(from, to, count);
  } else if (output_dtype == at::kLong) {
    copy_as<uint8_t, int64_t>(from, to, count);
  } else {
    copy_as<uint8_t, float>(from, to, count);
  }
}

}  // namespace

Pipeline::Pipeline(const std::vector<Transform>& transforms, const InputForm& input, std::optional<at::ScalarType> to)
    : dtype_(input.dtype), output_shape_(input.shape) {
  const bool bytes = dtype_ == at::kByte;
  const bool image = output_shape_.size() == 3;
  const bool integers = dtype_ == at::kInt || dtype_ == at::kLong;
  check(!integers || transforms.empty(), "ERR_INVALID_OPTION",
        "Transforms work on uint8 images and float32 values, but the input \"", input.name, "\" is ", name_of(dtype_));
  if (transforms.empty() && (integers || (bytes && (!image || to.value_or(at::kFloat) != at::kFloat)))) {
    set_cast(input, to);
    return;
  }
  const at::ScalarType wanted = to.value_or(at::kFloat);
  check(wanted == at::kFloat, "ERR_INVALID_OPTION", "The input \"", input.name, "\" is float32, but the model takes ",
        name_of(wanted));
  if (image) {
    channels_ = output_shape_[0];
    input_size_ = {output_shape_[1], output_shape_[2]};
  }
  check(image || !bytes, "ERR_INVALID_OPTION",
        "Expected samples of shape [channels, height, width] for transforms of uint8 data but received ",
        at::IntArrayRef(output_shape_));
  check(input_size_.pixels() < std::numeric_limits<int32_t>::max(), "ERR_INVALID_OPTION", "Images of ",
        input_size_.height, "x", input_size_.width, " are too large");

  ImageSize size = input_size_;
  largest_ = size.pixels();
  sizes_ = {size};
  bool is_tensor = !bytes;
  for (const Transform& transform : transforms) {
    const MakeGeometry make = find_geometry(transform.kind);
    if (make != nullptr || transform.kind == "toTensor") {
      check(bytes, "ERR_INVALID_OPTION", transform.kind,
            " works on uint8 images, but this data set is float32: it takes ", "normalize only");
      check(!is_tensor, "ERR_INVALID_OPTION", transform.kind, " must stand before ",
            make ? "toTensor" : "normalize, and only once");
    }
    if (make != nullptr) {
      geometries_.push_back(make(transform, size));
      draws_ += geometries_.back()->count();
      largest_ = std::max(largest_, size.pixels());
      sizes_.push_back(size);
    } else if (transform.kind == "toTensor") {
      is_tensor = true;
    } else {
      check(transform.kind == "normalize", "ERR_INVALID_OPTION", "Unknown transform \"", transform.kind, "\"");
      check(is_tensor, "ERR_INVALID_OPTION", "normalize must come after toTensor");
      check(image, "ERR_INVALID_OPTION", "normalize needs samples of shape [channels, height, width] but they are ",
            at::IntArrayRef(output_shape_));
      add_normalize(transform);
    }
  }
  check(is_tensor, "ERR_INVALID_OPTION",
        "toTensor is missing among the transforms: models compute with float32, and this data set holds ",
        "uint8 images. Put toTensor() after the transforms that move pixels");
  if (!bytes) return;

  output_shape_ = {channels_, size.height, size.width};
  tables_.resize(channels_);
  std::array<float, 256> values;
  for (int i = 0; i < 256; ++i) values[i] = static_cast<float>(i);
  for (int64_t c = 0; c < channels_; ++c) {
    for (int i = 0; i < 256; ++i) {
      float value = values[i] / 255;
      for (const Normalize& step : normalizes_) value = (value - step.mean[c]) / step.std[c];
      tables_[c][i] = value;
    }
  }
}

void Pipeline::set_cast(const InputForm& input, std::optional<at::ScalarType> to) {
  is_cast_ = true;
  sizes_ = {input_size_};
  output_dtype_ = to.value_or(dtype_);
  const bool is_lossless = dtype_ == output_dtype_ || dtype_ == at::kByte || (dtype_ == at::kInt && to == at::kLong);
  check(is_lossless, "ERR_INVALID_OPTION", "The input \"", input.name, "\" is ", name_of(dtype_),
        ", which cannot be cast to ", name_of(output_dtype_), " without loss");
}

int64_t Pipeline::output_bytes() const {
  return c10::multiply_integers(output_shape_) * static_cast<int64_t>(c10::elementSize(output_dtype_));
}

void Pipeline::add_normalize(const Transform& transform) {
  Normalize step{to_channels(transform.mean, channels_), to_channels(transform.std, channels_)};
  const auto channels = static_cast<size_t>(channels_);
  check(step.mean.size() == channels && step.std.size() == channels, "ERR_INVALID_OPTION", "normalize has ",
        step.mean.size(), " means and ", step.std.size(), " standard deviations, but the images have ", channels,
        " channels");
  const auto divides = [](float value) { return std::isfinite(value) && value != 0; };
  check(std::all_of(step.std.begin(), step.std.end(), divides), "ERR_INVALID_OPTION",
        "Expected finite standard deviations other than 0 for normalize");
  normalizes_.push_back(std::move(step));
}

void Pipeline::draw(at::CPUGeneratorImpl& generator, double* drawn) const {
  for (const auto& geometry : geometries_) {
    geometry->draw(generator, drawn);
    drawn += geometry->count();
  }
}

void Pipeline::affines(const double* drawn, FixedAffine* moves) const {
  for (size_t i = 0; i < geometries_.size(); ++i) {
    moves[i] = geometries_[i]->affine(drawn, sizes_[i]);
    drawn += geometries_[i]->count();
  }
}

Pipeline::Workspace Pipeline::make_workspace() const {
  const bool moves = !geometries_.empty();
  return {PixelMap(input_size_, moves ? largest_ : 0),
          std::vector<uint8_t>(moves ? channels_ * (input_size_.pixels() + 1) : 0)};
}

void Pipeline::apply(const void* sample, const double* drawn, Workspace& workspace, void* output,
                     bool channels_last) const {
  if (is_cast_) return cast(sample, dtype_, output, output_dtype_, c10::multiply_integers(output_shape_));
  auto* floats = static_cast<float*>(output);
  const Steps steps = channels_last ? Steps{1, channels_} : Steps{c10::multiply_integers(output_shape_) / channels_, 1};
  if (dtype_ == at::kByte) {
    apply_bytes(static_cast<const uint8_t*>(sample), drawn, workspace, floats, steps);
  } else {
    apply_floats(static_cast<const float*>(sample), floats, steps);
  }
}

void Pipeline::apply_bytes(const uint8_t* sample, const double* drawn, Workspace& workspace, float* output,
                           Steps steps) const {
  const int64_t input_pixels = input_size_.pixels();
  if (geometries_.empty()) {
    for (int64_t c = 0; c < channels_; ++c) {
      const float* table = tables_[c].data();
      for (int64_t i = 0; i < input_pixels; ++i) output[i * steps.pixel] = table[*sample++];
      output += steps.channel;
    }
    return;
  }

  PixelMap& map = workspace.map;
  map.reset();
  for (const auto& geometry : geometries_) {
    geometry->apply(drawn, map);
    drawn += geometry->count();
  }
  const int64_t output_pixels = map.size().pixels();
  const uint32_t* positions = map.positions();
  uint8_t* plane = workspace.planes.data();
  for (int64_t c = 0; c < channels_; ++c) {
    std::memcpy(plane, sample + c * input_pixels, input_pixels);
    const float* table = tables_[c].data();
    for (int64_t i = 0; i < output_pixels; ++i) output[i * steps.pixel] = table[plane[positions[i]]];
    plane += input_pixels + 1;
    output += steps.channel;
  }
}

void Pipeline::apply_floats(const float* sample, float* output, Steps steps) const {
  const int64_t pixels = c10::multiply_integers(output_shape_) / channels_;
  for (int64_t c = 0; c < channels_; ++c) {
    for (int64_t i = 0; i < pixels; ++i) {
      float value = sample[c * pixels + i];
      for (const Normalize& step : normalizes_) value = (value - step.mean[c]) / step.std[c];
      output[c * steps.channel + i * steps.pixel] = value;
    }
  }
}

}  // namespace incremental
