#include "src/datasets/target_counts.h"

#include "src/core/error.h"

namespace incremental {

std::vector<double> count_classes(const Dataset& dataset, int64_t classes, int64_t ignored) {
  const TargetForm& form = dataset.target;
  check(form.holds_indices(), "ERR_INVALID_OPTION",
        "Expected targets of the kind \"class\" or \"tokens\" for weights of classes; for several classes at once, "
        "weights of positive targets are those of posWeights()");
  check(classes >= 1 && classes <= kMostCounted, "ERR_INVALID_OPTION", "Expected 1 to ", kMostCounted,
        " classes for weights but there are ", classes);
  std::vector<double> counts(static_cast<size_t>(classes), 0);
  const int64_t size = c10::multiply_integers(form.shape);
  const auto* targets = dataset.targets.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < dataset.targets.numel(); ++i) {
    const int64_t index = targets[i];
    if (index == ignored || (index == kIgnoredToken && form.kind == TargetKind::kTokens)) continue;
    check(index < classes, "ERR_DATA_FORMAT", "Expected indices of ", classes, " classes, from 0 to ", classes - 1,
          ", but the target of sample ", i / size, " holds ", index);
    ++counts[static_cast<size_t>(index)];
  }
  return counts;
}

PositiveCounts count_positives(const Dataset& dataset) {
  const TargetForm& form = dataset.target;
  check(form.kind == TargetKind::kClasses || form.kind == TargetKind::kValues, "ERR_INVALID_OPTION",
        "Expected targets of the kind \"classes\", or \"values\" of 0 and 1, for weights of positive targets; for a "
        "class a sample, weights of classes are those of classWeights()");
  const int64_t size = c10::multiply_integers(form.shape);
  const int64_t labels = form.shape.size() == 1 ? size : 1;
  PositiveCounts result{std::vector<double>(static_cast<size_t>(labels), 0), dataset.targets.numel() / labels};
  const auto* targets = dataset.targets.const_data_ptr<float>();
  for (int64_t i = 0; i < dataset.targets.numel(); ++i) {
    const float value = targets[i];
    check(value == 0 || value == 1, "ERR_DATA_FORMAT", "Expected 0 or 1 for each label but the target of sample ",
          i / size, " holds ", value);
    result.counts[static_cast<size_t>(i % labels)] += value;
  }
  return result;
}

}  // namespace incremental
