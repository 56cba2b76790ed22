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

template <class From, class To>
void copy_rows(const From* from, int64_t from_size, int64_t rows, int64_t count, To* to, int64_t to_size) {
  for (int64_t i = 0; i < rows; ++i) {
    int64_t k = 0;
    for (; k + kLanes <= count; k += kLanes) store(to + i * to_size + k, load(from + i * from_size + k));
    for (; k < count; ++k) from_float(to_float(from[i * from_size + k]), to[i * to_size + k]);
  }
}

// Sums of a tile over `count` elements, whole registers, added to `sums` [rows, columns, kLanes].
template <class Element, int kRows, int kColumns>
void dot_tile(const Element* left, int64_t size, const float* right, int64_t count, float* sums, int64_t columns) {
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

template <class Element>
using DotTile = void (*)(const Element*, int64_t, const float*, int64_t, float*, int64_t);

constexpr int at_most(int count) { return count < kDotColumns ? count : kDotColumns; }

template <class Element, int kRows>
constexpr DotTile<Element> kDotRow[] = {dot_tile<Element, kRows, 1>,          dot_tile<Element, kRows, 2>,
                                        dot_tile<Element, kRows, 3>,          dot_tile<Element, kRows, at_most(4)>,
                                        dot_tile<Element, kRows, at_most(5)>, dot_tile<Element, kRows, kDotColumns>};
template <class Element>
constexpr const DotTile<Element>* kDotTiles[] = {kDotRow<Element, 1>, kDotRow<Element, 2>, kDotRow<Element, 3>,
                                                 kDotRow<Element, 4>};

// Calls body(begin, end) for `count` cut into as few pieces of at most `most` as there must be, of about equal size.
template <class Body>
void for_each_cut(int64_t count, int64_t most, Body body) {
  const int64_t pieces = (count + most - 1) / most;
  for (int64_t i = 0; i < pieces; ++i) body(count * i / pieces, count * (i + 1) / pieces);
}

template <class Element>
void dot(const Element* left, int64_t rows, const float* right, int64_t columns, int64_t size, int64_t begin,
         int64_t end, float* scratch, float* partial) {
  float* packed = scratch + rows * columns * kChunk;
  for (int64_t i = 0; i < rows * columns * kLanes; ++i) scratch[i] = 0;
  const int64_t whole = begin + (end - begin) / kLanes * kLanes;
  for (int64_t piece = begin; piece < whole; piece += kPiece) {
    const int64_t count = piece + kPiece < whole ? kPiece : whole - piece;
    copy_rows(right + piece, size, columns, count, packed, kPacked);
    for_each_cut(rows, kDotRows, [&](int64_t row, int64_t row_end) {
      for_each_cut(columns, kDotColumns, [&](int64_t column, int64_t column_end) {
        const DotTile<Element> tile = kDotTiles<Element>[row_end - row - 1][column_end - column - 1];
        tile(left + row * size + piece, size, packed + column * kPacked, count,
             scratch + (row * columns + column) * kLanes, columns);
      });
    });
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
      for (int64_t k = whole; k < end; ++k) sum += to_float(left[row * size + k]) * right[column * size + k];
      partial[row * columns + column] = sum;
    }
  }
}

// `sum` and a product, rounded once if `kFused`, otherwise twice.
template <bool kFused, class Number>
inline __attribute__((always_inline)) Number add_product(Number sum, Number a, Number b) {
  return kFused ? sum + a * b : sum + product(a, b);
}

// kSums of many rows into kRows that are kPacked apart; onto what is there if `add`.
template <class From, bool kFused, int kRows, int kSums>
void combine_tile(const From* from, int64_t from_size, const float* factors, int64_t row_step, int64_t sum_step,
                  int64_t count, bool add, float* to) {
  Vector factor[kRows][kSums];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kSums; ++j) factor[i][j] = factors[i * row_step + j * sum_step] + Vector{};
  }
  int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    Vector sum[kRows];
#pragma GCC unroll 5
    for (int i = 0; i < kRows; ++i) sum[i] = add ? load(to + i * kPacked + k) : Vector{};
#pragma GCC unroll 5
    for (int j = 0; j < kSums; ++j) {
      const Vector value = load(from + j * from_size + k);
#pragma GCC unroll 5
      for (int i = 0; i < kRows; ++i) sum[i] = add_product<kFused>(sum[i], factor[i][j], value);
    }
#pragma GCC unroll 5
    for (int i = 0; i < kRows; ++i) store(to + i * kPacked + k, sum[i]);
  }
  for (; k < count; ++k) {
    for (int i = 0; i < kRows; ++i) {
      float sum = add ? to[i * kPacked + k] : 0;
      for (int j = 0; j < kSums; ++j) {
        sum = add_product<kFused>(sum, factors[i * row_step + j * sum_step], to_float(from[j * from_size + k]));
      }
      to[i * kPacked + k] = sum;
    }
  }
}

template <class From>
using CombineTile = void (*)(const From*, int64_t, const float*, int64_t, int64_t, int64_t, bool, float*);

template <class From, bool kFused, int kRows>
constexpr CombineTile<From> kCombineRow[] = {combine_tile<From, kFused, kRows, 1>, combine_tile<From, kFused, kRows, 2>,
                                             combine_tile<From, kFused, kRows, 3>, combine_tile<From, kFused, kRows, 4>,
                                             combine_tile<From, kFused, kRows, 5>};
template <class From, bool kFused>
constexpr const CombineTile<From>* kCombineTiles[] = {kCombineRow<From, kFused, 1>, kCombineRow<From, kFused, 2>,
                                                      kCombineRow<From, kFused, 3>, kCombineRow<From, kFused, 4>,
                                                      kCombineRow<From, kFused, 5>};

// Few rows of `from`, which are kPacked apart, into kRows of `to`: all sums at once, each written once.
template <class To, int kRows>
void spread_tile(const float* from, int64_t sums, const float* factors, int64_t row_step, int64_t sum_step,
                 int64_t count, To* to, int64_t to_size) {
  constexpr int kWide = 2;
  int64_t k = 0;
  for (; k + kWide * kLanes <= count; k += kWide * kLanes) {
    Vector sum[kRows][kWide] = {};
    for (int64_t s = 0; s < sums; ++s) {
      Vector value[kWide];
      for (int j = 0; j < kWide; ++j) value[j] = load(from + s * kPacked + k + j * kLanes);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const Vector factor = factors[i * row_step + s * sum_step] + Vector{};
        for (int j = 0; j < kWide; ++j) sum[i][j] += factor * value[j];
      }
    }
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kWide; ++j) store(to + i * to_size + k + j * kLanes, sum[i][j]);
    }
  }
  for (; k < count; ++k) {
    for (int i = 0; i < kRows; ++i) {
      float sum = 0;
      for (int64_t s = 0; s < sums; ++s) sum += factors[i * row_step + s * sum_step] * from[s * kPacked + k];
      from_float(sum, to[i * to_size + k]);
    }
  }
}

template <class To>
using SpreadTile = void (*)(const float*, int64_t, const float*, int64_t, int64_t, int64_t, To*, int64_t);

template <class To>
constexpr SpreadTile<To> kSpreadTiles[] = {spread_tile<To, 1>, spread_tile<To, 2>, spread_tile<To, 3>,
                                           spread_tile<To, 4>, spread_tile<To, 5>, spread_tile<To, 6>};
constexpr int kSpreadRows = 6;

// The long side outside: its rows are read once, in pieces whose sums stay in scratch memory.
template <class From>
void gather(const From* from, int64_t sums, const float* factors, int64_t row_step, int64_t sum_step, int64_t rows,
            int64_t fused, int64_t size, int64_t begin, int64_t end, float* scratch, float* to) {
  for (int64_t piece = begin; piece < end; piece += kPiece) {
    const int64_t count = piece + kPiece < end ? kPiece : end - piece;
    for_each_cut(sums, kCombined, [&](int64_t sum, int64_t sum_end) {
      const auto add_to = [&](const CombineTile<From>* const* tiles, int64_t row, int64_t row_end) {
        tiles[row_end - row - 1][sum_end - sum - 1](from + sum * size + piece, size,
                                                    factors + row * row_step + sum * sum_step, row_step, sum_step,
                                                    count, sum > 0, scratch + row * kPacked);
      };
      for_each_cut(fused, kCombined,
                   [&](int64_t row, int64_t row_end) { add_to(kCombineTiles<From, true>, row, row_end); });
      for_each_cut(rows - fused, kCombined, [&](int64_t row, int64_t row_end) {
        add_to(kCombineTiles<From, false>, fused + row, fused + row_end);
      });
    });
    copy_rows(scratch, kPacked, rows, count, to + piece, size);
  }
}

// Here what is written is the long side, and the short one is in scratch memory.
template <class To>
void spread(const float* from, int64_t sums, const float* factors, int64_t row_step, int64_t sum_step, int64_t rows,
            int64_t size, int64_t begin, int64_t end, float* scratch, To* to) {
  for (int64_t piece = begin; piece < end; piece += kPiece) {
    const int64_t count = piece + kPiece < end ? kPiece : end - piece;
    copy_rows(from + piece, size, sums, count, scratch, kPacked);
    for_each_cut(rows, kSpreadRows, [&](int64_t row, int64_t row_end) {
      kSpreadTiles<To>[row_end - row - 1](scratch, sums, factors + row * row_step, row_step, sum_step, count,
                                          to + row * size + piece, size);
    });
  }
}

}  // namespace

namespace incremental::SIMD_NAME {

const SkinnyLinearKernels<float> kSkinnyLinear = {dot<float>, gather<float>, spread<float>};
const SkinnyLinearKernels<Bf16> kSkinnyLinearBf16 = {dot<Bf16>, gather<Bf16>, spread<Bf16>};

}  // namespace incremental::SIMD_NAME
