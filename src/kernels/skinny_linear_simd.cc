// Compiled once for each instruction set (simd.h). Long rows, few of them: each piece of the long ones is read from
// memory once, and all that is done with it is done while it is in the first-level cache.
#include "src/kernels/skinny_linear_simd.h"

#include "src/kernels/simd.h"

namespace {

// Elements of a row that are handled at a time, and how far apart the rows of the short side are meanwhile, in scratch
// memory: where rows are a power of two apart, few of them fit into a cache at once.
constexpr int64_t kPiece = 512;
constexpr int64_t kPacked = kPiece + 16;
// Rows of a tile of `dot`, and its columns, whose sums fit into the registers.
constexpr int kDotRows = 4;
constexpr int kDotColumns = kLanes == 16 ? 6 : 3;
// Rows and sums of a tile of `combine`, whose factors fit into the registers with AVX-512.
constexpr int kCombined = 5;

inline void copy_rows(const float* from, int64_t from_size, int64_t rows, int64_t count, float* to, int64_t to_size) {
  for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(to + i * to_size, from + i * from_size, count * sizeof(float));
}

// Sums of a tile over `count` elements, whole registers, added to `sums` [rows, columns, kLanes].
template <int kRows, int kColumns>
void dot_tile(const float* left, int64_t size, const float* right, int64_t count, float* sums, int64_t columns) {
  Vector sum[kRows][kColumns];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) sum[i][j] = load(sums + (i * columns + j) * kLanes);
  }
  for (int64_t k = 0; k < count; k += kLanes) {
    Vector b[kColumns];
#pragma GCC unroll 6
    for (int j = 0; j < kColumns; ++j) b[j] = load(right + j * kPacked + k);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const Vector a = load(left + i * size + k);
#pragma GCC unroll 6
      for (int j = 0; j < kColumns; ++j) sum[i][j] += a * b[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) store(sums + (i * columns + j) * kLanes, sum[i][j]);
  }
}

using DotTile = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t);

template <int kRows>
constexpr DotTile kDotRow[] = {dot_tile<kRows, 1>,     dot_tile<kRows, 2>,          dot_tile<kRows, 3>,
                               dot_tile < kRows,       kDotColumns<4 ? 3 : 4>,      dot_tile < kRows,
                               kDotColumns<5 ? 3 : 5>, dot_tile<kRows, kDotColumns>};
constexpr const DotTile* kDotTiles[] = {kDotRow<1>, kDotRow<2>, kDotRow<3>, kDotRow<4>};

// `count` cut into as few pieces of at most `most` as there must be, of about equal size: where piece i begins.
inline int64_t cut(int64_t count, int64_t most, int64_t i) { return count * i / ((count + most - 1) / most); }

void dot(const float* left, int64_t rows, const float* right, int64_t columns, int64_t size, int64_t begin, int64_t end,
         float* scratch, float* partial) {
  float* packed = scratch + rows * columns * kChunk;
  for (int64_t i = 0; i < rows * columns * kLanes; ++i) scratch[i] = 0;
  const int64_t whole = begin + (end - begin) / kLanes * kLanes;
  for (int64_t piece = begin; piece < whole; piece += kPiece) {
    const int64_t count = piece + kPiece < whole ? kPiece : whole - piece;
    copy_rows(right + piece, size, columns, count, packed, kPacked);
    int64_t row_end = 0;
    for (int64_t row = 0, r = 1; row < rows; row = row_end, ++r) {
      row_end = cut(rows, kDotRows, r);
      int64_t column_end = 0;
      for (int64_t column = 0, c = 1; column < columns; column = column_end, ++c) {
        column_end = cut(columns, kDotColumns, c);
        const DotTile tile = kDotTiles[row_end - row - 1][column_end - column - 1];
        tile(left + row * size + piece, size, packed + column * kPacked, count,
             scratch + (row * columns + column) * kLanes, columns);
      }
    }
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const float* sums = scratch + (row * columns + column) * kLanes;
      // In halves: as few roundings on each way as there can be.
      float lanes[kLanes];
      for (int i = 0; i < kLanes; ++i) lanes[i] = sums[i];
      for (int half = kLanes / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
      }
      float sum = lanes[0];
      for (int64_t k = whole; k < end; ++k) sum += left[row * size + k] * right[column * size + k];
      partial[row * columns + column] = sum;
    }
  }
}

// What a tile of `combine` does, kSums rows into kRows; onto what is there if `add`.
template <int kRows, int kSums>
void combine_tile(const float* from, int64_t from_size, const float* factors, int64_t row_step, int64_t sum_step,
                  int64_t count, bool add, float* to, int64_t to_size) {
  Vector factor[kRows][kSums];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kSums; ++j) factor[i][j] = factors[i * row_step + j * sum_step] + Vector{};
  }
  int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    Vector sum[kRows];
#pragma GCC unroll 5
    for (int i = 0; i < kRows; ++i) sum[i] = add ? load(to + i * to_size + k) : Vector{};
#pragma GCC unroll 5
    for (int j = 0; j < kSums; ++j) {
      const Vector value = load(from + j * from_size + k);
#pragma GCC unroll 5
      for (int i = 0; i < kRows; ++i) sum[i] += factor[i][j] * value;
    }
#pragma GCC unroll 5
    for (int i = 0; i < kRows; ++i) store(to + i * to_size + k, sum[i]);
  }
  for (; k < count; ++k) {
    for (int i = 0; i < kRows; ++i) {
      float sum = add ? to[i * to_size + k] : 0;
      for (int j = 0; j < kSums; ++j) sum += factors[i * row_step + j * sum_step] * from[j * from_size + k];
      to[i * to_size + k] = sum;
    }
  }
}

using CombineTile = void (*)(const float*, int64_t, const float*, int64_t, int64_t, int64_t, bool, float*, int64_t);

template <int kRows>
constexpr CombineTile kCombineRow[] = {combine_tile<kRows, 1>, combine_tile<kRows, 2>, combine_tile<kRows, 3>,
                                       combine_tile<kRows, 4>, combine_tile<kRows, 5>};
constexpr const CombineTile* kCombineTiles[] = {kCombineRow<1>, kCombineRow<2>, kCombineRow<3>, kCombineRow<4>,
                                                kCombineRow<5>};

void combine(const float* from, int64_t sums, const float* factors, int64_t row_step, int64_t sum_step, int64_t rows,
             int64_t size, int64_t begin, int64_t end, float* scratch, float* to) {
  // The long side outside: its rows are read, or written, once. The short side is in scratch memory.
  const bool rows_outside = rows > sums;
  const int64_t row_cuts = (rows + kCombined - 1) / kCombined, sum_cuts = (sums + kCombined - 1) / kCombined;
  for (int64_t piece = begin; piece < end; piece += kPiece) {
    const int64_t count = piece + kPiece < end ? kPiece : end - piece;
    if (rows_outside) copy_rows(from + piece, size, sums, count, scratch, kPacked);
    const float* source = rows_outside ? scratch : from + piece;
    float* target = rows_outside ? to + piece : scratch;
    const int64_t source_size = rows_outside ? kPacked : size, target_size = rows_outside ? size : kPacked;
    for (int64_t i = 0; i < row_cuts * sum_cuts; ++i) {
      const int64_t r = rows_outside ? i / sum_cuts : i % row_cuts, s = rows_outside ? i % sum_cuts : i / row_cuts;
      const int64_t row = cut(rows, kCombined, r), row_end = cut(rows, kCombined, r + 1);
      const int64_t sum = cut(sums, kCombined, s), sum_end = cut(sums, kCombined, s + 1);
      const CombineTile tile = kCombineTiles[row_end - row - 1][sum_end - sum - 1];
      tile(source + sum * source_size, source_size, factors + row * row_step + sum * sum_step, row_step, sum_step,
           count, sum > 0, target + row * target_size, target_size);
    }
    if (!rows_outside) copy_rows(scratch, kPacked, rows, count, to + piece, size);
  }
}

}  // namespace

namespace incremental::SIMD_NAME {

const SkinnyLinearKernels kSkinnyLinear = {dot, combine};

}  // namespace incremental::SIMD_NAME
