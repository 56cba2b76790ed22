// Losses of probabilities: [predictions, -log p of the targets, squared distances from the targets]. Of several labels
// each label is a prediction by itself.
#include <cmath>
#include <limits>

#include "src/metrics/members.h"

namespace incremental {
namespace {

// Of a probability of 2^-52, the least that scikit-learn's log_loss takes a float64 for.
const double kLargestLoss = -std::log(std::numeric_limits<double>::epsilon());

class ProbabilitySums : public AdditiveSums {
 protected:
  at::Tensor of(const Predictions& predictions) const override {
    return predictions.hold_indices() ? of_classes(predictions) : of_labels(predictions);
  }

 private:
  static at::Tensor of_classes(const Predictions& predictions) {
    const at::Tensor& logs = predictions.log_probabilities();
    const at::Tensor targets = predictions.targets().unsqueeze(1);
    const at::Tensor losses = logs.gather(1, targets).neg_().clamp_max_(kLargestLoss);
    const at::Tensor wanted = at::zeros_like(logs).scatter_(1, targets, 1);
    const at::Tensor distances = (logs.exp() - wanted).square_().sum();
    // Of two classes, the square of one: brier_score_loss(scale_by_half="auto").
    return sums(static_cast<double>(predictions.count()), losses.sum(),
                predictions.size() == 2 ? distances / 2 : distances);
  }

  static at::Tensor of_labels(const Predictions& predictions) {
    const at::Tensor& logits = predictions.exact();
    const at::Tensor& targets = predictions.targets();
    const at::Tensor losses = at::binary_cross_entropy_with_logits(logits, targets, {}, {}, at::Reduction::None);
    const at::Tensor distances = (logits.sigmoid() - targets).square_();
    return sums(static_cast<double>(logits.numel()), losses.clamp_max(kLargestLoss).sum(), distances.sum());
  }

  static at::Tensor sums(double count, const at::Tensor& losses, const at::Tensor& distances) {
    return at::stack({at::full({}, count, losses.options()), losses, distances});
  }
};

}  // namespace

std::unique_ptr<Sums> make_probability_sums(const Choice&, int64_t) { return std::make_unique<ProbabilitySums>(); }

}  // namespace incremental
