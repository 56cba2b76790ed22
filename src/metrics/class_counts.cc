// Counts of classes, or of labels where a sample may have several: [predictions, right ones, hits of each class, how
// often it is the target, how often it is predicted]. Of several labels, a prediction is right where all of its labels
// are, and a label is predicted where its output is above 0, a probability above one half.
#include "src/metrics/members.h"

namespace incremental {
namespace {

class ClassCounts : public AdditiveSums {
 protected:
  at::Tensor of(const Predictions& predictions) const override {
    return predictions.hold_indices() ? of_classes(predictions) : of_labels(predictions);
  }

 private:
  static at::Tensor of_classes(const Predictions& predictions) {
    const at::Tensor& targets = predictions.targets();
    const int64_t classes = predictions.size();
    const at::Tensor predicted = predictions.outputs().argmax(1);
    const at::Tensor hit = predicted.eq(targets).logical_and_(predictions.finite());
    const at::Tensor hits = at::bincount(targets.masked_select(hit), {}, classes);
    return at::cat({at::full({1}, predictions.count(), hits.options()), hits.sum().reshape({1}), hits,
                    at::bincount(targets, {}, classes),
                    at::bincount(predicted.masked_select(predictions.finite()), {}, classes)});
  }

  static at::Tensor of_labels(const Predictions& predictions) {
    const at::Tensor predicted = predictions.outputs().gt(0);
    const at::Tensor actual = predictions.targets().gt(0.5);
    const at::Tensor hits = predicted.logical_and(actual).sum(0);
    return at::cat({at::full({1}, predictions.count(), hits.options()), predicted.eq(actual).all(1).sum().reshape({1}),
                    hits, actual.sum(0), predicted.sum(0)});
  }
};

}  // namespace

std::unique_ptr<Sums> make_class_counts(const Choice&, int64_t) { return std::make_unique<ClassCounts>(); }

}  // namespace incremental
