// Ranks of all scores, exactly: of each class against the others, of the second of two classes, or of each label,
// [pairs of a positive and a negative in the right order, ties counting one half; precisions at the positives;
// positives; negatives]. Keeps every score until the end, in 8 bytes, on the CPU. A score is the logarithm of a
// probability, since a large probability of float64 would be 1.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "src/core/error.h"
#include "src/metrics/members.h"

namespace incremental {
namespace {

// 1 GiB.
constexpr int64_t kMostScores = int64_t{1} << 27;

// [4]: the sums of one column. `scores`: [prediction] float64; `positive`: [prediction] bool.
std::vector<double> ranked(const at::Tensor& scores, const at::Tensor& positive) {
  const auto [sorted, order] = scores.sort(/*dim=*/0, /*descending=*/true);
  const at::Tensor flags = positive.index_select(0, order);
  const double* score = sorted.const_data_ptr<double>();
  const bool* is_positive = flags.const_data_ptr<bool>();
  const int64_t count = scores.numel();
  double positives = 0, negatives = 0, pairs = 0, precisions = 0;
  for (int64_t i = 0; i < count;) {
    double more_positives = 0, more_negatives = 0;
    const double value = score[i];
    do {
      (is_positive[i] ? more_positives : more_negatives) += 1;
      ++i;
    } while (i < count && score[i] == value);
    pairs += more_negatives * (positives + more_positives / 2);
    positives += more_positives;
    negatives += more_negatives;
    precisions += more_positives * (positives / (positives + negatives));
  }
  // A NaN is sorted before all numbers.
  if (count > 0 && score[0] != score[0]) pairs = precisions = std::numeric_limits<double>::quiet_NaN();
  return {pairs, precisions, positives, negatives};
}

class RankSums : public Sums {
 public:
  explicit RankSums(int64_t samples) : samples_(samples) {}

  void add(const Predictions& predictions) override {
    const bool has_classes = predictions.hold_indices();
    is_binary_ = has_classes && predictions.size() == 2;
    const int64_t columns = is_binary_ ? 1 : predictions.size();
    check(columns <= kMostScores / std::max<int64_t>(samples_, 1), "ERR_INVALID_OPTION", "Expected at most ",
          kMostScores, " scores for auroc() and averagePrecision(), which keep them all in memory, but there are ",
          columns, " for each of ", samples_, " samples; evaluate parts of the data, with subset()");
    at::Tensor logits = predictions.exact();
    if (is_binary_) logits = logits.narrow(1, 1, 1) - logits.narrow(1, 0, 1);
    const bool are_apart = is_binary_ || !has_classes;
    scores_.push_back((are_apart ? at::log_sigmoid(logits) : predictions.log_probabilities()).cpu());
    const at::Tensor& targets = predictions.targets();
    // A copy: the next batch takes the memory of this one's targets.
    targets_.push_back((has_classes ? targets.clone() : targets.gt(0.5)).cpu());
  }

  at::Tensor state() const override {
    const at::Tensor targets = at::cat(targets_);
    const int64_t columns = scores_.front().size(1);
    std::vector<double> state;
    state.reserve(4 * columns);
    for (int64_t i = 0; i < columns; ++i) {
      std::vector<at::Tensor> column;
      column.reserve(scores_.size());
      for (const at::Tensor& scores : scores_) column.push_back(scores.select(1, i));
      const at::Tensor positive = targets.dim() == 2 ? targets.select(1, i) : targets.eq(is_binary_ ? 1 : i);
      for (const double sum : ranked(at::cat(column), positive)) state.push_back(sum);
    }
    return at::tensor(state, at::kDouble);
  }

 private:
  int64_t samples_;
  bool is_binary_ = false;
  std::vector<at::Tensor> scores_;   // [prediction, column] float64
  std::vector<at::Tensor> targets_;  // [prediction] int64, or [prediction, column] bool
};

}  // namespace

std::unique_ptr<Sums> make_rank_sums(const Choice&, int64_t samples) { return std::make_unique<RankSums>(samples); }

}  // namespace incremental
