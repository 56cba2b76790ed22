// torchvision.transforms.RandomCrop(size, padding): a black border, then a window at a random place.
#include <algorithm>

#include "src/core/error.h"
#include "src/core/random.h"
#include "src/data/geometry.h"

namespace incremental {
namespace {

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
    const auto [height, width] = map.size();
    const int64_t top = static_cast<int64_t>(drawn[0]) - padding_;
    const int64_t left = static_cast<int64_t>(drawn[1]) - padding_;
    // Columns of the window that lie inside the image.
    const int64_t first = std::clamp<int64_t>(-left, 0, size_.width);
    const int64_t last = std::clamp<int64_t>(width - left, first, size_.width);
    for (int64_t y = 0; y < size_.height; ++y) {
      uint32_t* row = map.next() + y * size_.width;
      std::fill_n(row, size_.width, map.fill());
      if (y + top < 0 || y + top >= height) continue;
      std::copy_n(map.positions() + (y + top) * width + left + first, last - first, row + first);
    }
    map.advance(size_);
  }

  FixedAffine affine(const double* drawn, ImageSize) const override {
    // Farther away the window would show nothing of the image either, and the numbers would not fit.
    const auto fixed = [this](double place) {
      const int64_t shift = std::clamp(static_cast<int64_t>(place) - padding_, -kLargestSide, kLargestSide);
      return static_cast<int32_t>(shift * kOne);
    };
    return {kOne, 0, fixed(drawn[1]), 0, kOne, fixed(drawn[0])};
  }

 private:
  static constexpr int32_t kOne = 1 << 16;

  ImageSize size_;
  int64_t padding_;
  int64_t rows_, columns_;  // how many places there are for the window
};

}  // namespace

std::unique_ptr<Geometry> make_crop(const Transform& transform, ImageSize& size) {
  constexpr double kLargest = 1 << 20;
  const auto numbers = numbers_of(transform, 3);
  for (const double number : numbers) {
    check(number >= 0 && number <= kLargest, "ERR_INVALID_OPTION", "Expected sizes from 0 to ", kLargest,
          " for randomCrop but received ", number);
  }
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
