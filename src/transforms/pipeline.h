// A list of transforms, made ready for one input of samples. Drawing random numbers and working on pixels are apart:
// batches.cc draws on its caller's thread, in torchvision's order, and works ahead on another.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
#include "src/transforms/geometry.h"
#include "src/transforms/pixel_map.h"

namespace incremental {

class Pipeline {
 public:
  // `input`: [channel, height, width] for images. `to`: the type that the model takes; missing: float32 for images, and
  // otherwise the input's own. Throws ERR_INVALID_OPTION for transforms that do not fit the samples or are in an order
  // that torchvision could not run either, and for values that a cast would change.
  Pipeline(const std::vector<Transform>& transforms, const InputForm& input, std::optional<at::ScalarType> to);

  // Of one sample when all is done.
  const std::vector<int64_t>& output_shape() const { return output_shape_; }
  at::ScalarType output_dtype() const { return output_dtype_; }
  int64_t output_bytes() const;
  // True if the result is an image, which may be in channels_last memory.
  bool makes_images() const { return output_shape_.size() == 3 && output_dtype_ == at::kFloat; }

  // How many random numbers one sample needs.
  size_t draws() const { return draws_; }

  // Draws them for one sample. The caller holds the generator's mutex.
  void draw(at::CPUGeneratorImpl& generator, double* drawn) const;

  // For making samples on a device, src/batches/device_samples.cc. How each transform that moves pixels moves them for
  // one sample, of which no side is longer than kLargestSide.
  void affines(const double* drawn, FixedAffine* moves) const;
  // Of the images that come into each such transform, and of those that leave the last.
  const std::vector<ImageSize>& sizes() const { return sizes_; }

  struct Normalize {
    std::vector<float> mean, std;  // [channel]
  };
  const std::vector<Normalize>& normalizes() const { return normalizes_; }
  // [channel]: what each byte becomes; empty for float32 data
  const std::vector<std::array<float, 256>>& tables() const { return tables_; }

  // Memory that `apply` works in; one per thread.
  struct Workspace {
    PixelMap map;
    std::vector<uint8_t> planes;  // one sample, a black pixel after each channel
  };
  Workspace make_workspace() const;

  // Makes one sample: from the data set's elements to `output`, which has room for output_bytes(). `channels_last`: a
  // pixel's channels lie side by side; for images only.
  void apply(const void* sample, const double* drawn, Workspace& workspace, void* output, bool channels_last) const;

 private:
  void set_cast(const InputForm& input, std::optional<at::ScalarType> to);
  void add_normalize(const Transform& transform);
  // Where the values of a sample go: elements from one channel, and from one pixel, to the next.
  struct Steps {
    int64_t channel, pixel;
  };
  void apply_bytes(const uint8_t* sample, const double* drawn, Workspace& workspace, float* output, Steps steps) const;
  void apply_floats(const float* sample, float* output, Steps steps) const;

  at::ScalarType dtype_;
  std::vector<int64_t> output_shape_;
  at::ScalarType output_dtype_ = at::kFloat;
  bool is_cast_ = false;  // values are cast and nothing else
  int64_t channels_ = 1;
  ImageSize input_size_;
  std::vector<ImageSize> sizes_;
  int64_t largest_ = 0;  // pixels of the largest image on the way
  std::vector<std::unique_ptr<Geometry>> geometries_;
  size_t draws_ = 0;
  std::vector<Normalize> normalizes_;
  std::vector<std::array<float, 256>> tables_;
};

}  // namespace incremental
