#include "src/state/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace incremental {
namespace {

// Values that are converted to double at once.
constexpr int64_t kPiece = int64_t{1} << 18;

TensorStats stats_of(const at::Tensor& tensor) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const at::Tensor real = tensor.is_complex() ? at::view_as_real(tensor.resolve_conj()) : tensor;
  const at::Tensor flat = real.contiguous().view({-1});
  TensorStats stats{kInfinity, -kInfinity, 0, 0, 0};
  int64_t finite = 0;
  for (int64_t first = 0; first < flat.numel(); first += kPiece) {
    const at::Tensor piece = flat.slice(0, first, std::min(first + kPiece, flat.numel())).to(at::kDouble);
    const double* values = piece.const_data_ptr<double>();
    for (int64_t i = 0; i < piece.numel(); ++i) {
      if (std::isnan(values[i])) {
        ++stats.nan;
      } else if (std::isinf(values[i])) {
        ++stats.infinite;
      } else {
        stats.min = std::min(stats.min, values[i]);
        stats.max = std::max(stats.max, values[i]);
        stats.mean += values[i];
        ++finite;
      }
    }
  }
  if (finite == 0) return {kNone, kNone, kNone, stats.nan, stats.infinite};
  stats.mean /= static_cast<double>(finite);
  return stats;
}

}  // namespace

std::vector<TensorStats> stats_of(const StateDict& state) {
  at::NoGradGuard no_grad;
  std::vector<TensorStats> stats;
  stats.reserve(state.size());
  for (const NamedTensor& item : state) stats.push_back(stats_of(item.tensor));
  return stats;
}

}  // namespace incremental
