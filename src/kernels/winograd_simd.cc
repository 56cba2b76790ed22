// Compiled once for each instruction set (simd.h). The transforms are in winograd_tiles.h; here are those of the
// weights, and the multiplications in between.
#include "src/kernels/winograd_simd.h"

#include "src/kernels/winograd_tiles.h"

namespace {

using incremental::WeightStrides;

// The largest tiles of a product that registers hold: 32 with AVX-512, 16 else.
constexpr int kRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
constexpr int kSides = kLanes == 16 ? 8 : kLanes == 8 ? 4 : 2;
// Runs of 16 channels that one product's tile spans, where there are as many.
constexpr int kWide = kLanes == 16 ? 2 : 1;

// Rows of M = V U at one point: kRows tiles × kChunks runs of 16 outputs.
template <int kChunks>
inline void multiply(const float* v, int64_t v_step, const float* u, int64_t inputs, float* m, int64_t m_step) {
  constexpr int kVectors = kChunks * kSplit;
  Vector sum[kRows][kVectors] = {};
  for (int64_t chunk = 0; chunk < inputs / kChunk; ++chunk, v += v_step) {
    for (int channel = 0; channel < kChunk; ++channel, u += kChunk) {
      Vector weight[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) weight[j] = load(u + j / kSplit * inputs * kChunk + j % kSplit * kLanes);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[i][j] += v[i * kChunk + channel] * weight[j];
      }
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) store(m + j / kSplit * m_step + i * kChunk + j % kSplit * kLanes, sum[i][j]);
  }
}

// P += Vᵀ Q at one point, over `tiles`: kInputs channels × kChunks runs of 16 outputs.
template <int kInputs, int kChunks>
inline void multiply_transposed(const float* v, const float* q, int64_t q_step, int64_t tiles, float* p,
                                int64_t p_step) {
  constexpr int kVectors = kChunks * kSplit;
  Vector sum[kInputs][kVectors] = {};
  for (int64_t tile = 0; tile < tiles; ++tile, v += kChunk, q += kChunk) {
    Vector gradient[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) gradient[j] = load(q + j / kSplit * q_step + j % kSplit * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kInputs; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[i][j] += v[i] * gradient[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kInputs; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      float* to = p + j / kSplit * p_step + i * kChunk + j % kSplit * kLanes;
      store(to, load(to) + sum[i][j]);
    }
  }
}

// GgGᵀ, for 16 outputs at a time.
void transform_weight(const float* weight, const WeightStrides& strides, int64_t inputs, int64_t outputs, int64_t begin,
                      int64_t end, float* transformed) {
  const int64_t point_size = outputs * inputs;
  for (int64_t chunk = begin; chunk < end; ++chunk) {
    for (int64_t input = 0; input < inputs; ++input) {
      float g[3][3][kChunk], half[4][3][kChunk];
      const float* from = weight + chunk * kChunk * strides.output + input * strides.input;
      for (int k = 0; k < kChunk; ++k) {
        for (int i = 0; i < 3; ++i) {
          for (int j = 0; j < 3; ++j) g[i][j][k] = from[k * strides.output + i * strides.row + j * strides.column];
        }
      }
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < kChunk; ++k) {
          const float ends = g[0][j][k] + g[2][j][k];
          half[0][j][k] = g[0][j][k];
          half[1][j][k] = 0.5F * (ends + g[1][j][k]);
          half[2][j][k] = 0.5F * (ends - g[1][j][k]);
          half[3][j][k] = g[2][j][k];
        }
      }
      float* to = transformed + (chunk * inputs + input) * kChunk;
      for (int i = 0; i < 4; ++i, to += 4 * point_size) {
        for (int k = 0; k < kChunk; ++k) {
          const float ends = half[i][0][k] + half[i][2][k];
          to[k] = half[i][0][k];
          to[point_size + k] = 0.5F * (ends + half[i][1][k]);
          to[2 * point_size + k] = 0.5F * (ends - half[i][1][k]);
          to[3 * point_size + k] = half[i][2][k];
        }
      }
    }
  }
}

void convolve(const ConvolutionShape& shape, const float* input, const float* transformed_weight, const float* bias,
              int64_t begin, int64_t end, int64_t block, float* scratch, float* output) {
  const int64_t inputs = shape.inputs, chunks = shape.outputs / kChunk, matrix = block * kChunk;
  float* transformed = scratch;
  float* product = scratch + kPoints * block * inputs;
  // Where a block is not full, the rest of its last rows is multiplied all the same.
  if (end - begin < block) {
    for (int64_t i = 0; i < kPoints * block * inputs; ++i) transformed[i] = 0;
  }
  for (int64_t first = begin; first < end; first += block) {
    const int64_t last = first + block < end ? first + block : end, tiles = last - first;
    transform_input(shape, input, inputs, first, last, block, transformed);
    for (int64_t point = 0; point < kPoints; ++point) {
      const float* u = transformed_weight + point * shape.outputs * inputs;
      for (int64_t chunk = 0; chunk < chunks;) {
        const bool wide = chunk + kWide <= chunks;
        for (int64_t tile = 0; tile < tiles; tile += kRows) {
          const float* v = transformed + point * matrix + tile * kChunk;
          float* m = product + (chunk * kPoints + point) * matrix + tile * kChunk;
          if (wide) {
            multiply<kWide>(v, kPoints * matrix, u + chunk * inputs * kChunk, inputs, m, kPoints * matrix);
          } else {
            multiply<1>(v, kPoints * matrix, u + chunk * inputs * kChunk, inputs, m, kPoints * matrix);
          }
        }
        chunk += wide ? kWide : 1;
      }
    }
    transform_output(shape, product, bias, first, last, block, output);
  }
}

// The sums over all pixels are at the point where a tile's transform is the sum of its pixels.
void sum_bias_gradient(const float* transformed, int64_t outputs, int64_t tiles, int64_t block, float* bias_sums) {
  for (int64_t channel = 0; channel < outputs; channel += kLanes) {
    const float* from = transformed + (channel / kChunk * kPoints + 5) * block * kChunk + channel % kChunk;
    Vector sum = {};
    for (int64_t tile = 0; tile < tiles; ++tile) sum += load(from + tile * kChunk);
    store(bias_sums + channel, load(bias_sums + channel) + sum);
  }
}

void sum_weight_gradient(const ConvolutionShape& shape, const float* input, const float* gradient, int64_t begin,
                         int64_t end, int64_t block, float* scratch, float* sums, float* bias_sums) {
  const int64_t inputs = shape.inputs, chunks = shape.outputs / kChunk, matrix = block * kChunk;
  float* transformed = scratch;
  float* transformed_gradient = scratch + kPoints * block * inputs;
  for (int64_t i = 0; i < kPoints * inputs * shape.outputs; ++i) sums[i] = 0;
  for (int64_t i = 0; bias_sums != nullptr && i < shape.outputs; ++i) bias_sums[i] = 0;
  for (int64_t first = begin; first < end; first += block) {
    const int64_t last = first + block < end ? first + block : end, tiles = last - first;
    transform_input(shape, input, inputs, first, last, block, transformed);
    transform_gradient(shape, gradient, first, last, block, transformed_gradient);
    if (bias_sums != nullptr) sum_bias_gradient(transformed_gradient, shape.outputs, tiles, block, bias_sums);
    for (int64_t point = 0; point < kPoints; ++point) {
      for (int64_t chunk = 0; chunk < chunks;) {
        const bool wide = chunk + kWide <= chunks;
        const float* q = transformed_gradient + (chunk * kPoints + point) * matrix;
        float* p = sums + (point * chunks + chunk) * inputs * kChunk;
        for (int64_t channel = 0; channel < inputs; channel += wide ? kSides : kSides * kWide) {
          const float* v = transformed + (channel / kChunk * kPoints + point) * matrix + channel % kChunk;
          float* to = p + channel * kChunk;
          if (wide) {
            multiply_transposed<kSides, kWide>(v, q, kPoints * matrix, tiles, to, inputs * kChunk);
          } else {
            multiply_transposed<kSides * kWide, 1>(v, q, kPoints * matrix, tiles, to, inputs * kChunk);
          }
        }
        chunk += wide ? kWide : 1;
      }
    }
  }
}

// GᵀpG, with the sign that transform_gradient left out: the transpose of the weight's transform.
void finish_weight_gradient(const float* sums, int64_t parts, int64_t part_size, int64_t inputs, int64_t outputs,
                            int64_t begin, int64_t end, float* gradient, const WeightStrides& strides) {
  for (int64_t index = begin; index < end; ++index) {
    float p[kPoints][kChunk], half[3][4][kChunk], g[3][3][kChunk];
    for (int point = 0; point < kPoints; ++point) {
      const float* from = sums + point * outputs * inputs + index * kChunk;
      for (int k = 0; k < kChunk; ++k) p[point][k] = from[k];
      for (int64_t part = 1; part < parts; ++part) {
        for (int k = 0; k < kChunk; ++k) p[point][k] += from[part * part_size + k];
      }
    }
    for (int j = 0; j < 4; ++j) {
      for (int k = 0; k < kChunk; ++k) {
        const float sum = 0.5F * (p[4 + j][k] + p[8 + j][k]);
        half[0][j][k] = p[j][k] + sum;
        half[1][j][k] = 0.5F * (p[4 + j][k] - p[8 + j][k]);
        half[2][j][k] = sum - p[12 + j][k];
      }
    }
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < kChunk; ++k) {
        const float sum = 0.5F * (half[i][1][k] + half[i][2][k]);
        g[i][0][k] = half[i][0][k] + sum;
        g[i][1][k] = 0.5F * (half[i][1][k] - half[i][2][k]);
        g[i][2][k] = sum - half[i][3][k];
      }
    }
    float* to = gradient + index / inputs * kChunk * strides.output + index % inputs * strides.input;
    for (int k = 0; k < kChunk; ++k) {
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) to[k * strides.output + i * strides.row + j * strides.column] = g[i][j][k];
      }
    }
  }
}

}  // namespace

namespace incremental::SIMD_NAME {

const WinogradKernels kWinograd = {transform_weight, convolve, sum_weight_gradient, finish_weight_gradient};

}  // namespace incremental::SIMD_NAME
