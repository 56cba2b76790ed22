// Batches for JavaScript to look at, exactly as training gets them. One handle is one run through the data.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <utility>

#include "src/batches/batches.h"
#include "src/batches/device_batches.h"
#include "src/core/error.h"
#include "src/device/device.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"
#include "src/napi/transforms.h"

namespace incremental {
namespace {

// One pass through a data set. Tests ask for batches that are made on a device, which come back to the host.
class BatchReader {
 public:
  BatchReader(std::shared_ptr<const Dataset> dataset, SamplePipeline pipeline, const BatchOptions& options,
              uint64_t seed, std::optional<c10::Device> device)
      : dataset_(std::move(dataset)),
        pipeline_(std::move(pipeline)),
        options_(options),
        generator_(at::detail::createCPUGenerator(seed)),
        device_(device),
        per_epoch_(batches_per_epoch(options_, dataset_->samples())) {}

  std::optional<Batch> next() {
    if (read_ == per_epoch_ * options_.epochs) return std::nullopt;
    Batch batch = device_ ? from_device() : from_host();
    ++read_;
    return batch;
  }

  std::atomic<bool> busy{false};

 private:
  Batch from_host() {
    if (!host_) {
      host_.emplace(dataset_, std::move(pipeline_), options_, generator_);
      host_->prepare();
    }
    Batch batch = host_->take();
    host_->prepare();
    for (at::Tensor& input : batch.inputs) input = input.contiguous();
    return batch;
  }

  Batch from_device() {
    const DeviceScope scope(*device_);
    if (!on_device_) on_device_.emplace(dataset_, std::move(pipeline_), options_, generator_, *device_);
    const int64_t step = read_ % per_epoch_;
    if (step == 0) on_device_->begin_epoch();
    Batch batch = on_device_->take(on_device_->batch_size(step));
    for (at::Tensor& input : batch.inputs) input = input.cpu();
    if (batch.targets.defined()) batch.targets = batch.targets.cpu();
    return batch;
  }

  std::shared_ptr<const Dataset> dataset_;
  SamplePipeline pipeline_;
  BatchOptions options_;
  at::Generator generator_;
  std::optional<c10::Device> device_;
  int64_t per_epoch_, read_ = 0;
  std::optional<Batches> host_;
  std::optional<DeviceBatches> on_device_;
};

// While it lives nobody else reads.
struct Claim {
  std::shared_ptr<BatchReader> reader;
  explicit Claim(std::shared_ptr<BatchReader> claimed) : reader(std::move(claimed)) {
    check(!reader->busy.exchange(true), "ERR_BUSY", "The next batch was already asked for; wait for it first");
  }
  ~Claim() { release(); }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  void release() {
    if (std::exchange(held, false)) reader->busy = false;
  }

 private:
  bool held = true;
};

// Handles hold immutable values: this one holds where the reader is.
struct BatchReaderPlace {
  std::shared_ptr<BatchReader> reader;
};

Napi::Value make_batches(const Napi::CallbackInfo& call) {
  const Napi::Object plan = call[0].As<Napi::Object>();
  auto dataset = Handle<Dataset>::open(own(plan, "dataset"));
  std::vector<int64_t> order(dataset->inputs.size());
  std::iota(order.begin(), order.end(), 0);
  SamplePipeline pipeline(dataset->forms(), to_transforms(array(plan, "transforms")), order, {});
  BatchOptions options{integer(plan, "batchSize"), integer(plan, "epochs"), boolean(plan, "shuffle"),
                       boolean(plan, "dropLast")};
  options.workers = integer(plan, "workers");
  options.channels_last = plan.HasOwnProperty("channelsLast") && boolean(plan, "channelsLast");
  const Napi::Value device = own(plan, "device");
  auto reader = std::make_shared<BatchReader>(
      std::move(dataset), std::move(pipeline), options, static_cast<uint64_t>(integer(plan, "seed")),
      device.IsString() ? std::optional(to_device(device.As<Napi::String>().Utf8Value())) : std::nullopt);
  return Handle<BatchReaderPlace>::make(call.Env(),
                                        std::make_shared<BatchReaderPlace>(BatchReaderPlace{std::move(reader)}), 0);
}

Napi::Value to_js(Napi::Env env, const Batch& batch) {
  Napi::Array inputs = Napi::Array::New(env, batch.inputs.size());
  Napi::Array shapes = Napi::Array::New(env, batch.inputs.size());
  for (uint32_t i = 0; i < batch.inputs.size(); ++i) {
    inputs[i] = to_values(env, batch.inputs[i]);
    shapes[i] = shape_to_js(env, batch.inputs[i].sizes().slice(1));
  }
  Napi::Object result = Napi::Object::New(env);
  result["length"] = static_cast<double>(batch.samples());
  result["inputs"] = inputs;
  result["shapes"] = shapes;
  result["targets"] = to_target_values(env, batch.targets);
  return result;
}

Napi::Value next_batch(const Napi::CallbackInfo& call) {
  auto reader = Handle<BatchReaderPlace>::open(call[0])->reader;
  auto claim = std::make_shared<Claim>(std::move(reader));
  // Both hold it: it is released on JavaScript's thread, so that a second call in the same turn is always refused.
  return PromiseWorker<std::optional<Batch>>::start(
      call.Env(), [claim] { return claim->reader->next(); },
      [claim](Napi::Env env, std::optional<Batch>& batch) -> Napi::Value {
        const Napi::Value result = batch ? to_js(env, *batch) : env.Undefined();
        claim->release();
        return result;
      });
}

Napi::Value dispose_batches(const Napi::CallbackInfo& call) {
  Handle<BatchReaderPlace>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_batches(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "makeBatches", make_batches);
  export_function(env, exports, "nextBatch", next_batch);
  export_function(env, exports, "disposeBatches", dispose_batches);
}

}  // namespace incremental
