// Samples kept to be learned again, raw as they came, so that transforms are drawn again each time. Adding one takes
// the same time however many there were.
#pragma once
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "src/core/libtorch.h"
#include "src/state/state_dict.h"

namespace incremental {

enum class ReplayPolicy {
  kReservoir,     // every sample seen is kept with the same probability: Algorithm R (Vitter 1985)
  kClassBalanced  // rare classes are kept first: Algorithm 1 of Chrysakis & Moens, ICML 2020
};

struct ReplayOptions {
  ReplayPolicy policy = ReplayPolicy::kReservoir;
  int64_t capacity = 0;    // samples
  int64_t per_update = 0;  // how many are learned again in one update
};

class Replay {
 public:
  // `shape`: of one sample; `dtype`: kByte or kFloat. Memory for the whole capacity, taken as it is filled.
  Replay(const ReplayOptions& options, std::vector<int64_t> shape, at::ScalarType dtype, int64_t classes);

  int64_t size() const { return size_; }

  // `count` different samples, all of them where there are fewer: which, uniformly. The caller holds the generator's
  // mutex, as it does for `add`.
  std::vector<int64_t> draw(int64_t count, at::CPUGeneratorImpl& generator) const;

  const std::byte* sample(int64_t slot) const;
  int64_t label(int64_t slot) const { return labels_[slot]; }

  // `label` in 0 … classes-1.
  void add(const std::byte* sample, int64_t label, at::CPUGeneratorImpl& generator);

  // Copies of what is held, and the counts that resuming needs; and the way back, which throws ERR_STATE_FORMAT where
  // the tensors are not those of such a buffer.
  StateDict state() const;
  // `state`: in the order of state(). Of more samples than the capacity a random part stays, which the policy itself
  // could have kept.
  void restore(const std::vector<at::Tensor>& state, at::CPUGeneratorImpl& generator);

 private:
  // The slot for a sample of this class, or -1 where it is not to be kept.
  int64_t choose(int64_t label, at::CPUGeneratorImpl& generator);
  int64_t choose_reservoir(at::CPUGeneratorImpl& generator);
  int64_t choose_balanced(int64_t label, at::CPUGeneratorImpl& generator);
  int64_t largest_class() const;
  std::unordered_set<int64_t> leaving(const std::vector<int64_t>& labels, at::CPUGeneratorImpl& generator) const;
  void fill(const at::Tensor& inputs, const std::vector<int64_t>& labels, const std::unordered_set<int64_t>& leaving);
  void file_under(int64_t slot, int64_t label);

  ReplayOptions options_;
  at::Tensor samples_;  // [capacity, …]
  int64_t sample_bytes_;
  int64_t size_ = 0;
  std::vector<int64_t> labels_;  // by slot
  int64_t seen_ = 0;
  // By class: how many were seen, whether it was ever among the largest, and the slots that hold it.
  std::vector<int64_t> seen_of_;
  std::vector<bool> was_full_;
  std::vector<std::vector<int64_t>> slots_of_;
  std::vector<int64_t> place_;  // by slot: its place in its class's list
};

}  // namespace incremental
