// Errors of numbers: [predictions, then of each number of a target the sum of absolute errors, that of squared errors,
// the mean of the targets, and the sum of their squared distances from it]. The last two of two parts merge as in Chan,
// Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances", equation 2.1.
#include "src/metrics/members.h"

namespace incremental {
namespace {

class ErrorSums : public Sums {
 public:
  void add(const Predictions& predictions) override {
    const at::Tensor& targets = predictions.targets();
    const at::Tensor errors = predictions.exact() - targets;
    const at::Tensor sums = at::stack({errors.abs().sum(0), errors.square().sum(0)});
    if (!sums_.defined()) {
      sums_ = at::zeros_like(sums);
      mean_ = at::zeros_like(sums[0]);
      squares_ = at::zeros_like(sums[0]);
    }
    if (predictions.count() == 0) return;
    sums_ = sums_ + sums;
    const auto count = static_cast<double>(predictions.count());
    const at::Tensor mean = targets.mean(0);
    const at::Tensor distance = mean - mean_;
    const double all = count_ + count;
    squares_ = squares_ + (targets - mean).square_().sum(0) + distance.square() * (count_ * count / all);
    mean_ = mean_ + distance * (count / all);
    count_ = all;
  }

  at::Tensor state() const override {
    return at::cat({at::full({1}, count_, mean_.options()), sums_.flatten(), mean_, squares_});
  }

 private:
  double count_ = 0;
  at::Tensor sums_;            // [2, number]
  at::Tensor mean_, squares_;  // [number]
};

}  // namespace

std::unique_ptr<Sums> make_error_sums(const Choice&, int64_t) { return std::make_unique<ErrorSums>(); }

}  // namespace incremental
