#include "src/batches/sampler.h"

#include <limits>
#include <numeric>
#include <utility>

#include "src/core/random.h"

namespace incremental {

std::vector<int64_t> draw_order(at::CPUGeneratorImpl& generator, int64_t samples, bool shuffle) {
  if (shuffle) return permutation(samples, static_cast<uint64_t>(draw_seed(generator)));
  std::vector<int64_t> order(samples);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// Not at::randperm: for many samples it starts a team of OpenMP threads on whatever thread it is called from.
std::vector<int64_t> permutation(int64_t count, uint64_t seed) {
  at::CPUGeneratorImpl generator(seed);
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (count < std::numeric_limits<uint32_t>::max() / 20) {
    for (int64_t i = 0; i < count - 1; ++i) std::swap(order[i], order[i + generator.random() % (count - i)]);
  } else {  // here PyTorch takes 64 bits a number and shuffles the other way round
    for (int64_t i = 0; i < count; ++i) std::swap(order[i], order[generator.random64() % static_cast<uint64_t>(i + 1)]);
  }
  return order;
}

}  // namespace incremental
