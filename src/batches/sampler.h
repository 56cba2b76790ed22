// The order of samples in one epoch. Used by epoch_draws.cc.
#pragma once
#include <cstdint>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// Draws, when shuffling, the seed of RandomSampler's own generator, and returns the order of the samples. The caller
// holds the generator's mutex.
std::vector<int64_t> draw_order(at::CPUGeneratorImpl& generator, int64_t samples, bool shuffle);

// torch.randperm(count, generator=torch.Generator().manual_seed(seed))
std::vector<int64_t> permutation(int64_t count, uint64_t seed);

}  // namespace incremental
