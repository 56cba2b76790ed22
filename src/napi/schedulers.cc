// The rates that a scheduler gives, and their values in JavaScript.
#include <limits>
#include <utility>

#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/promise_worker.h"
#include "src/napi/scheduler_values.h"
#include "src/schedulers/run_scheduler.h"

namespace incremental {
namespace {

std::optional<double> optional_number(const Napi::Object& object, const char* key) {
  if (own(object, key).IsUndefined()) return std::nullopt;
  return number(object, key);
}

Napi::Float64Array numbers_to_js(Napi::Env env, const std::vector<double>& numbers) {
  Napi::Float64Array array = Napi::Float64Array::New(env, numbers.size());
  std::copy(numbers.begin(), numbers.end(), array.Data());
  return array;
}

RatesPlan to_rates_plan(const Napi::Object& from) {
  RatesPlan plan;
  plan.scheduler = choice(from, "scheduler");
  plan.groups = to_rates(array(from, "groups"));
  plan.epochs = integer(from, "epochs");
  plan.steps = integer(from, "steps");
  plan.monitored = numbers(from, "monitored");
  const Napi::Value start = own(from, "start");
  if (!start.IsObject()) return plan;
  plan.epoch = integer(start.As<Napi::Object>(), "epoch");
  plan.step = integer(start.As<Napi::Object>(), "step");
  plan.start = to_scheduler_state(object(start.As<Napi::Object>(), "state"));
  return plan;
}

Napi::Value start_rates(const Napi::CallbackInfo& call) {
  check(call[0].IsObject(), "ERR_INVALID_OPTION", "Expected a plan");
  RatesPlan plan = to_rates_plan(call[0].As<Napi::Object>());
  return PromiseWorker<ScheduledRates>::start(
      call.Env(), [plan = std::move(plan)] { return scheduled_rates(plan); },
      [](Napi::Env env, ScheduledRates& rates) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result["learningRates"] = numbers_to_js(env, rates.learning_rates);
        result["momentums"] = numbers_to_js(env, rates.momentums);
        result["betas"] = numbers_to_js(env, rates.betas);
        result["groups"] = rates_to_js(env, rates.groups);
        result["state"] = scheduler_state_to_js(env, rates.state);
        return result;
      });
}

}  // namespace

Groups to_rates(const Napi::Array& from) {
  Groups groups;
  groups.reserve(from.Length());
  for (const Napi::Object& given : to_objects(from, "Expected rates for each parameter group of a plan")) {
    GroupRates group{
        number(given, "learningRate"), optional_number(given, "momentum"), optional_number(given, "beta1"), {}};
    const Napi::Object kept = object(given, "kept");
    for (const std::string& name : own_words(kept)) group.set(name, number(kept, name.c_str()));
    groups.push_back(std::move(group));
  }
  return groups;
}

Napi::Array rates_to_js(Napi::Env env, const Groups& groups) {
  Napi::Array list = Napi::Array::New(env, groups.size());
  for (uint32_t i = 0; i < groups.size(); ++i) {
    const GroupRates& group = groups[i];
    Napi::Object item = Napi::Object::New(env);
    item["learningRate"] = group.learning_rate;
    if (group.momentum) item["momentum"] = *group.momentum;
    if (group.beta1) item["beta1"] = *group.beta1;
    Napi::Object kept = Napi::Object::New(env);
    for (const auto& [name, value] : group.kept) kept[name] = value;
    item["kept"] = kept;
    list[i] = item;
  }
  return list;
}

SchedulerState to_scheduler_state(const Napi::Object& from) {
  SchedulerState state;
  const Napi::Object values = object(from, "values");
  for (const std::string& name : own_words(values)) state.values[name] = numbers(values, name.c_str());
  const auto schedulers = to_objects(array(from, "schedulers"), "Expected the states of schedulers");
  state.schedulers.reserve(schedulers.size());
  for (const Napi::Object& nested : schedulers) state.schedulers.push_back(to_scheduler_state(nested));
  return state;
}

Napi::Object scheduler_state_to_js(Napi::Env env, const SchedulerState& state) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Object values = Napi::Object::New(env);
  for (const auto& [name, numbers] : state.values) {
    Napi::Array list = Napi::Array::New(env, numbers.size());
    for (uint32_t i = 0; i < numbers.size(); ++i) list[i] = numbers[i];
    values[name] = list;
  }
  result["values"] = values;
  Napi::Array schedulers = Napi::Array::New(env, state.schedulers.size());
  for (uint32_t i = 0; i < schedulers.Length(); ++i) schedulers[i] = scheduler_state_to_js(env, state.schedulers[i]);
  result["schedulers"] = schedulers;
  return result;
}

void export_schedulers(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "scheduledRates", start_rates);
}

}  // namespace incremental
