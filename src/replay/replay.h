// Samples kept to be learned again, raw as they came, so that transforms are drawn again each time. Adding one takes
// the same time however many there were.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
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
  // Memory for the whole capacity, taken as it is filled. Throws ERR_INVALID_OPTION where the policy needs classes but
  // targets are something else.
  Replay(const ReplayOptions& options, const std::vector<InputForm>& inputs, const TargetForm& target);

  int64_t size() const { return size_; }

  // `count` different samples, all of them where there are fewer: which, uniformly. The caller holds the generator's
  // mutex, as it does for `add`.
  std::vector<int64_t> draw(int64_t count, at::CPUGeneratorImpl& generator) const;

  // The elements of a slot's inputs, and of its target.
  std::vector<const void*> inputs(int64_t slot) const;
  const void* target(int64_t slot) const { return targets_.at(slot); }

  // `inputs`: the elements of each. The target is as the data set of such samples has it.
  void add(const std::vector<const void*>& inputs, const void* target, at::CPUGeneratorImpl& generator);

  // Copies of what is held, and the counts that resuming needs: `inputs` (of several, `inputs.` and the name of each),
  // `labels` or, of targets other than classes, `targets`, `slots`, `seen` and `full`. And the way back, which throws
  // ERR_STATE_FORMAT where the tensors are not those of such a buffer.
  StateDict state() const;
  // `state`: in the order of state(). Of more samples than the capacity a random part stays, which the policy itself
  // could have kept.
  void restore(const std::vector<at::Tensor>& state, at::CPUGeneratorImpl& generator);

  // As before the first sample.
  void clear();

 private:
  // The slot for a sample of this class, or -1 where it is not to be kept.
  int64_t choose(int64_t label, at::CPUGeneratorImpl& generator);
  int64_t choose_reservoir(at::CPUGeneratorImpl& generator);
  int64_t choose_balanced(int64_t label, at::CPUGeneratorImpl& generator);
  int64_t largest_class() const;
  std::unordered_set<int64_t> leaving(const std::vector<int64_t>& labels, at::CPUGeneratorImpl& generator) const;
  void fill(const std::vector<at::Tensor>& columns, const std::vector<int64_t>& labels,
            const std::unordered_set<int64_t>& leaving);
  void file_under(int64_t slot, int64_t label);

  // One value of every slot.
  struct Column {
    std::string name;
    at::Tensor values;  // [capacity, …]
    int64_t bytes;      // of one slot

    const std::byte* at(int64_t slot) const {
      return static_cast<const std::byte*>(values.const_data_ptr()) + slot * bytes;
    }
    void put(int64_t slot, const void* value);
  };
  static Column column(std::string name, int64_t capacity, const std::vector<int64_t>& shape, at::ScalarType dtype);
  int64_t label_of(const void* target) const;

  ReplayOptions options_;
  TargetForm form_;
  std::vector<Column> inputs_;
  Column targets_;
  int64_t size_ = 0;
  std::vector<int64_t> labels_;  // by slot; 0 where targets are not classes
  int64_t seen_ = 0;
  // By class: how many were seen, whether it was ever among the largest, and the slots that hold it.
  std::vector<int64_t> seen_of_;
  std::vector<bool> was_full_;
  std::vector<std::vector<int64_t>> slots_of_;
  std::vector<int64_t> place_;  // by slot: its place in its class's list
};

}  // namespace incremental
