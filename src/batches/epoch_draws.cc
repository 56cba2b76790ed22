#include "src/batches/epoch_draws.h"

#include "src/batches/sampler.h"
#include "src/core/random.h"

namespace incremental {

EpochDraws::EpochDraws(at::CPUGeneratorImpl& generator, int64_t samples, bool shuffle, int64_t workers) {
  const auto base_seed = static_cast<uint64_t>(draw_seed(generator));
  order_ = draw_order(generator, samples, shuffle);
  workers_.reserve(workers);
  for (int64_t worker = 0; worker < workers; ++worker) {
    workers_.push_back(at::detail::createCPUGenerator(base_seed + static_cast<uint64_t>(worker)));
  }
}

at::CPUGeneratorImpl& EpochDraws::generator_of(int64_t batch, at::CPUGeneratorImpl& main) const {
  return workers_.empty() ? main : worker_of(batch);
}

at::CPUGeneratorImpl& EpochDraws::worker_of(int64_t batch) const {
  return *at::check_generator<at::CPUGeneratorImpl>(workers_[static_cast<size_t>(batch) % workers_.size()]);
}

void EpochDraws::skip_to(int64_t batch, int64_t batch_size, const SamplePipeline& pipeline) const {
  if (workers_.empty()) return;
  std::vector<double> drawn(pipeline.draws());
  for (int64_t before = 0; before < batch; ++before) {
    for (int64_t i = 0; i < batch_size; ++i) pipeline.draw(worker_of(before), drawn.data());
  }
}

}  // namespace incremental
