// Training steps on a device: asked for without waiting for any, several at a time, and as graphs where that can be.
// Used by train_on_device.cc.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "src/batches/device_batches.h"
#include "src/device/device.h"
#include "src/device/graph.h"
#include "src/train/rates.h"
#include "src/train/step.h"
#include "src/train/train.h"
#include "src/train/weights.h"

namespace incremental {

class DeviceSteps {
 public:
  DeviceSteps(const TrainPlan& plan, Variants variants, const Weights& weights, DeviceBatches& batches);

  // Before each epoch's first step, which is `first`.
  void begin_epoch(int64_t first);

  // Asks for up to `most` steps from `step` on, and returns for how many. Waits, but for the first few steps of all,
  // only where the device has more than a moment of work left.
  int64_t run(int64_t step, int64_t most);

  // Waits for the steps `from` to `to` of the current epoch: their losses.
  std::vector<double> losses(int64_t from, int64_t to) const;

  // After each epoch's last step.
  void end_epoch();

  std::vector<Slots> optimizer_state() const { return step_.optimizer().state(); }
  // After all steps that were asked for.
  const Rates& rates() const { return rates_; }
  const Loss& loss() const { return step_.loss(); }

  // Why steps were not captured; "" when they were.
  const std::string& not_captured() const { return not_captured_; }

 private:
  void steps(int64_t count, int64_t samples);
  void one_step(const Batch& batch);
  void warm_up(int64_t samples);
  void start(std::optional<DeviceGraph>& graph, int64_t count);

  const TrainPlan& plan_;
  const Weights& weights_;
  DeviceBatches& batches_;
  Rates rates_;
  Step step_;
  Pace pace_;
  at::Tensor losses_;  // [step of the epoch] float64
  at::Tensor place_;   // [1] int64: the next one
  int64_t at_once_;    // steps
  int64_t done_ = 0;   // of the first few
  std::optional<DeviceGraph> single_, several_;
  std::string not_captured_;
};

}  // namespace incremental
