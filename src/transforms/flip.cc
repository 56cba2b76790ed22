// torchvision.transforms.RandomHorizontalFlip and RandomVerticalFlip.
#include <algorithm>

#include "src/core/error.h"
#include "src/core/random.h"
#include "src/transforms/geometry.h"

namespace incremental {
namespace {

void mirror_columns(PixelMap& map) {
  const auto [height, width] = map.size();
  for (int64_t y = 0; y < height; ++y) {
    uint32_t* row = map.positions() + y * width;
    std::reverse(row, row + width);
  }
}

void mirror_rows(PixelMap& map) {
  const auto [height, width] = map.size();
  for (int64_t y = 0; y < height / 2; ++y) {
    uint32_t* row = map.positions() + y * width;
    std::swap_ranges(row, row + width, map.positions() + (height - 1 - y) * width);
  }
}

class Flip : public Geometry {
 public:
  Flip(const Transform& transform, bool columns)
      : probability_(static_cast<float>(numbers_of(transform, 1)[0])), columns_(columns) {
    check(probability_ >= 0 && probability_ <= 1, "ERR_INVALID_OPTION", "Expected a probability from 0 to 1 for ",
          transform.kind, " but received ", probability_);
  }

  size_t count() const override { return 1; }

  // `torch.rand(1) < self.p` compares in float32.
  void draw(at::CPUGeneratorImpl& generator, double* drawn) const override {
    *drawn = draw_uniform(generator) < probability_;
  }

  void apply(const double* drawn, PixelMap& map) const override {
    if (*drawn != 0) (columns_ ? mirror_columns : mirror_rows)(map);
  }

  FixedAffine affine(const double* drawn, ImageSize from) const override {
    constexpr int32_t kOne = 1 << 16;
    if (*drawn == 0) return {kOne, 0, 0, 0, kOne, 0};
    if (columns_) return {-kOne, 0, static_cast<int32_t>(from.width - 1) * kOne, 0, kOne, 0};
    return {kOne, 0, 0, 0, -kOne, static_cast<int32_t>(from.height - 1) * kOne};
  }

 private:
  float probability_;
  bool columns_;  // mirrored; else the rows
};

}  // namespace

std::unique_ptr<Geometry> make_horizontal_flip(const Transform& transform, ImageSize&) {
  return std::make_unique<Flip>(transform, true);
}

std::unique_ptr<Geometry> make_vertical_flip(const Transform& transform, ImageSize&) {
  return std::make_unique<Flip>(transform, false);
}

}  // namespace incremental
