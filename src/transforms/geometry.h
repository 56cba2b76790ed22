// The transforms that move pixels: what they draw for a sample, and what they then do to it. pipeline.cc runs them.
// A new one is a file with a class and its maker, and a line in geometry.cc's list.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/core/libtorch.h"
#include "src/transforms/pixel_map.h"

namespace incremental {

// As it comes from JavaScript: { kind, …numbers }. Checked where it is made into what it describes.
struct Transform {
  std::string kind;             // a name in geometry.cc's list, toTensor or normalize
  std::vector<double> numbers;  // flips: p; rotation: low, high in degrees; crops: height, width; a random one: padding
  std::vector<double> mean, std;  // normalize
};

// The same for a device, where every pixel is worked out by itself: from the pixel (column, row) of the image that goes
// out to the one of the image that comes in, x = (a column + b row + x0) >> 16 and y = (d column + e row + y0) >> 16,
// in 16.16 fixed point; outside of it there is black. Exact up to kLargestSide.
struct FixedAffine {
  int32_t a, b, x0, d, e, y0;
};
constexpr int64_t kLargestSide = 1 << 14;

class Geometry {
 public:
  virtual ~Geometry() = default;

  // How many numbers one sample needs.
  virtual size_t count() const = 0;

  // Draws them as torchvision does, from a generator whose mutex the caller holds.
  virtual void draw(at::CPUGeneratorImpl& generator, double* drawn) const = 0;

  // Moves the pixels by what was drawn. Allocates nothing; may run on another thread.
  virtual void apply(const double* drawn, PixelMap& map) const = 0;

  // The same as a map, for images of size `from`, no side of which is longer than kLargestSide.
  virtual FixedAffine affine(const double* drawn, ImageSize from) const = 0;
};

// `size`: of the images that come in; each maker leaves there the size of those that go out.
using MakeGeometry = std::unique_ptr<Geometry> (*)(const Transform& transform, ImageSize& size);

std::unique_ptr<Geometry> make_horizontal_flip(const Transform& transform, ImageSize& size);
std::unique_ptr<Geometry> make_vertical_flip(const Transform& transform, ImageSize& size);
std::unique_ptr<Geometry> make_rotation(const Transform& transform, ImageSize& size);
std::unique_ptr<Geometry> make_crop(const Transform& transform, ImageSize& size);
std::unique_ptr<Geometry> make_center_crop(const Transform& transform, ImageSize& size);

// The maker for a kind of transform; null for a kind that moves no pixels.
MakeGeometry find_geometry(const std::string& kind);

// The numbers of a transform, of which there must be `count`, all finite.
std::span<const double> numbers_of(const Transform& transform, size_t count);

}  // namespace incremental
