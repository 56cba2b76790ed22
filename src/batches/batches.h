// Batches in the order of torch.utils.data.DataLoader(shuffle, num_workers), made ahead by one thread of its own; or,
// where every core computes already and such a thread would only interrupt, by all of them.
// Random numbers are drawn by the caller's thread, in prepare(), in exactly PyTorch's order; only the pixel work that
// follows from them runs ahead. So a model that draws too (dropout) sees the same stream of numbers as in Python.
// `workers` names that order of draws alone (see epoch_draws.h): no thread is started for it.
#pragma once
#include <memory>
#include <vector>

#include "src/core/libtorch.h"
#include "src/datasets/dataset.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

struct Batch {
  // One for each input of the model: [sample, …], dense in the layout asked for; valid until the prepare() that follows
  // the next take().
  std::vector<at::Tensor> inputs;
  at::Tensor targets;  // [sample, …], for as long; undefined where the samples have none

  int64_t samples() const { return inputs.front().size(0); }
};

// Samples `first` to `first + count - 1` of a batch, in its memory.
Batch part_of(const Batch& batch, int64_t first, int64_t count);

// The batch in memory of the device; itself where it is there.
Batch on_device(const Batch& batch, c10::Device device);

// Each is a generator of a few kilobytes, seeded when an epoch begins.
constexpr int64_t kMostWorkers = 1024;

struct BatchOptions {
  int64_t batch_size = 64;
  int64_t epochs = 1;
  bool shuffle = true;
  bool drop_last = false;
  int64_t first_epoch = 0, first_step = 0;  // where to begin: what comes before was trained on already
  bool channels_last = false;               // the memory of images
  bool on_team = false;                     // made by the threads that compute, in prepare(), instead of ahead of them
  int64_t workers = 0;                      // of the DataLoader whose draws these are
};

// Batches in one epoch. Throws ERR_INVALID_OPTION or ERR_DATA_FORMAT where `options` and `samples` allow none, or no
// such beginning.
int64_t batches_per_epoch(const BatchOptions& options, int64_t samples);

class Batches {
 public:
  // `generator` plays the part of PyTorch's default generator, as torch.manual_seed left it; when beginning within an
  // epoch, as it was before that epoch, whose order is drawn here.
  Batches(std::shared_ptr<const Dataset> dataset, SamplePipeline pipeline, BatchOptions options,
          at::Generator generator);
  ~Batches();
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  int64_t per_epoch() const;

  // Draws what the next batch needs (at an epoch's start also the loader's base seed and the sampler's) and hands it to
  // the assembling thread. Does nothing when the last batch of the last epoch was drawn. Never waits. At most one batch
  // may be prepared and not yet taken.
  void prepare();

  // The prepared batch; waits until it is assembled.
  Batch take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace incremental
