// Stochastic weight averaging (Izmailov et al. 2018, "Averaging weights leads to wider optima and better
// generalization", algorithm 1): the mean of the weights at the end of epochs, as AveragedModel of
// torch/optim/swa_utils.py computes it on the CPU (get_swa_avg_fn).
#include "src/averages/members.h"

namespace incremental {
namespace {

class Swa : public Average {
 public:
  explicit Swa(double start) : start_(static_cast<int64_t>(start)) {}

  void after_epoch(const std::vector<at::Tensor>& weights, int64_t epoch) override {
    if (epoch >= start_) add(weights);
  }

  bool needs_statistics() const override { return true; }

 private:
  void average(const at::Tensor& averaged, const at::Tensor& weight) const override {
    const at::Tensor following = at::scalar_tensor(count() + 1, at::kLong);
    averaged.copy_(averaged + (weight - averaged) / following);
  }

  int64_t start_;
};

}  // namespace

std::unique_ptr<Average> make_swa(const Choice& choice) { return std::make_unique<Swa>(choice.number("start")); }

}  // namespace incremental
