#include "src/schedulers/scheduler.h"

#include <cmath>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

constexpr double kLargestInteger = 9007199254740991;  // that JavaScript and a double hold

const std::vector<double>* find(const SchedulerState& state, const char* name) {
  const auto found = state.values.find(name);
  return found == state.values.end() ? nullptr : &found->second;
}

}  // namespace

std::vector<double> Scheduler::rates() const {
  std::vector<double> rates;
  rates.reserve(groups_.size());
  for (const GroupRates& group : groups_) rates.push_back(group.learning_rate);
  return rates;
}

void RateScheduler::begin() {
  base_rates_.reserve(groups_.size());
  for (GroupRates& group : groups_) {
    group.set_default("initial_lr", group.learning_rate);
    base_rates_.push_back(group.get("initial_lr"));
  }
  initial_step();
}

void RateScheduler::initial_step() {
  step_count_ = 0;
  is_initial_ = true;
  step();
  is_initial_ = false;
}

void RateScheduler::step() {
  ++step_count_;
  ++last_epoch_;
  apply(next_rates());
}

void RateScheduler::restart() {
  last_epoch_ = 0;
  apply(closed_form());
}

void RateScheduler::apply(std::vector<double> rates) {
  for (size_t i = 0; i < groups_.size(); ++i) groups_[i].learning_rate = rates[i];
  last_rates_ = std::move(rates);
}

std::vector<double> RateScheduler::scaled(double factor) const {
  std::vector<double> scaled = rates();
  for (double& rate : scaled) rate *= factor;
  return scaled;
}

std::vector<double> RateScheduler::base_scaled(double factor) const {
  std::vector<double> scaled = base_rates_;
  for (double& rate : scaled) rate *= factor;
  return scaled;
}

SchedulerState RateScheduler::state() const {
  return {{{"base_lrs", base_rates_},
           {"last_epoch", {static_cast<double>(last_epoch_)}},
           {"_step_count", {static_cast<double>(step_count_)}},
           {"_last_lr", last_rates_}},
          {}};
}

void RateScheduler::restore(const SchedulerState& state) {
  take(state, "base_lrs", base_rates_);
  take(state, "last_epoch", last_epoch_);
  take(state, "_step_count", step_count_);
  take(state, "_last_lr", last_rates_);
}

void take(const SchedulerState& state, const char* name, double& to) {
  const std::vector<double>* found = find(state, name);
  if (found == nullptr) return;
  check(found->size() == 1, "ERR_STATE_FORMAT", "Expected a number for ", name, " of a scheduler");
  to = found->front();
}

void take(const SchedulerState& state, const char* name, int64_t& to) {
  auto value = static_cast<double>(to);
  take(state, name, value);
  check(std::trunc(value) == value && std::abs(value) <= kLargestInteger, "ERR_STATE_FORMAT",
        "Expected an integer for ", name, " of a scheduler");
  to = static_cast<int64_t>(value);
}

void take(const SchedulerState& state, const char* name, std::vector<double>& to) {
  const std::vector<double>* found = find(state, name);
  if (found == nullptr) return;
  check(found->size() == to.size(), "ERR_STATE_MISMATCH", "Expected ", to.size(), " numbers for ", name,
        " of a scheduler, one for each parameter group, but found ", found->size());
  to = *found;
}

int64_t integer_of(const Choice& choice, const char* option) {
  const double value = choice.number(option);
  check(std::trunc(value) == value && std::abs(value) <= kLargestInteger, "ERR_INVALID_OPTION",
        "Expected an integer for \"", option, "\" of ", choice.kind);
  return static_cast<int64_t>(value);
}

double divided(double a, double b) {
  check(b != 0, "ERR_INVALID_OPTION",
        "The options of the scheduler lead to a division by zero, which PyTorch refuses too; give others");
  return a / b;
}

}  // namespace incremental
