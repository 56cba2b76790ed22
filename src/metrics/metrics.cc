#include "src/metrics/metrics.h"

#include <algorithm>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

// Numbers that are computed with at once: 32 MiB of float64.
constexpr int64_t kMostNumbers = int64_t{1} << 22;

// The outputs of the positions that count, [prediction, class], and their classes.
std::pair<at::Tensor, at::Tensor> by_position(const at::Tensor& outputs, const at::Tensor& targets,
                                              const TargetForm& target) {
  check(outputs.dim() >= 2 && outputs.size(0) == targets.size(0) && outputs.size(1) >= target.classes &&
            outputs.sizes().slice(2) == targets.sizes().slice(1),
        "ERR_SHAPE", "Expected outputs of the shape [sample, class, …] for metrics, with at least ", target.classes,
        " classes, for targets of the shape ", targets.sizes(), ", but the model returned ", outputs.sizes());
  const at::Tensor labels = targets.flatten();
  const at::Tensor rows = outputs.movedim(1, -1).reshape({labels.size(0), outputs.size(1)});
  if (target.kind != TargetKind::kTokens) return {rows, labels};
  const at::Tensor counted = labels.ne(kIgnoredToken).nonzero().squeeze(1);
  if (counted.size(0) == labels.size(0)) return {rows, labels};
  return {rows.index_select(0, counted), labels.index_select(0, counted)};
}

std::pair<at::Tensor, at::Tensor> by_sample(const at::Tensor& outputs, const at::Tensor& targets) {
  check(outputs.dim() >= 1 && outputs.size(0) == targets.size(0) && outputs.numel() == targets.numel(), "ERR_SHAPE",
        "Expected an output for each number of a target for metrics, ", targets.sizes(), ", but the model returned ",
        outputs.sizes());
  const int64_t size = c10::multiply_integers(targets.sizes().slice(1));
  return {outputs.reshape({targets.size(0), size}), targets.reshape({targets.size(0), size}).to(at::kDouble)};
}

}  // namespace

Metrics::Metrics(const std::vector<Choice>& sums, TargetForm target, int64_t samples) : target_(std::move(target)) {
  for (const Choice& choice : sums) sums_.push_back(make_sums(choice, samples));
}

void Metrics::add(const at::Tensor& outputs, const at::Tensor& targets) {
  if (sums_.empty()) return;
  at::NoGradGuard no_grad;
  const auto [rows, wanted] =
      target_.holds_indices() ? by_position(outputs, targets, target_) : by_sample(outputs, targets);
  const int64_t count = rows.size(0);
  const int64_t most = std::max<int64_t>(1, kMostNumbers / std::max<int64_t>(1, rows.size(1)));
  // At least once: also sums of nothing have a length.
  int64_t first = 0;
  do {
    const int64_t length = std::min(most, count - first);
    const Predictions predictions(rows.narrow(0, first, length), wanted.narrow(0, first, length));
    for (const std::unique_ptr<Sums>& sums : sums_) sums->add(predictions);
    first += length;
  } while (first < count);
}

std::vector<at::Tensor> Metrics::states() const {
  std::vector<at::Tensor> states;
  states.reserve(sums_.size());
  for (const std::unique_ptr<Sums>& sums : sums_) states.push_back(sums->state().cpu().contiguous());
  return states;
}

}  // namespace incremental
