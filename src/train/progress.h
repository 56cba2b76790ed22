// Shared parts of both training loops, train.cc and train_on_device.cc: time, the generator, snapshots and checks.
#pragma once
#include <chrono>
#include <vector>

#include "src/train/rates.h"
#include "src/train/snapshot.h"
#include "src/train/train.h"
#include "src/train/weights.h"

namespace incremental {

class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Throws ERR_NOT_FINITE, naming the tensor, where a value of a weight or of a buffer is infinite or NaN that is neither
// in `given`.
void check_finite(const Weights& weights, const StateDict& given);
// Throws ERR_NOT_FINITE where `loss`, of `step` (from 1) of the epoch after `epoch` others, is not finite.
void check_finite(double loss, int64_t epoch, int64_t step);

// Sets the generator to what torch.get_rng_state() gave; does nothing for an undefined tensor.
void restore(at::Generator& generator, const at::Tensor& state);

// Adds copies of the optimizer's slots, on the CPU and in the state's layout, each under its parameter's number and its
// own name, such as "0.exp_avg".
void add_slots(StateDict& to, const Weights& weights, const std::vector<Slots>& slots);

// What AveragedModel of torch.optim.swa_utils has in its state_dict(), of an average of `count` weights.
std::shared_ptr<const StateDict> averaged_model(const StateDict& average, int64_t count);

// `random`, `epoch_random`: Snapshot::rest. Throws as check_finite.
Snapshot take_snapshot(const Position& position, const Weights& weights, const TrainPlan& plan,
                       const std::vector<Slots>& slots, const Rates& rates, const at::Tensor& random,
                       const at::Tensor& epoch_random);

}  // namespace incremental
