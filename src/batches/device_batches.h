// The batches of src/batches/batches.h, made on a device. The random numbers are drawn on the host, in the same order,
// an epoch at a time and one epoch ahead; they go to the device at its start. From then on batches are made there
// without a word from the host: the device itself knows where in the epoch it is, so that making one can be part of a
// graph.
//
// The model draws nothing from the generator that serves here: as in Python, what it draws on a device comes from a
// generator of the device.
#pragma once
#include <memory>

#include "src/batches/batches.h"

namespace incremental {

class DeviceBatches {
 public:
  // As Batches'. `random`: where beginning within an epoch, the generator's state just before the first batch is drawn;
  // undefined: as the draws of the epoch's order leave it.
  DeviceBatches(const std::shared_ptr<const Dataset>& dataset, SamplePipeline pipeline, BatchOptions options,
                at::Generator generator, c10::Device device, at::Tensor random = {});
  ~DeviceBatches();
  DeviceBatches(const DeviceBatches&) = delete;
  DeviceBatches& operator=(const DeviceBatches&) = delete;

  int64_t per_epoch() const;
  // How many samples the batch of `step` has.
  int64_t batch_size(int64_t step) const;
  // Elements of one sample, as it reaches the model.
  int64_t sample_elements() const;

  // Puts what the next epoch draws on the device. Once before each epoch.
  void begin_epoch();

  // The next `samples` of the epoch, of one batch or of several; waits for nothing.
  Batch take(int64_t samples);

  // The generator before the current epoch, and just before the batch of `step` of it is drawn.
  at::Tensor epoch_random() const;
  at::Tensor random_before(int64_t step) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace incremental
