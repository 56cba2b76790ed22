// The result of a forward pass over a data set.
#pragma once
#include <cstdint>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct Evaluation {
  double loss = 0;  // as of one batch of all samples; a sum, for each sample
  int64_t samples = 0;
  // Targets that are indices of classes: how many there are, ignored tokens aside, and how many were predicted.
  int64_t predicted = 0, correct = 0;
  // Of samples whose target is a class; undefined for other targets.
  at::Tensor confusion;   // [actual class, predicted class] float64, of the samples for which a class can be predicted
  at::Tensor not_finite;  // [actual class] float64: of the others, whose largest logit is infinite or NaN
  std::vector<at::Tensor> sums;  // for each of the plan's [number] float64
};

}  // namespace incremental
