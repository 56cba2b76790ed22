// The order of samples in one epoch. Used by batches.cc.
#pragma once
#include <cstdint>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// Draws what starting an epoch of a DataLoader draws (num_workers=0) and returns the order of the samples: the loader's
// base seed first, although nothing uses it; then, when shuffling, the seed of RandomSampler's own generator. The
// caller holds the generator's mutex.
std::vector<int64_t> draw_order(at::CPUGeneratorImpl& generator, int64_t samples, bool shuffle);

// torch.randperm(count, generator=torch.Generator().manual_seed(seed))
std::vector<int64_t> permutation(int64_t count, uint64_t seed);

}  // namespace incremental
