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

// After the inputs and the targets.
constexpr std::array kNames = {"slots", "seen", "full"};

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

Replay::Replay(const ReplayOptions& options, const std::vector<InputForm>& inputs, const TargetForm& target)
    : options_(options),
      form_(target),
      targets_(column(target.kind == TargetKind::kClass ? "labels" : "targets", options.capacity, target.shape,
                      target.dtype())) {
  const bool has_classes = target.kind == TargetKind::kClass;
  check(has_classes || options.policy == ReplayPolicy::kReservoir, "ERR_INVALID_OPTION",
        "Replay that is balanced by class needs targets that are classes");
  for (const InputForm& input : inputs) {
    const std::string name = inputs.size() == 1 ? "inputs" : "inputs." + input.name;
    inputs_.push_back(column(name, options_.capacity, input.shape, input.dtype));
  }
  const auto classes = static_cast<size_t>(has_classes ? target.classes : 1);
  seen_of_.resize(classes);
  was_full_.resize(classes);
  slots_of_.resize(classes);
  labels_.reserve(options_.capacity);
  place_.reserve(options_.capacity);
}

Replay::Column Replay::column(std::string name, int64_t capacity, const std::vector<int64_t>& shape,
                              at::ScalarType dtype) {
  const int64_t elements = c10::multiply_integers(shape);
  return {std::move(name), at::empty(batch_shape(capacity, shape), dtype),
          elements * static_cast<int64_t>(c10::elementSize(dtype))};
}

void Replay::Column::put(int64_t slot, const void* value) {
  std::memcpy(static_cast<std::byte*>(values.mutable_data_ptr()) + slot * bytes, value, bytes);
}

int64_t Replay::label_of(const void* target) const {
  return form_.kind == TargetKind::kClass ? *static_cast<const int64_t*>(target) : 0;
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

std::vector<const void*> Replay::inputs(int64_t slot) const {
  std::vector<const void*> values;
  for (const Column& input : inputs_) values.push_back(input.at(slot));
  return values;
}

void Replay::add(const std::vector<const void*>& inputs, const void* target, at::CPUGeneratorImpl& generator) {
  const int64_t label = label_of(target);
  ++seen_;
  ++seen_of_[label];
  if (options_.capacity == 0) return;
  const int64_t slot = choose(label, generator);
  if (slot < 0) return;
  for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i].put(slot, inputs[i]);
  targets_.put(slot, target);
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

void Replay::clear() {
  size_ = 0;
  seen_ = 0;
  labels_.clear();
  place_.clear();
  std::fill(seen_of_.begin(), seen_of_.end(), 0);
  std::fill(was_full_.begin(), was_full_.end(), false);
  for (std::vector<int64_t>& slots : slots_of_) slots.clear();
}

StateDict Replay::state() const {
  std::vector<int64_t> slots;
  for (const auto& of_class : slots_of_) slots.insert(slots.end(), of_class.begin(), of_class.end());
  StateDict state;
  for (const Column& input : inputs_) state.push_back({input.name, input.values.narrow(0, 0, size_).clone()});
  state.push_back({targets_.name, targets_.values.narrow(0, 0, size_).clone()});
  const std::array tensors = {to_tensor(slots), to_tensor(seen_of_), to_tensor({was_full_.begin(), was_full_.end()})};
  for (size_t i = 0; i < kNames.size(); ++i) state.push_back({kNames[i], tensors[i]});
  return state;
}

void Replay::restore(const std::vector<at::Tensor>& state, at::CPUGeneratorImpl& generator) {
  const size_t columns = inputs_.size() + 1;
  check(state.size() == columns + kNames.size(), "ERR_STATE_FORMAT", "Expected ", columns + kNames.size(),
        " tensors of a replay buffer but received ", state.size());
  const auto classes = static_cast<int64_t>(seen_of_.size());
  const auto tensor = [&](size_t index, const std::string& name, at::ScalarType dtype) {
    check(state[index].defined() && state[index].scalar_type() == dtype, "ERR_STATE_FORMAT", "Expected a tensor \"",
          name, "\" of a replay buffer, of dtype ", dtype);
    return state[index].contiguous();
  };
  const auto integers = [&](size_t index, const std::string& name, int64_t count, int64_t limit) {
    const at::Tensor values = tensor(index, name, at::kLong);
    check(values.dim() == 1 && values.size(0) == count, "ERR_STATE_FORMAT", "Expected ", count, " values of \"", name,
          "\" of a replay buffer");
    const auto* data = values.const_data_ptr<int64_t>();
    std::vector<int64_t> result(data, data + count);
    for (const int64_t value : result) {
      check(value >= 0 && value < limit, "ERR_STATE_FORMAT", "\"", name, "\" of a replay buffer holds ", value);
    }
    return result;
  };
  std::vector<at::Tensor> held;
  int64_t size = -1;
  for (size_t i = 0; i < columns; ++i) {
    const Column& column = i < inputs_.size() ? inputs_[i] : targets_;
    held.push_back(tensor(i, column.name, column.values.scalar_type()));
    if (i == 0) size = held.front().dim() > 0 ? held.front().size(0) : -1;
    check(size >= 0 && held.back().dim() > 0 && held.back().size(0) == size &&
              held.back().sizes().slice(1) == column.values.sizes().slice(1),
          "ERR_STATE_FORMAT", "Expected samples of shape ", column.values.sizes().slice(1),
          " in a replay buffer but received ", held.back().sizes());
  }
  constexpr int64_t kMany = int64_t{1} << 53;
  const bool has_classes = form_.kind == TargetKind::kClass;
  const std::vector<int64_t> labels =
      has_classes ? integers(inputs_.size(), targets_.name, size, classes) : std::vector<int64_t>(size, 0);
  const std::vector<int64_t> slots = integers(columns, kNames[0], size, std::max<int64_t>(size, 1));
  const std::vector<int64_t> seen = integers(columns + 1, kNames[1], classes, kMany);
  const std::vector<int64_t> full = integers(columns + 2, kNames[2], classes, 2);
  check(std::unordered_set<int64_t>(slots.begin(), slots.end()).size() == slots.size(), "ERR_STATE_FORMAT",
        "\"slots\" of a replay buffer names one twice");
  seen_of_ = seen;
  seen_ = 0;
  for (const int64_t count : seen) seen_ += count;
  was_full_.assign(full.begin(), full.end());
  for (auto& of_class : slots_of_) of_class.clear();
  for (const int64_t slot : slots) slots_of_[labels[slot]].push_back(slot);
  fill(held, labels, leaving(labels, generator));
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
void Replay::fill(const std::vector<at::Tensor>& columns, const std::vector<int64_t>& labels,
                  const std::unordered_set<int64_t>& leaving) {
  std::vector<int64_t> new_slot(labels.size(), -1);
  size_ = 0;
  labels_.clear();
  for (size_t slot = 0; slot < labels.size(); ++slot) {
    if (leaving.count(static_cast<int64_t>(slot)) > 0) continue;
    new_slot[slot] = size_;
    for (size_t i = 0; i < columns.size(); ++i) {
      Column& column = i < inputs_.size() ? inputs_[i] : targets_;
      const auto* from = static_cast<const std::byte*>(columns[i].const_data_ptr());
      column.put(size_, from + static_cast<int64_t>(slot) * column.bytes);
    }
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
