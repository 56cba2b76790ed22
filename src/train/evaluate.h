// Runs a model forward over a data set: losses and confusion, or the logits themselves. Changes nothing.
#pragma once
#include "src/train/train.h"

namespace incremental {

struct Evaluation {
  double loss;            // mean over the samples
  at::Tensor confusion;   // [actual class, predicted class] int64, of the samples for which a class can be predicted
  at::Tensor not_finite;  // [actual class] int64: of the others, whose largest logit is infinite or NaN
  int64_t samples;
};

struct Prediction {
  at::Tensor logits;  // [sample, class] float32
  at::Tensor labels;  // [sample] int64: the class of the largest logit
};

Evaluation evaluate(const RunPlan& plan, const Cancelled& cancelled);
Prediction predict(const RunPlan& plan, const Cancelled& cancelled);

}  // namespace incremental
