#include "src/optimizers/factored_changes.h"

#include <algorithm>
#include <vector>

#include "src/optimizers/elementwise.h"

namespace incremental {
namespace {

// True for [image, channel, row, column] that memory holds as [image, row, column, channel].
bool are_channels_last(const at::Tensor& matrices) {
  return matrices.dim() == 4 && matrices.is_contiguous(at::MemoryFormat::ChannelsLast);
}

// As they lie there. Shares memory with what does.
at::Tensor in_memory(const at::Tensor& matrices) { return matrices.permute({0, 2, 3, 1}).contiguous(); }

// Matrices in memory, as [matrix, row, column, inner]: of images in channels_last memory, `inner` are the channels,
// each of which is a matrix; of others it is 1.
struct Matrices {
  explicit Matrices(const at::Tensor& gradient)
      : last(are_channels_last(gradient)),
        height(gradient.size(-2)),
        width(gradient.size(-1)),
        inner(last ? gradient.size(1) : 1),
        count(gradient.numel() / std::max<int64_t>(1, height * width * inner)) {}

  bool last;
  int64_t height, width, inner, count;
};

}  // namespace

at::Tensor change_of_vector(const at::Tensor& gradient, const at::Tensor& variance, double added, double epsilon) {
  if (!fit_one_pass({gradient, variance})) {
    variance.lerp_(gradient * gradient, added);
    return variance.clone().clamp_min_(epsilon * epsilon).rsqrt_().mul_(gradient);
  }
  at::Tensor change = at::empty_like(variance);
  auto* const changes = change.mutable_data_ptr<float>();
  auto* const variances = variance.mutable_data_ptr<float>();
  const auto* const gradients = gradient.const_data_ptr<float>();
  const Lerp lerp(added);
  const auto least = static_cast<float>(epsilon * epsilon);
  over_elements(variance.numel(), [=](int64_t i) INLINED {
    const float slope = gradients[i];
    const float square = slope * slope;
    const float estimate = lerp(variances[i], square);
    variances[i] = estimate;
    changes[i] = 1 / __builtin_sqrtf(estimate < least ? least : estimate) * slope;
  });
  return change;
}

at::Tensor change_of_matrices(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns,
                              double epsilon) {
  const at::Tensor divisor = rows.mean(-2, /*keepdim=*/true).clamp_min_(epsilon);
  const Matrices matrices(gradient);
  const bool last = matrices.last;
  const int64_t height = matrices.height, width = matrices.width, inner = matrices.inner;
  if (!fit_one_pass({gradient}) || !(last || gradient.is_contiguous())) {
    return at::matmul(rows, columns).div_(divisor).clamp_min_(epsilon * epsilon).rsqrt_().mul_(gradient);
  }
  const auto laid_out = [last](const at::Tensor& factor) { return last ? in_memory(factor) : factor.contiguous(); };
  const at::Tensor kept_rows = laid_out(rows), kept_columns = laid_out(columns), kept_means = laid_out(divisor);
  at::Tensor change = at::empty_like(gradient);
  const auto* const gradients = gradient.const_data_ptr<float>();
  const auto* const of_rows = kept_rows.const_data_ptr<float>();
  const auto* const of_columns = kept_columns.const_data_ptr<float>();
  const auto* const means = kept_means.const_data_ptr<float>();
  auto* const changes = change.mutable_data_ptr<float>();
  const auto least = static_cast<float>(epsilon * epsilon);
  const auto element = [=](float row, float column, float mean, float slope) INLINED {
    const float estimate = row * column / mean;
    return 1 / __builtin_sqrtf(estimate < least ? least : estimate) * slope;
  };
  const int64_t line = width * inner;
  if (line == 0) return change;
  const int64_t lines = gradient.numel() / line;
  if (last) {
    const auto of_line = [=](int64_t k) INLINED {
      const int64_t matrix = k / height;
      for (int64_t column = 0; column < width; ++column) {
        _Pragma("GCC ivdep") for (int64_t i = 0; i < inner; ++i) {
          const int64_t at = k * line + column * inner + i;
          changes[at] = element(of_rows[k * inner + i], of_columns[matrix * line + column * inner + i],
                                means[matrix * inner + i], gradients[at]);
        }
      }
    };
    over_elements(lines, of_line, line);
  } else {
    const auto of_line = [=](int64_t k) INLINED {
      const int64_t matrix = k / height;
      const float row = of_rows[k], mean = means[matrix];
      const auto* const own = of_columns + matrix * width;
      _Pragma("GCC ivdep") for (int64_t i = 0; i < width; ++i) {
        changes[k * width + i] = element(row, own[i], mean, gradients[k * width + i]);
      }
    };
    over_elements(lines, of_line, line);
  }
  return change;
}

bool are_many(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns) {
  constexpr int64_t kFewest = 16;
  if (rows.dim() != gradient.dim() || !fit_one_pass({gradient})) return false;
  const Matrices matrices(gradient);
  const auto lie_alike = [&](const at::Tensor& factor) {
    return fit_one_pass({factor}) && (matrices.last ? are_channels_last(factor) : factor.is_contiguous());
  };
  return matrices.count >= kFewest && (matrices.last || gradient.is_contiguous()) && lie_alike(rows) &&
         lie_alike(columns);
}

double change_many(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns,
                   const at::Tensor& change, double added, double epsilon) {
  const Matrices matrices(gradient);
  const int64_t height = matrices.height, width = matrices.width, inner = matrices.inner, count = matrices.count;
  const int64_t slices = std::min<int64_t>(count, at::get_num_threads());
  const int64_t row_floats = height * inner, column_floats = width * inner, floats = row_floats * width;
  // For each slice: sums of a matrix's rows, of its columns, of the averages of its rows, and of the change's
  // squares.
  const at::Tensor scratch = at::zeros({slices, row_floats + column_floats + 2 * inner});
  const int64_t each = scratch.size(1);
  auto* const scratches = scratch.mutable_data_ptr<float>();
  const auto* const gradients = gradient.const_data_ptr<float>();
  auto* const changes = change.mutable_data_ptr<float>();
  auto* const of_rows = rows.mutable_data_ptr<float>();
  auto* const of_columns = columns.mutable_data_ptr<float>();
  std::vector<double> totals(slices);
  double* const sums = totals.data();
  const Lerp lerp(added);
  const auto by_width = 1 / static_cast<float>(width), by_height = 1 / static_cast<float>(height),
             least_mean = static_cast<float>(epsilon), least = static_cast<float>(epsilon * epsilon);
  const auto of_slice = [=](int64_t slice) INLINED {
    float* const row_sums = scratches + slice * each;
    float *const column_sums = row_sums + row_floats, *const means = column_sums + column_floats,
                 *const squares = means + inner;
    double total = 0;
    for (int64_t k = count * slice / slices; k < count * (slice + 1) / slices; ++k) {
      const float* const own = gradients + k * floats;
      float* const changed = changes + k * floats;
      float *const row = of_rows + k * row_floats, *const column = of_columns + k * column_floats;
      for (int64_t i = 0; i < each; ++i) row_sums[i] = 0;
      for (int64_t r = 0; r < height; ++r) {
        for (int64_t c = 0; c < width; ++c) {
          _Pragma("GCC ivdep") for (int64_t i = 0; i < inner; ++i) {
            const float slope = own[(r * width + c) * inner + i];
            row_sums[r * inner + i] += slope * slope;
            column_sums[c * inner + i] += slope * slope;
          }
        }
      }
      for (int64_t r = 0; r < height; ++r) {
        _Pragma("GCC ivdep") for (int64_t i = 0; i < inner; ++i) {
          const float average = lerp(row[r * inner + i], row_sums[r * inner + i] * by_width);
          row[r * inner + i] = average;
          means[i] += average * by_height;
        }
      }
      _Pragma("GCC ivdep") for (int64_t i = 0; i < column_floats; ++i) {
        column[i] = lerp(column[i], column_sums[i] * by_height);
      }
      for (int64_t r = 0; r < height; ++r) {
        for (int64_t c = 0; c < width; ++c) {
          _Pragma("GCC ivdep") for (int64_t i = 0; i < inner; ++i) {
            const float mean = means[i] < least_mean ? least_mean : means[i];
            const float estimate = row[r * inner + i] * column[c * inner + i] / mean;
            const int64_t at = (r * width + c) * inner + i;
            const float moved = own[at] / __builtin_sqrtf(estimate < least ? least : estimate);
            changed[at] = moved;
            squares[i] += moved * moved;
          }
        }
      }
      for (int64_t i = 0; i < inner; ++i) total += squares[i];
    }
    sums[slice] = total;
  };
  over_elements(slices, of_slice, gradient.numel() / slices);
  double sum = 0;
  for (const double total : totals) sum += total;
  return sum;
}

}  // namespace incremental
