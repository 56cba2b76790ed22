// Predictions by their confidence, the probability of the predicted class (Guo et al. 2017, "On calibration of modern
// neural networks", section 2): [predictions, confidences, hits] of M bins each, the m-th of which is ((m - 1) / M, m /
// M].
#include <cmath>

#include "src/core/error.h"
#include "src/metrics/members.h"

namespace incremental {
namespace {

constexpr int kMostBins = 1000;

class CalibrationBins : public AdditiveSums {
 public:
  explicit CalibrationBins(double bins) : bins_(bins) {}

 protected:
  at::Tensor of(const Predictions& predictions) const override {
    const at::Tensor rows = predictions.finite().nonzero().squeeze(1);
    const auto [largest, predicted] = predictions.log_probabilities().index_select(0, rows).max(1);
    const at::Tensor confidences = largest.exp();
    const at::Tensor hits = predicted.eq(predictions.targets().index_select(0, rows)).to(at::kDouble);
    const at::Tensor bins = (confidences * bins_).ceil_().sub_(1).clamp_(0, bins_ - 1);
    // [prediction, bin]: a product has the same order of additions every time, also on a GPU.
    const at::Tensor in = bins.unsqueeze(1).eq(at::arange(bins_, bins.options())).to(at::kDouble);
    return at::cat({in.sum(0), in.t().mv(confidences), in.t().mv(hits)});
  }

 private:
  double bins_;
};

}  // namespace

std::unique_ptr<Sums> make_calibration_bins(const Choice& choice, int64_t) {
  const double bins = choice.number("bins");
  // A batch has a number for each prediction and bin.
  check(bins >= 1 && bins <= kMostBins && bins == std::floor(bins), "ERR_INVALID_OPTION", "Expected 1 to ", kMostBins,
        " bins of calibration but received ", bins);
  return std::make_unique<CalibrationBins>(bins);
}

}  // namespace incremental
