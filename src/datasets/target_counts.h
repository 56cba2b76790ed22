// Counts of the targets of a data set, from which the weights of a loss follow.
#pragma once
#include <cstdint>
#include <vector>

#include "src/datasets/dataset.h"

namespace incremental {

// The most classes that are counted: more would be many gigabytes of counts.
constexpr int64_t kMostCounted = 1 << 20;

// How often each of `classes` classes is a label or a token. `ignored` counts as no class. Throws ERR_INVALID_OPTION
// where the targets are no indices of classes, and ERR_DATA_FORMAT where one is beyond the classes.
std::vector<double> count_classes(const Dataset& dataset, int64_t classes, int64_t ignored);

struct PositiveCounts {
  std::vector<double> counts;  // of each label
  int64_t each = 0;            // targets of one label
};

// How often the target of each label is 1: of each number of a target with one axis, otherwise of all numbers together.
// Throws ERR_INVALID_OPTION where the targets are no labels, and ERR_DATA_FORMAT where one is neither 0 nor 1.
PositiveCounts count_positives(const Dataset& dataset);

}  // namespace incremental
