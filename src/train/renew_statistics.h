// Computes the running statistics of batch norms again, for weights that no step ever had, as update_bn() of
// torch/optim/swa_utils.py: their mean over the batches of one pass over the data.
#pragma once
#include "src/train/train.h"
#include "src/train/weights.h"

namespace incremental {

// `weights`: of `variants`. `generator`: what the order of samples, transforms and operators draw from. Batch norms
// that the program has frozen keep what they have.
void renew_statistics(const TrainPlan& plan, const Variants& variants, const Weights& weights,
                      const at::Generator& generator, const Cancelled& cancelled);

}  // namespace incremental
