// Data sets from plans, and what JavaScript may ask of them. Lists of samples are copied on entry; everything that
// takes time happens on libuv's pool.
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "src/core/error.h"
#include "src/datasets/dataset.h"
#include "src/datasets/target_counts.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"

namespace incremental {
namespace {

RecordFile to_record_file(const Napi::Object& from) {
  RecordFile file{to_file(from), integer(from, "bytes"), integer(from, "offset"), integer(from, "count"), {}, true};
  if (const Napi::Value labels = own(from, "labels"); !labels.IsUndefined()) {
    file.labels = to_labels(labels);
    file.labelled = false;
  }
  return file;
}

std::vector<RecordFile> to_record_files(const Napi::Array& from) {
  std::vector<RecordFile> files;
  for (uint32_t i = 0; i < from.Length(); ++i) files.push_back(to_record_file(from.Get(i).As<Napi::Object>()));
  return files;
}

std::function<Dataset()> to_maker(const Napi::Object& plan) {
  const std::string kind = string(plan, "kind");
  if (kind == "subset") {
    return [of = Handle<Dataset>::open(own(plan, "of")), start = integer(plan, "start"), end = integer(plan, "end")] {
      return subset_of(*of, start, end);
    };
  }
  const int64_t classes = integer(plan, "classes");
  if (kind == "records") {
    return [files = to_record_files(array(plan, "files")), name = string(plan, "name"), shape = integers(plan, "shape"),
            classes] { return dataset_from_records(files, name, shape, classes); };
  }
  check(kind == "arrays", "ERR_INVALID_OPTION", "Unknown kind of data set \"", kind, "\"");
  return [inputs = to_inputs(array(plan, "inputs")), targets = Elements::of_targets(own(plan, "targets")).to_tensor(),
          form = to_target_form(object(plan, "target"), classes)] {
    return dataset_from_arrays(inputs.names, inputs.tensors, targets, form);
  };
}

Napi::Value make_dataset(const Napi::CallbackInfo& call) {
  const Napi::Object plan = call[0].As<Napi::Object>();
  // A subset lives in the memory of the set it was taken from, which has reported it to the garbage collector already.
  const bool shares = string(plan, "kind") == "subset";
  return PromiseWorker<Dataset>::start(call.Env(), to_maker(plan), [shares](Napi::Env env, Dataset& dataset) {
    const int64_t bytes = dataset.bytes();
    return Handle<Dataset>::make(env, std::make_shared<const Dataset>(std::move(dataset)), shares ? 0 : bytes);
  });
}

Napi::Value dataset_info(const Napi::CallbackInfo& call) {
  const auto dataset = Handle<Dataset>::open(call[0]);
  Napi::Object info = Napi::Object::New(call.Env());
  info["length"] = static_cast<double>(dataset->samples());
  info["inputs"] = inputs_to_js(call.Env(), dataset->forms());
  info["target"] = target_to_js(call.Env(), dataset->target);
  info["classes"] = static_cast<double>(dataset->target.classes);
  return info;
}

// (dataset, first, count): copies, as they were given.
Napi::Value dataset_samples(const Napi::CallbackInfo& call) {
  const auto dataset = Handle<Dataset>::open(call[0]);
  const int64_t first = call[1].ToNumber().Int64Value(), count = call[2].ToNumber().Int64Value();
  const Dataset part = subset_of(*dataset, first, first + count);
  Napi::Array inputs = Napi::Array::New(call.Env(), part.inputs.size());
  for (uint32_t i = 0; i < part.inputs.size(); ++i) inputs[i] = to_values(call.Env(), part.inputs[i]);
  Napi::Object samples = Napi::Object::New(call.Env());
  samples["inputs"] = inputs;
  samples["targets"] = to_target_values(call.Env(), part.targets);
  return samples;
}

Napi::Float64Array counts_to_js(Napi::Env env, const std::vector<double>& counts) {
  Napi::Float64Array array = Napi::Float64Array::New(env, counts.size());
  std::copy(counts.begin(), counts.end(), array.Data());
  return array;
}

// (dataset, classes, ignored)
Napi::Value count_classes_of(const Napi::CallbackInfo& call) {
  const int64_t classes = call[1].ToNumber().Int64Value(), ignored = call[2].ToNumber().Int64Value();
  return PromiseWorker<std::vector<double>>::start(
      call.Env(),
      [dataset = Handle<Dataset>::open(call[0]), classes, ignored] {
        return count_classes(*dataset, classes, ignored);
      },
      counts_to_js);
}

Napi::Value count_positives_of(const Napi::CallbackInfo& call) {
  return PromiseWorker<PositiveCounts>::start(
      call.Env(), [dataset = Handle<Dataset>::open(call[0])] { return count_positives(*dataset); },
      [](Napi::Env env, const PositiveCounts& counted) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result["counts"] = counts_to_js(env, counted.counts);
        result["each"] = static_cast<double>(counted.each);
        return result;
      });
}

Napi::Value dispose_dataset(const Napi::CallbackInfo& call) {
  Handle<Dataset>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_datasets(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "makeDataset", make_dataset);
  export_function(env, exports, "datasetInfo", dataset_info);
  export_function(env, exports, "datasetSamples", dataset_samples);
  export_function(env, exports, "countClasses", count_classes_of);
  export_function(env, exports, "countPositives", count_positives_of);
  export_function(env, exports, "disposeDataset", dispose_dataset);
}

}  // namespace incremental
