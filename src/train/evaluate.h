// Runs a model forward over a data set: losses and confusion, or the logits themselves. Changes nothing.
#pragma once
#include "src/train/train.h"

namespace incremental {

struct Evaluation {
  double loss = 0;  // mean over the samples, or over tokens that count
  int64_t samples = 0;
  // Targets that are indices of classes: how many there are, ignored tokens aside, and how many were predicted.
  int64_t predicted = 0, correct = 0;
  // Of samples whose target is a class; undefined for other targets.
  at::Tensor confusion;   // [actual class, predicted class] int64, of the samples for which a class can be predicted
  at::Tensor not_finite;  // [actual class] int64: of the others, whose largest logit is infinite or NaN
};

struct Prediction {
  at::Tensor logits;  // [sample, …] float32
  at::Tensor labels;  // int64: the index of the largest along the second axis; undefined without one
};

Evaluation evaluate(const RunPlan& plan, const Cancelled& cancelled);
Prediction predict(const RunPlan& plan, const Cancelled& cancelled);

}  // namespace incremental
