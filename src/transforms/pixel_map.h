// Positions in the source image of the pixels of a transformed one. Flips, rotations and crops move these positions
// instead of pixels, so that each is written once for every number of channels, and the pixels themselves move once, at
// the end.
#pragma once
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace incremental {

struct ImageSize {
  int64_t height = 0, width = 0;
  int64_t pixels() const { return height * width; }
};

class PixelMap {
 public:
  // `capacity`: pixels of the largest image on the way.
  PixelMap(ImageSize source, int64_t capacity)
      : source_(source), size_(source), positions_(capacity + 1), next_(capacity + 1) {}

  // Back to the untouched image.
  void reset() {
    size_ = source_;
    std::iota(positions_.begin(), positions_.begin() + size_.pixels() + 1, 0u);
  }

  ImageSize size() const { return size_; }

  // Row by row: positions in the source image; `fill()` for a pixel that came from outside of it. One more `fill()`
  // follows the last pixel, so that a lookup outside the image needs no branch.
  uint32_t* positions() { return positions_.data(); }
  const uint32_t* positions() const { return positions_.data(); }
  uint32_t fill() const { return static_cast<uint32_t>(source_.pixels()); }

  // Room for the positions of the next image, for transforms that cannot work in place; `advance` makes it the current.
  uint32_t* next() { return next_.data(); }
  void advance(ImageSize size) {
    size_ = size;
    next_[size.pixels()] = fill();
    std::swap(positions_, next_);
  }

 private:
  ImageSize source_, size_;
  std::vector<uint32_t> positions_, next_;
};

}  // namespace incremental
