// Rates of parameter groups and states of schedulers: JavaScript values to core values and back.
#pragma once
#include <napi.h>

#include "src/schedulers/scheduler.h"

namespace incremental {

// { learningRate, momentum, beta1, kept: { name: number, … } } each; momentum and beta1 only where the group has them.
Groups to_rates(const Napi::Array& from);
Napi::Array rates_to_js(Napi::Env env, const Groups& groups);

// { values: { name: number[], … }, schedulers: […] }, and back.
SchedulerState to_scheduler_state(const Napi::Object& from);
Napi::Object scheduler_state_to_js(Napi::Env env, const SchedulerState& state);

}  // namespace incremental
