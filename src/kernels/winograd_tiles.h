// Tiles of images to and from the domain of Winograd's F(2x2, 3x3): Lavin & Gray, Fast Algorithms for Convolutional
// Neural Networks, arXiv:1509.09308, section 4.1. For files compiled several times only, like simd.h.
//
// A block of tiles in that domain is [channels / 16, 16, block, 16]: for each run of channels and each of the 16 points
// of a 4x4 tile, a matrix of tiles × channels. Thus a multiplication's addresses are constants apart.
#pragma once
#include "src/kernels/simd.h"
#include "src/kernels/winograd_simd.h"

namespace {

using incremental::ConvolutionShape;

constexpr int kPoints = 16;
// What lies beside an image.
alignas(64) constexpr float kZeros[kChunk] = {};

struct Image {
  const float* data;
  int64_t height, width, channels;
};

// Four rows of pixels under one row of tiles; rows beside the image are one pixel of zeros, again and again.
struct Rows {
  const float* pixel[4];
  int64_t step[4];
};

// Calls body(sample, row of tiles, first column of tiles, tiles, their index in the block) for each piece of a row of
// tiles among those from `begin` to `end`.
template <class Body>
inline __attribute__((always_inline)) void for_each_row(const ConvolutionShape& shape, int64_t begin, int64_t end,
                                                        const Body& body) {
  const int64_t wide = (shape.width + 1) / 2, high = (shape.height + 1) / 2;
  for (int64_t tile = begin; tile < end;) {
    const int64_t column = tile % wide, row = tile / wide % high, sample = tile / wide / high;
    const int64_t count = end - tile < wide - column ? end - tile : wide - column;
    body(sample, row, column, count, tile - begin);
    tile += count;
  }
}

// One column of Bᵀd: the vertical half of the transform.
inline __attribute__((always_inline)) void input_column(const Rows& rows, int64_t x, int64_t width, int64_t offset,
                                                        Vector* to) {
  if (x < 0 || x >= width) {
    for (int i = 0; i < 4; ++i) to[i] = Vector{};
    return;
  }
  Vector d[4];
  for (int i = 0; i < 4; ++i) d[i] = load(rows.pixel[i] + x * rows.step[i] + offset);
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}

// BᵀdB of a row of tiles, for the channels of one register. Neighbouring tiles share two of their four columns.
inline void transform_input_row(const Rows& rows, int64_t width, int64_t offset, int64_t column, int64_t count,
                                int64_t block, float* to) {
  Vector c[4][4];
  input_column(rows, 2 * column - 1, width, offset, c[0]);
  input_column(rows, 2 * column, width, offset, c[1]);
  for (int64_t tile = 0; tile < count; ++tile) {
    const int64_t x = 2 * (column + tile);
    input_column(rows, x + 1, width, offset, c[2]);
    input_column(rows, x + 2, width, offset, c[3]);
    float* point = to + tile * kChunk;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, point += 4 * block * kChunk) {
      store(point, c[0][i] - c[2][i]);
      store(point + block * kChunk, c[1][i] + c[2][i]);
      store(point + 2 * block * kChunk, c[2][i] - c[1][i]);
      store(point + 3 * block * kChunk, c[1][i] - c[3][i]);
      c[0][i] = c[2][i];
      c[1][i] = c[3][i];
    }
  }
}

// The tiles from `begin` to `end` of an image [samples, height, width, channels].
inline void transform_input(const ConvolutionShape& shape, const float* input, int64_t channels, int64_t begin,
                            int64_t end, int64_t block, float* to) {
  for_each_row(shape, begin, end, [&](int64_t sample, int64_t row, int64_t column, int64_t count, int64_t index) {
    for (int64_t chunk = 0; chunk < channels / kChunk; ++chunk) {
      Rows rows;
      for (int i = 0; i < 4; ++i) {
        const int64_t y = 2 * row - 1 + i;
        const bool inside = y >= 0 && y < shape.height;
        rows.pixel[i] = inside ? input + (sample * shape.height + y) * shape.width * channels + chunk * kChunk : kZeros;
        rows.step[i] = inside ? channels : 0;
      }
      float* matrix = to + (chunk * kPoints * block + index) * kChunk;
      for (int part = 0; part < kSplit; ++part) {
        transform_input_row(rows, shape.width, part * kLanes, column, count, block, matrix + part * kLanes);
      }
    }
  });
}

// AᵀmA of one tile, for the channels of one register, plus a bias: its 2x2 pixels.
inline __attribute__((always_inline)) void output_tile(const float* from, int64_t block, Vector bias, Vector* pixels) {
  Vector top[4], bottom[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const float* point = from + j * block * kChunk;
    const Vector a = load(point), b = load(point + 4 * block * kChunk), c = load(point + 8 * block * kChunk),
                 d = load(point + 12 * block * kChunk);
    const Vector sum = b + c, difference = b - c;
    top[j] = a + sum;
    bottom[j] = difference - d;
  }
  pixels[0] = top[0] + top[1] + (top[2] + bias);
  pixels[1] = top[1] - top[2] + (bias - top[3]);
  pixels[2] = bottom[0] + bottom[1] + (bottom[2] + bias);
  pixels[3] = bottom[1] - bottom[2] + (bias - bottom[3]);
}

inline void transform_output(const ConvolutionShape& shape, const float* from, const float* bias, int64_t begin,
                             int64_t end, int64_t block, float* output) {
  const int64_t channels = shape.outputs, line = shape.width * channels;
  for_each_row(shape, begin, end, [&](int64_t sample, int64_t row, int64_t column, int64_t count, int64_t index) {
    const bool has_bottom = 2 * row + 1 < shape.height;
    float* to = output + (sample * shape.height + 2 * row) * line + 2 * column * channels;
    for (int64_t tile = 0; tile < count; ++tile, to += 2 * channels) {
      const bool has_right = 2 * (column + tile) + 1 < shape.width;
      for (int64_t channel = 0; channel < channels; channel += kLanes) {
        const int64_t chunk = channel / kChunk, lane = channel % kChunk;
        Vector pixels[4];
        output_tile(from + (chunk * kPoints * block + index + tile) * kChunk + lane, block,
                    bias == nullptr ? Vector{} : load(bias + channel), pixels);
        store(to + channel, pixels[0]);
        if (has_right) store(to + channels + channel, pixels[1]);
        if (has_bottom) store(to + line + channel, pixels[2]);
        if (has_right && has_bottom) store(to + line + channels + channel, pixels[3]);
      }
    }
  });
}

// A dy Aᵀ, the transpose of the output's transform, but for the sign of its last row and column, which
// finish_weight_gradient restores.
inline void transform_gradient(const ConvolutionShape& shape, const float* gradient, int64_t begin, int64_t end,
                               int64_t block, float* to) {
  const int64_t channels = shape.outputs, line = shape.width * channels;
  for_each_row(shape, begin, end, [&](int64_t sample, int64_t row, int64_t column, int64_t count, int64_t index) {
    const bool has_bottom = 2 * row + 1 < shape.height;
    const float* from = gradient + (sample * shape.height + 2 * row) * line + 2 * column * channels;
    for (int64_t tile = 0; tile < count; ++tile, from += 2 * channels) {
      const bool has_right = 2 * (column + tile) + 1 < shape.width;
      for (int64_t channel = 0; channel < channels; channel += kLanes) {
        const int64_t chunk = channel / kChunk, lane = channel % kChunk;
        const Vector a = load(from + channel);
        const Vector b = has_right ? load(from + channels + channel) : Vector{};
        const Vector c = has_bottom ? load(from + line + channel) : Vector{};
        const Vector d = has_right && has_bottom ? load(from + line + channels + channel) : Vector{};
        const Vector left[4] = {a, a + c, a - c, c}, right[4] = {b, b + d, b - d, d};
        float* point = to + (chunk * kPoints * block + index + tile) * kChunk + lane;
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i, point += 4 * block * kChunk) {
          store(point, left[i]);
          store(point + block * kChunk, left[i] + right[i]);
          store(point + 2 * block * kChunk, left[i] - right[i]);
          store(point + 3 * block * kChunk, right[i]);
        }
      }
    }
  });
}

}  // namespace
