// Random numbers of one epoch of a DataLoader: the order of samples, and the generators that transforms draw from. Used
// by batches.cc and device_batches.cc.
//
// In Python a DataLoader draws a base seed from the process's generator when an epoch begins, then the sampler its own
// seed. Without workers, transforms draw from that generator too. With `num_workers=N`, worker w seeds a generator of
// its own with the base seed + w in every epoch (persistent_workers=False), and makes the batches w, w + N, w + 2N …:
// torch/utils/data/_utils/worker.py. How far it runs ahead of the training makes no difference to what it draws.
#pragma once
#include <cstdint>
#include <vector>

#include "src/core/libtorch.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

class EpochDraws {
 public:
  EpochDraws() = default;
  // Draws what starting an epoch draws. The caller holds the generator's mutex.
  EpochDraws(at::CPUGeneratorImpl& generator, int64_t samples, bool shuffle, int64_t workers);

  // The samples of the epoch, one after the other.
  const std::vector<int64_t>& order() const { return order_; }

  // The generator that the transforms of a batch draw from; `main`: the one that the epoch was started with.
  at::CPUGeneratorImpl& generator_of(int64_t batch, at::CPUGeneratorImpl& main) const;

  // Draws what the workers draw for the batches before `batch`, which are full; without workers, nothing: the generator
  // is set by its recorded state.
  void skip_to(int64_t batch, int64_t batch_size, const SamplePipeline& pipeline) const;

 private:
  at::CPUGeneratorImpl& worker_of(int64_t batch) const;

  std::vector<int64_t> order_;
  std::vector<at::Generator> workers_;  // nobody else's: without a lock
};

}  // namespace incremental
