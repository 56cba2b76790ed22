#include "src/online/replay.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

constexpr std::array kNames = {"inputs", "labels", "slots", "seen", "full"};

int64_t below(int64_t limit, at::CPUGeneratorImpl& generator) {
  return static_cast<int64_t>(generator.random64() % static_cast<uint64_t>(limit));
}

at::Tensor to_tensor(const std::vector<int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

}  // namespace

Replay::Replay(const ReplayOptions& options, std::vector<int64_t> shape, at::ScalarType dtype, int64_t classes)
    : options_(options), seen_of_(classes), was_full_(classes), slots_of_(classes) {
  shape.insert(shape.begin(), options_.capacity);
  samples_ = at::empty(shape, dtype);
  sample_bytes_ = options_.capacity > 0 ? static_cast<int64_t>(samples_.nbytes()) / options_.capacity : 0;
  labels_.reserve(options_.capacity);
  place_.reserve(options_.capacity);
}

// Robert Floyd's: Bentley, "Programming Pearls: A sample of brilliance", CACM 1987.
std::vector<int64_t> Replay::draw(int64_t count, at::CPUGeneratorImpl& generator) const {
  count = std::min(count, size_);
  std::vector<int64_t> drawn;
  std::unordered_set<int64_t> known;
  for (int64_t last = size_ - count; last < size_; ++last) {
    const int64_t slot = below(last + 1, generator);
    drawn.push_back(known.insert(slot).second ? slot : last);
    known.insert(drawn.back());
  }
  return drawn;
}

const std::byte* Replay::sample(int64_t slot) const {
  return static_cast<const std::byte*>(samples_.const_data_ptr()) + slot * sample_bytes_;
}

void Replay::add(const std::byte* sample, int64_t label, at::CPUGeneratorImpl& generator) {
  ++seen_;
  ++seen_of_[label];
  if (options_.capacity == 0) return;
  const int64_t slot = choose(label, generator);
  if (slot < 0) return;
  std::memcpy(static_cast<std::byte*>(samples_.mutable_data_ptr()) + slot * sample_bytes_, sample, sample_bytes_);
  file_under(slot, label);
}

int64_t Replay::choose(int64_t label, at::CPUGeneratorImpl& generator) {
  if (size_ < options_.capacity) return size_;
  return options_.policy == ReplayPolicy::kReservoir ? choose_reservoir(generator) : choose_balanced(label, generator);
}

int64_t Replay::choose_reservoir(at::CPUGeneratorImpl& generator) {
  const int64_t slot = below(seen_, generator);
  return slot < options_.capacity ? slot : -1;
}

int64_t Replay::choose_balanced(int64_t label, at::CPUGeneratorImpl& generator) {
  const auto most = static_cast<int64_t>(slots_of_[largest_class()].size());
  for (size_t i = 0; i < slots_of_.size(); ++i) {
    if (static_cast<int64_t>(slots_of_[i].size()) == most) was_full_[i] = true;
  }
  if (!was_full_[label]) {
    const std::vector<int64_t>& slots = slots_of_[largest_class()];
    return slots[below(most, generator)];
  }
  const std::vector<int64_t>& slots = slots_of_[label];
  const int64_t choice = below(seen_of_[label], generator);
  return choice < static_cast<int64_t>(slots.size()) ? slots[choice] : -1;
}

int64_t Replay::largest_class() const {
  return std::max_element(slots_of_.begin(), slots_of_.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); }) -
         slots_of_.begin();
}

void Replay::file_under(int64_t slot, int64_t label) {
  if (slot == size_) {
    ++size_;
    labels_.push_back(label);
    place_.push_back(0);
  } else {
    std::vector<int64_t>& old = slots_of_[labels_[slot]];
    place_[old.back()] = place_[slot];
    old[place_[slot]] = old.back();
    old.pop_back();
    labels_[slot] = label;
  }
  place_[slot] = static_cast<int64_t>(slots_of_[label].size());
  slots_of_[label].push_back(slot);
}

StateDict Replay::state() const {
  std::vector<int64_t> slots;
  for (const auto& of_class : slots_of_) slots.insert(slots.end(), of_class.begin(), of_class.end());
  const std::array tensors = {samples_.narrow(0, 0, size_).clone(), to_tensor(labels_), to_tensor(slots),
                              to_tensor(seen_of_), to_tensor({was_full_.begin(), was_full_.end()})};
  StateDict state;
  for (size_t i = 0; i < kNames.size(); ++i) state.push_back({kNames[i], tensors[i]});
  return state;
}

void Replay::restore(const std::vector<at::Tensor>& state) {
  check(state.size() == kNames.size(), "ERR_STATE_FORMAT", "Expected ", kNames.size(),
        " tensors of a replay buffer but received ", state.size());
  const auto classes = static_cast<int64_t>(seen_of_.size());
  const auto tensor = [&](size_t index, at::ScalarType dtype) {
    check(state[index].defined() && state[index].scalar_type() == dtype, "ERR_STATE_FORMAT", "Expected a tensor \"",
          kNames[index], "\" of a replay buffer, of dtype ", dtype);
    return state[index].contiguous();
  };
  const auto integers = [&](size_t index, int64_t count, int64_t limit) {
    const char* name = kNames[index];
    const at::Tensor values = tensor(index, at::kLong);
    check(values.dim() == 1 && values.size(0) == count, "ERR_STATE_FORMAT", "Expected ", count, " values of \"", name,
          "\" of a replay buffer");
    const auto* data = values.const_data_ptr<int64_t>();
    std::vector<int64_t> result(data, data + count);
    for (const int64_t value : result) {
      check(value >= 0 && value < limit, "ERR_STATE_FORMAT", "\"", name, "\" of a replay buffer holds ", value);
    }
    return result;
  };
  const at::Tensor inputs = tensor(0, samples_.scalar_type());
  const int64_t size = inputs.dim() > 0 ? inputs.size(0) : -1;
  check(size >= 0 && size <= options_.capacity && inputs.sizes().slice(1) == samples_.sizes().slice(1),
        "ERR_STATE_FORMAT", "Expected at most ", options_.capacity, " samples of shape ", samples_.sizes().slice(1),
        " in a replay buffer but received ", inputs.sizes());
  constexpr int64_t kMany = int64_t{1} << 53;
  const std::vector<int64_t> labels = integers(1, size, classes);
  const std::vector<int64_t> slots = integers(2, size, std::max<int64_t>(size, 1));
  const std::vector<int64_t> seen = integers(3, classes, kMany), full = integers(4, classes, 2);
  check(std::unordered_set<int64_t>(slots.begin(), slots.end()).size() == slots.size(), "ERR_STATE_FORMAT",
        "\"slots\" of a replay buffer names one twice");
  samples_.narrow(0, 0, size).copy_(inputs);
  size_ = size;
  labels_ = labels;
  seen_of_ = seen;
  seen_ = 0;
  for (const int64_t count : seen) seen_ += count;
  was_full_.assign(full.begin(), full.end());
  place_.assign(size, 0);
  for (auto& of_class : slots_of_) of_class.clear();
  for (const int64_t slot : slots) {
    place_[slot] = static_cast<int64_t>(slots_of_[labels_[slot]].size());
    slots_of_[labels_[slot]].push_back(slot);
  }
}

}  // namespace incremental
