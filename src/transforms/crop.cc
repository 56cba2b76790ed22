// torchvision.transforms.RandomCrop(size, padding): a black border, then a window at a random place; and
// CenterCrop(size): the window in the middle, black where it is larger than the image.
#include <algorithm>
#include <cmath>

#include "src/core/error.h"
#include "src/core/random.h"
#include "src/transforms/geometry.h"

namespace incremental {
namespace {

// Keeps the window of that size whose first row is `top` and whose first column is `left`; either may be negative.
void cut(int64_t top, int64_t left, ImageSize size, PixelMap& map) {
  const auto [height, width] = map.size();
  // Columns of the window that lie inside the image.
  const int64_t first = std::clamp<int64_t>(-left, 0, size.width);
  const int64_t last = std::clamp<int64_t>(width - left, first, size.width);
  for (int64_t y = 0; y < size.height; ++y) {
    uint32_t* row = map.next() + y * size.width;
    std::fill_n(row, size.width, map.fill());
    if (y + top < 0 || y + top >= height) continue;
    std::copy_n(map.positions() + (y + top) * width + left + first, last - first, row + first);
  }
  map.advance(size);
}

FixedAffine window_at(int64_t top, int64_t left) {
  constexpr int32_t kOne = 1 << 16;
  // Farther away the window would show nothing of the image either, and the numbers would not fit.
  const auto fixed = [](int64_t place) {
    return static_cast<int32_t>(std::clamp(place, -kLargestSide, kLargestSide) * kOne);
  };
  return {kOne, 0, fixed(left), 0, kOne, fixed(top)};
}

class Crop : public Geometry {
 public:
  Crop(ImageSize from, ImageSize to, int64_t padding)
      : size_(to),
        padding_(padding),
        rows_(from.height + 2 * padding - to.height + 1),
        columns_(from.width + 2 * padding - to.width + 1) {}

  size_t count() const override { return 2; }

  // RandomCrop.get_params draws the row, then the column, but nothing when there is only one place.
  void draw(at::CPUGeneratorImpl& generator, double* drawn) const override {
    const bool choice = rows_ > 1 || columns_ > 1;
    drawn[0] = choice ? static_cast<double>(draw_below(generator, rows_)) : 0;
    drawn[1] = choice ? static_cast<double>(draw_below(generator, columns_)) : 0;
  }

  void apply(const double* drawn, PixelMap& map) const override {
    cut(static_cast<int64_t>(drawn[0]) - padding_, static_cast<int64_t>(drawn[1]) - padding_, size_, map);
  }

  FixedAffine affine(const double* drawn, ImageSize) const override {
    return window_at(static_cast<int64_t>(drawn[0]) - padding_, static_cast<int64_t>(drawn[1]) - padding_);
  }

 private:
  ImageSize size_;
  int64_t padding_;
  int64_t rows_, columns_;  // how many places there are for the window
};

class CenterCrop : public Geometry {
 public:
  CenterCrop(ImageSize from, ImageSize to)
      : size_(to), top_(margin(from.height, to.height)), left_(margin(from.width, to.width)) {}

  size_t count() const override { return 0; }
  void draw(at::CPUGeneratorImpl&, double*) const override {}
  void apply(const double*, PixelMap& map) const override { cut(top_, left_, size_, map); }
  FixedAffine affine(const double*, ImageSize) const override { return window_at(top_, left_); }

 private:
  // Half of what is cut off, to even where it is not whole, as Python rounds; of what is missing, the smaller half
  // comes before the image.
  static int64_t margin(int64_t from, int64_t to) {
    if (from < to) return -((to - from) / 2);
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(from - to) / 2));
  }

  ImageSize size_;
  int64_t top_, left_;
};

// numbers_of(), each from `least` to what an image may have of pixels along a side.
std::span<const double> sizes_of(const Transform& transform, size_t count, int least) {
  constexpr double kLargest = 1 << 20;
  const auto numbers = numbers_of(transform, count);
  for (const double number : numbers) {
    check(number >= least && number <= kLargest, "ERR_INVALID_OPTION", "Expected sizes from ", least, " to ", kLargest,
          " for ", transform.kind, " but received ", number);
  }
  return numbers;
}

}  // namespace

std::unique_ptr<Geometry> make_center_crop(const Transform& transform, ImageSize& size) {
  const auto numbers = sizes_of(transform, 2, 1);
  const ImageSize to{static_cast<int64_t>(numbers[0]), static_cast<int64_t>(numbers[1])};
  auto crop = std::make_unique<CenterCrop>(size, to);
  size = to;
  return crop;
}

std::unique_ptr<Geometry> make_crop(const Transform& transform, ImageSize& size) {
  const auto numbers = sizes_of(transform, 3, 0);
  const ImageSize to{static_cast<int64_t>(numbers[0]), static_cast<int64_t>(numbers[1])};
  const auto padding = static_cast<int64_t>(numbers[2]);
  check(
      to.height >= 1 && to.width >= 1 && to.height <= size.height + 2 * padding && to.width <= size.width + 2 * padding,
      "ERR_INVALID_OPTION", "randomCrop to ", to.height, "x", to.width, " does not fit into images of ", size.height,
      "x", size.width, " with a padding of ", padding, "; crop less or pad more");
  auto crop = std::make_unique<Crop>(size, to, padding);
  size = to;
  return crop;
}

}  // namespace incremental
