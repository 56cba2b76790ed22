// What each file of this folder adds to the addon's exports. binding.cc calls them all.
#pragma once
#include <napi.h>

namespace incremental {

void export_info(Napi::Env env, Napi::Object exports);      // info.cc: versions, build
void export_states(Napi::Env env, Napi::Object exports);    // states.cc: read, write, look into state dicts
void export_datasets(Napi::Env env, Napi::Object exports);  // datasets.cc: read and make data sets
void export_jobs(Napi::Env env, Napi::Object exports);      // jobs.cc: train, evaluate, predict, createState

}  // namespace incremental
