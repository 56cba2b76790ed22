// How many predictions have the target among the k largest outputs: [predictions, hits]. Of equal outputs the one of
// the later class counts as larger, as in scikit-learn's top_k_accuracy_score.
#include "src/metrics/members.h"

namespace incremental {
namespace {

class TopHits : public AdditiveSums {
 public:
  explicit TopHits(double k) : k_(k) {}

 protected:
  at::Tensor of(const Predictions& predictions) const override {
    const at::Tensor& outputs = predictions.outputs();
    const at::Tensor targets = predictions.targets().unsqueeze(1);
    const at::Tensor own = outputs.gather(1, targets);
    const at::Tensor later = at::arange(predictions.size(), targets.options()).gt(targets);
    const at::Tensor before = outputs.gt(own).logical_or_(outputs.eq(own).logical_and_(later)).sum(1);
    const at::Tensor hits = before.lt(k_).logical_and_(predictions.finite()).sum();
    return at::stack({at::full({}, predictions.count(), hits.options()), hits});
  }

 private:
  double k_;
};

}  // namespace

std::unique_ptr<Sums> make_top_hits(const Choice& choice, int64_t) {
  return std::make_unique<TopHits>(choice.number("k"));
}

}  // namespace incremental
