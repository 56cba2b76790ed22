// One function for each file of this folder, which adds its part of the addon's exports. binding.cc calls them all.
#pragma once
#include <napi.h>

#include "src/napi/error.h"

namespace incremental {

// Adds one function; what it throws in C++ arrives in JavaScript with its code.
template <class Function>
void export_function(Napi::Env env, Napi::Object exports, const char* name, Function function) {
  exports[name] = Napi::Function::New(
      env,
      [function](const Napi::CallbackInfo& call) -> Napi::Value {
        return guarded(call.Env(), [&] { return function(call); });
      },
      name);
}

void export_info(Napi::Env env, Napi::Object exports);           // info.cc: versions, build
void export_states(Napi::Env env, Napi::Object exports);         // states.cc: read, write, look into state dicts
void export_edited_states(Napi::Env env, Napi::Object exports);  // edited_states.cc: make, share, grow, lay out
void export_datasets(Napi::Env env, Napi::Object exports);       // datasets.cc: read and make data sets
void export_batches(Napi::Env env, Napi::Object exports);        // batches.cc: look at what training sees
void export_jobs(Napi::Env env, Napi::Object exports);           // jobs.cc: train, evaluate, predict
void export_initialisers(Napi::Env env, Napi::Object exports);   // initialisers.cc: new states
void export_programs(Napi::Env env, Napi::Object exports);       // programs.cc: make programs
void export_learner(Napi::Env env, Napi::Object exports);        // learner.cc: what an online learner computes
void export_journal(Napi::Env env, Napi::Object exports);        // journal.cc: checksums, locks
void export_schedulers(Napi::Env env, Napi::Object exports);     // schedulers.cc: the rates of a schedule

}  // namespace incremental
