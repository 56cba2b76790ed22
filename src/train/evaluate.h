// Runs a model forward over a data set: losses and confusion, or the logits themselves. Changes nothing.
#pragma once
#include "src/train/evaluation.h"
#include "src/train/train.h"

namespace incremental {

struct Prediction {
  at::Tensor logits;  // [sample, …] float32
  at::Tensor labels;  // int64: the index of the largest along the second axis; undefined without one
};

Evaluation evaluate(const RunPlan& plan, const Cancelled& cancelled);
Prediction predict(const RunPlan& plan, const Cancelled& cancelled);

}  // namespace incremental
