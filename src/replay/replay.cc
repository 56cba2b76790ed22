#include "src/replay/replay.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

constexpr std::array kNames = {"inputs", "labels", "slots", "seen", "full"};

int64_t below(int64_t limit, at::CPUGeneratorImpl& generator) {
  return static_cast<int64_t>(generator.random64() % static_cast<uint64_t>(limit));
}

// The first of the longest.
template <class Lists>
auto largest(Lists& lists) {
  return std::max_element(lists.begin(), lists.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
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

int64_t Replay::largest_class() const { return largest(slots_of_) - slots_of_.begin(); }

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

void Replay::restore(const std::vector<at::Tensor>& state, at::CPUGeneratorImpl& generator) {
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
  check(size >= 0 && inputs.sizes().slice(1) == samples_.sizes().slice(1), "ERR_STATE_FORMAT",
        "Expected samples of shape ", samples_.sizes().slice(1), " in a replay buffer but received ", inputs.sizes());
  constexpr int64_t kMany = int64_t{1} << 53;
  const std::vector<int64_t> labels = integers(1, size, classes);
  const std::vector<int64_t> slots = integers(2, size, std::max<int64_t>(size, 1));
  const std::vector<int64_t> seen = integers(3, classes, kMany), full = integers(4, classes, 2);
  check(std::unordered_set<int64_t>(slots.begin(), slots.end()).size() == slots.size(), "ERR_STATE_FORMAT",
        "\"slots\" of a replay buffer names one twice");
  seen_of_ = seen;
  seen_ = 0;
  for (const int64_t count : seen) seen_ += count;
  was_full_.assign(full.begin(), full.end());
  for (auto& of_class : slots_of_) of_class.clear();
  for (const int64_t slot : slots) slots_of_[labels[slot]].push_back(slot);
  fill(inputs, labels, leaving(labels, generator));
}

// Slots that a smaller capacity has no room for. Reservoir: any, each with the same probability, so that the rest is a
// uniform sample still. Class-balanced: each time any of the class that has most, as that policy itself makes room.
std::unordered_set<int64_t> Replay::leaving(const std::vector<int64_t>& labels, at::CPUGeneratorImpl& generator) const {
  const auto size = static_cast<int64_t>(labels.size());
  std::unordered_set<int64_t> leaving;
  if (size <= options_.capacity) return leaving;
  auto classes = slots_of_;
  std::vector<int64_t> all(size);
  std::iota(all.begin(), all.end(), 0);
  while (size - static_cast<int64_t>(leaving.size()) > options_.capacity) {
    std::vector<int64_t>& from = options_.policy == ReplayPolicy::kReservoir ? all : *largest(classes);
    const int64_t at = below(static_cast<int64_t>(from.size()), generator);
    leaving.insert(std::exchange(from[at], from.back()));
    from.pop_back();
  }
  return leaving;
}

// Takes over what stays, in order: slots close up, and lists of slots keep their order.
void Replay::fill(const at::Tensor& inputs, const std::vector<int64_t>& labels,
                  const std::unordered_set<int64_t>& leaving) {
  std::vector<int64_t> new_slot(labels.size(), -1);
  size_ = 0;
  labels_.clear();
  auto* to = static_cast<std::byte*>(samples_.mutable_data_ptr());
  const auto* from = static_cast<const std::byte*>(inputs.const_data_ptr());
  for (size_t slot = 0; slot < labels.size(); ++slot) {
    if (leaving.count(static_cast<int64_t>(slot)) > 0) continue;
    new_slot[slot] = size_;
    std::memcpy(to + size_ * sample_bytes_, from + static_cast<int64_t>(slot) * sample_bytes_, sample_bytes_);
    labels_.push_back(labels[slot]);
    ++size_;
  }
  place_.assign(size_, 0);
  for (auto& of_class : slots_of_) {
    std::vector<int64_t> kept;
    for (const int64_t slot : of_class) {
      if (new_slot[slot] < 0) continue;
      place_[new_slot[slot]] = static_cast<int64_t>(kept.size());
      kept.push_back(new_slot[slot]);
    }
    of_class = std::move(kept);
  }
}

}  // namespace incremental
