#include "src/train/rates.h"

#include <utility>

namespace incremental {
namespace {

GroupRates rates_of(const Choice& optimizer) {
  GroupRates rates{optimizer.number("learningRate"), {}, {}, {}};
  if (optimizer.options.count("momentum") > 0) rates.momentum = optimizer.number("momentum");
  if (optimizer.options.count("betas") > 0) rates.beta1 = optimizer.numbers("betas", 2)[0];
  return rates;
}

Choice with_rates(Choice optimizer, const GroupRates& rates) {
  optimizer.options["learningRate"] = rates.learning_rate;
  if (rates.momentum) optimizer.options["momentum"] = *rates.momentum;
  if (rates.beta1) optimizer.options["betas"] = std::vector<double>{*rates.beta1, optimizer.numbers("betas", 2)[1]};
  return optimizer;
}

Groups rates_of(const std::vector<ParameterGroup>& groups) {
  Groups rates;
  rates.reserve(groups.size());
  for (const ParameterGroup& group : groups) rates.push_back(rates_of(group.optimizer));
  return rates;
}

}  // namespace

Rates::Rates(std::vector<ParameterGroup> groups, const std::optional<Choice>& scheduler,
             const std::optional<SchedulerState>& start, const Groups& start_rates)
    : groups_(std::move(groups)), scheduler_(scheduler, rates_of(groups_)) {
  if (start) scheduler_.restore(*start, start_rates);
  learning_rates_.reserve(groups_.size());
  note();
}

std::vector<ParameterGroup> Rates::groups() const {
  std::vector<ParameterGroup> groups = groups_;
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i].optimizer = with_rates(std::move(groups[i].optimizer), scheduler_.rates()[i]);
  }
  return groups;
}

bool Rates::after_step(ParameterGroups& optimizer) {
  note();
  const bool moved = scheduler_.after_step();
  if (moved) give_to(optimizer);
  return moved;
}

bool Rates::after_epoch(ParameterGroups& optimizer, std::optional<double> monitored) {
  const bool moved = scheduler_.after_epoch(monitored);
  if (moved) give_to(optimizer);
  return moved;
}

void Rates::give_to(ParameterGroups& optimizer) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    optimizer.set_options(i, with_rates(optimizer.options(i), scheduler_.rates()[i]));
  }
}

void Rates::note() {
  learning_rates_.clear();
  for (const GroupRates& group : scheduler_.rates()) learning_rates_.push_back(group.learning_rate);
}

}  // namespace incremental
