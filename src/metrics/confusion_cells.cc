// Counts of pairs of classes, [actual, predicted] row by row, of the predictions whose largest output is finite.
#include "src/core/error.h"
#include "src/metrics/members.h"

namespace incremental {
namespace {

// 128 MiB of counts.
constexpr int64_t kMostClasses = 4096;

class ConfusionCells : public AdditiveSums {
 protected:
  at::Tensor of(const Predictions& predictions) const override {
    const int64_t classes = predictions.size();
    check(classes <= kMostClasses, "ERR_INVALID_OPTION", "Expected at most ", kMostClasses,
          " classes for confusionMatrix(), whose cells are their square, but the model returns ", classes);
    const at::Tensor cells = predictions.targets() * classes + predictions.outputs().argmax(1);
    return at::bincount(cells.masked_select(predictions.finite()), {}, classes * classes);
  }
};

}  // namespace

std::unique_ptr<Sums> make_confusion_cells(const Choice&, int64_t) { return std::make_unique<ConfusionCells>(); }

}  // namespace incremental
