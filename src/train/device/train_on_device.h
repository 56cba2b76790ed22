// The training loop for devices: the same training as train.h's in the same order of samples, in float32 as PyTorch
// computes it there, with as little waiting as possible. Called by src/napi/jobs.cc.
#pragma once
#include "src/train/train.h"

namespace incremental {

// As train(). Also runs on the CPU, for tests of all that does not need a device.
TrainOutcome train_on_device(const TrainPlan& plan, const Report& report, const Cancelled& cancelled);

}  // namespace incremental
