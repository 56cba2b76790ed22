// torchvision.transforms.RandomRotation on a PIL image, pixel for pixel: PIL.Image.rotate with nearest neighbours (its
// matrix, rounded as Python rounds) followed by Pillow's ImagingTransformAffine (its fixed-point walk over the source).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/core/error.h"
#include "src/core/random.h"
#include "src/transforms/geometry.h"

namespace incremental {
namespace {

// From the pixel (x, y) of the output to the one of the input: (a x + b y + c, d x + e y + f).
struct Affine {
  double a, b, c, d, e, f;
};

// Python's round(x, 15) for |x| <= 1. CPython goes through the correctly rounded decimal string; the same number comes
// from rounding x * 10^15, exact in 128 bits, half to even, and one correctly rounded division.
double round15(double x) {
  int exponent;
  const double fraction = std::frexp(std::abs(x), &exponent);  // |x| = fraction * 2^exponent
  const int shift = 53 - exponent;
  if (shift > 126) return std::copysign(0.0, x);
  const auto scaled = static_cast<unsigned __int128>(std::ldexp(fraction, 53)) * 1'000'000'000'000'000u;
  const unsigned __int128 rest = scaled & ((static_cast<unsigned __int128>(1) << shift) - 1);
  const unsigned __int128 half = static_cast<unsigned __int128>(1) << (shift - 1);
  auto rounded = static_cast<uint64_t>(scaled >> shift);
  if (rest > half || (rest == half && rounded % 2 == 1)) ++rounded;
  return std::copysign(static_cast<double>(rounded) / 1e15, x);
}

// Python's angle % 360.0: the sign of the divisor, and 360 itself for the smallest negative angles.
double modulo360(double angle) {
  const double rest = std::fmod(angle, 360.0);
  return rest < 0 ? rest + 360.0 : rest;
}

Affine rotation_about_centre(double degrees, ImageSize size) {
  const double radians = -(degrees * (std::numbers::pi / 180.0));
  const double cosine = round15(std::cos(radians)), sine = round15(std::sin(radians));
  const double x = static_cast<double>(size.width) / 2, y = static_cast<double>(size.height) / 2;
  return {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y};
}

// True where Pillow walks this image in 16.16 fixed point: all its corners must land within 15 bits.
bool fits_fixed_point(const Affine& m, ImageSize size) {
  const auto fits = [&m](double x, double y) {
    return std::abs(x * m.a + y * m.b + m.c) < 32768.0 && std::abs(x * m.d + y * m.e + m.f) < 32768.0;
  };
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
  return fits(0, 0) && fits(width, height) && fits(0, height) && fits(width, 0);
}

FixedAffine to_fixed_point(const Affine& m) {
  const auto fixed = [](double value) { return static_cast<int32_t>(std::floor(value * 65536.0 + 0.5)); };
  return {fixed(m.a), fixed(m.b), fixed(m.c + m.a * 0.5 + m.b * 0.5),
          fixed(m.d), fixed(m.e), fixed(m.f + m.d * 0.5 + m.e * 0.5)};
}

// Unsigned, because the sums may wrap after the last pixel, where nobody looks.
void walk_fixed_point(const Affine& matrix, PixelMap& map) {
  const FixedAffine m = to_fixed_point(matrix);
  const auto a = static_cast<uint32_t>(m.a), b = static_cast<uint32_t>(m.b);
  const auto d = static_cast<uint32_t>(m.d), e = static_cast<uint32_t>(m.e);
  auto row_x = static_cast<uint32_t>(m.x0), row_y = static_cast<uint32_t>(m.y0);
  const auto width = static_cast<uint32_t>(map.size().width), height = static_cast<uint32_t>(map.size().height);
  const uint32_t outside = width * height;
  const uint32_t* from = map.positions();
  uint32_t* to = map.next();
  for (uint32_t row = 0; row < height; ++row) {
    uint32_t sum_x = row_x, sum_y = row_y;
    for (uint32_t column = 0; column < width; ++column) {
      // An arithmetic shift is floor; a negative coordinate is a large unsigned one.
      const auto x = static_cast<uint32_t>(static_cast<int32_t>(sum_x) >> 16);
      const auto y = static_cast<uint32_t>(static_cast<int32_t>(sum_y) >> 16);
      const bool inside = (x < width) & (y < height);
      *to++ = from[inside ? y * width + x : outside];
      sum_x += a;
      sum_y += d;
    }
    row_x += b;
    row_y += e;
  }
  map.advance(map.size());
}

// Pillow's other two ways, for images too large for the above and for angles whose rounded sine is 0; they agree.
void walk_floating_point(const Affine& m, PixelMap& map) {
  const auto [height, width] = map.size();
  double row_x = m.c + m.b * 0.5 + m.a * 0.5, row_y = m.f + m.e * 0.5 + m.d * 0.5;
  const auto inside = [](double value, int64_t size) { return value >= 0 && value < static_cast<double>(size); };
  uint32_t* to = map.next();
  for (int64_t row = 0; row < height; ++row) {
    double x = row_x, y = row_y;
    for (int64_t column = 0; column < width; ++column) {
      const bool hit = inside(x, width) && inside(y, height);
      *to++ = hit ? map.positions()[static_cast<int64_t>(y) * width + static_cast<int64_t>(x)] : map.fill();
      x += m.a;
      y += m.d;
    }
    row_x += m.b;
    row_y += m.e;
  }
  map.advance(map.size());
}

// A quarter turn counter-clockwise of a square image.
void turn_left(PixelMap& map) {
  const int64_t side = map.size().width;
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) map.next()[y * side + x] = map.positions()[x * side + side - 1 - y];
  }
  map.advance(map.size());
}

void turn_round(PixelMap& map) { std::reverse(map.positions(), map.positions() + map.size().pixels()); }

class Rotation : public Geometry {
 public:
  explicit Rotation(const Transform& transform)
      : low_(static_cast<float>(numbers_of(transform, 2)[0])), high_(static_cast<float>(transform.numbers[1])) {
    check(low_ <= high_ && std::isfinite(high_ - low_), "ERR_INVALID_OPTION",
          "Expected degrees [low, high] with low <= high for randomRotation but received [", transform.numbers[0], ", ",
          transform.numbers[1], "]");
  }

  size_t count() const override { return 1; }

  void draw(at::CPUGeneratorImpl& generator, double* drawn) const override {
    *drawn = draw_uniform(generator, low_, high_);
  }

  void apply(const double* drawn, PixelMap& map) const override {
    const double degrees = modulo360(*drawn);
    const ImageSize size = map.size();
    const bool square = size.width == size.height;
    if (degrees == 0) return;
    if (degrees == 180) return turn_round(map);
    if (degrees == 90 && square) return turn_left(map);
    if (degrees == 270 && square) {
      turn_left(map);
      return turn_round(map);
    }
    const Affine matrix = rotation_about_centre(degrees, size);
    const bool scaling = matrix.b == 0 && matrix.d == 0;
    if (!scaling && fits_fixed_point(matrix, size)) return walk_fixed_point(matrix, map);
    walk_floating_point(matrix, map);
  }

  FixedAffine affine(const double* drawn, ImageSize from) const override {
    constexpr int32_t kOne = 1 << 16;
    const auto right = static_cast<int32_t>(from.width - 1) * kOne, low = static_cast<int32_t>(from.height - 1) * kOne;
    const FixedAffine half_turn{-kOne, 0, right, 0, -kOne, low};
    const double degrees = modulo360(*drawn);
    const bool square = from.width == from.height;
    if (degrees == 0) return {kOne, 0, 0, 0, kOne, 0};
    if (degrees == 180) return half_turn;
    if (degrees == 90 && square) return {0, -kOne, right, kOne, 0, 0};
    if (degrees == 270 && square) return {0, kOne, 0, -kOne, 0, low};
    const Affine matrix = rotation_about_centre(degrees, from);
    // Where the rounded sine is 0 the rounded cosine is 1 or -1.
    if (matrix.b == 0 && matrix.d == 0) return matrix.a > 0 ? FixedAffine{kOne, 0, 0, 0, kOne, 0} : half_turn;
    return to_fixed_point(matrix);
  }

 private:
  float low_, high_;
};

}  // namespace

std::unique_ptr<Geometry> make_rotation(const Transform& transform, ImageSize&) {
  return std::make_unique<Rotation>(transform);
}

}  // namespace incremental
