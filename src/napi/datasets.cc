// Data sets from plans, and what JavaScript may ask of them. Lists of samples are copied on entry; everything that
// takes time happens on libuv's pool.
#include "src/core/error.h"
#include "src/datasets/dataset.h"
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
  std::vector<int64_t> shape = integers(plan, "shape");
  const int64_t classes = integer(plan, "classes");
  if (kind == "records") {
    return [files = to_record_files(array(plan, "files")), shape = std::move(shape), classes] {
      return dataset_from_records(files, shape, classes);
    };
  }
  check(kind == "arrays", "ERR_INVALID_OPTION", "Unknown kind of data set \"", kind, "\"");
  return [inputs = to_samples(own(plan, "inputs"), std::move(shape)), labels = to_labels(own(plan, "labels")),
          classes] { return dataset_from_arrays(inputs, labels, classes); };
}

Napi::Value make_dataset(const Napi::CallbackInfo& call) {
  const Napi::Object plan = call[0].As<Napi::Object>();
  // A subset lives in the memory of the set it was taken from, which has reported it to the garbage collector already.
  const bool shares = string(plan, "kind") == "subset";
  return PromiseWorker<Dataset>::start(call.Env(), to_maker(plan), [shares](Napi::Env env, Dataset& dataset) {
    const auto bytes = static_cast<int64_t>(dataset.inputs.nbytes() + dataset.labels.nbytes());
    return Handle<Dataset>::make(env, std::make_shared<const Dataset>(std::move(dataset)), shares ? 0 : bytes);
  });
}

Napi::Value dataset_info(const Napi::CallbackInfo& call) {
  const auto dataset = Handle<Dataset>::open(call[0]);
  const at::IntArrayRef sizes = dataset->inputs.sizes();
  Napi::Object info = Napi::Object::New(call.Env());
  Napi::Array shape = Napi::Array::New(call.Env(), sizes.size() - 1);
  for (uint32_t i = 1; i < sizes.size(); ++i) shape[i - 1] = static_cast<double>(sizes[i]);
  info["length"] = static_cast<double>(sizes[0]);
  info["shape"] = shape;
  info["dtype"] = dataset->inputs.scalar_type() == at::kByte ? "uint8" : "float32";
  info["classes"] = static_cast<double>(dataset->classes);
  return info;
}

// (dataset, first, count): copies, as they were given.
Napi::Value dataset_samples(const Napi::CallbackInfo& call) {
  const auto dataset = Handle<Dataset>::open(call[0]);
  const int64_t first = call[1].ToNumber().Int64Value(), count = call[2].ToNumber().Int64Value();
  const Dataset part = subset_of(*dataset, first, first + count);
  Napi::Object samples = Napi::Object::New(call.Env());
  samples["inputs"] = part.inputs.scalar_type() == at::kByte
                          ? Napi::Value(to_typed_array<Napi::Uint8Array, uint8_t>(call.Env(), part.inputs))
                          : Napi::Value(to_typed_array<Napi::Float32Array, float>(call.Env(), part.inputs));
  samples["labels"] = to_typed_array<Napi::Int32Array, int32_t>(call.Env(), part.labels.to(at::kInt));
  return samples;
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
  export_function(env, exports, "disposeDataset", dispose_dataset);
}

}  // namespace incremental
