// A list of transforms, made ready for one shape of sample: draws as torchvision draws, applies without allocating.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// As it comes from JavaScript: { kind, …numbers }. Checked by the Pipeline's constructor.
struct Transform {
  std::string kind;  // randomHorizontalFlip, randomVerticalFlip, randomRotation, randomCrop, toTensor, normalize
  std::vector<double> numbers;    // flips: p; rotation: low, high in degrees; crop: height, width, padding
  std::vector<double> mean, std;  // normalize
};

class Pipeline {
 public:
  // `shape`: one sample, [channel, height, width]. `dtype`: kByte or kFloat.
  Pipeline(const std::vector<Transform>& transforms, std::vector<int64_t> shape, at::ScalarType dtype);
};

}  // namespace incremental
