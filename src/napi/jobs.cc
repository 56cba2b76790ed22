// Plans from lib/ into core plans, core results back: train, evaluate, predict.
#include "src/device/device.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/job.h"
#include "src/napi/losses.h"
#include "src/napi/promise_worker.h"
#include "src/napi/scheduler_values.h"
#include "src/napi/transforms.h"
#include "src/state/dtypes.h"
#include "src/train/device/train_on_device.h"
#include "src/train/evaluate.h"
#include "src/train/train.h"

namespace incremental {
namespace {

// The content of a handle, which JavaScript and the training write and read.
struct SharedVerdicts {
  std::shared_ptr<Verdicts> verdicts;
};

void read_run_plan(const Napi::Object& from, RunPlan& plan) {
  plan.program = Handle<Program>::open(own(from, "program"));
  plan.state = Handle<StateDict>::open(own(from, "state"));
  plan.transforms = to_transforms(array(from, "transforms"));
  plan.order = integers(from, "order");
  plan.batch_size = integer(from, "batchSize");
  plan.threads = integer<int32_t>(from, "threads");
  plan.device = to_device(string(from, "device"));
}

Start to_start(const Napi::Object& from) {
  Start start;
  start.position = {integer(from, "epoch"), integer(from, "step"), number(from, "lossSum"), integer(from, "samples"),
                    number(from, "seconds")};
  start.random = to_tensor(own(from, "random"));
  start.epoch_random = to_tensor(own(from, "epochRandom"));
  start.slots = to_slots(array(from, "slots"));
  start.average = to_tensors(array(from, "average"));
  start.averaged = integer(from, "averaged");
  const Napi::Value best = own(from, "best");
  if (best.IsObject()) start.best = to_state(best.As<Napi::Object>());
  const Napi::Value scheduler = own(from, "scheduler");
  if (scheduler.IsObject()) {
    start.scheduler = to_scheduler_state(scheduler.As<Napi::Object>());
    start.rates = to_rates(array(from, "rates"));
  }
  return start;
}

Validation to_validation(const Napi::Object& from, const TrainPlan& training) {
  Validation validation;
  RunPlan& plan = validation.plan;
  plan = training;
  plan.dataset = Handle<Dataset>::open(own(from, "dataset"));
  plan.transforms = to_transforms(array(from, "transforms"));
  plan.order = integers(from, "order");
  plan.program = Handle<Program>::open(own(from, "program"));
  plan.sums = choices(from, "sums");
  validation.every = integer(from, "every");
  validation.verdicts = Handle<SharedVerdicts>::open(own(from, "verdicts"))->verdicts;
  return validation;
}

TrainPlan to_train_plan(const Napi::Object& from) {
  TrainPlan plan;
  read_run_plan(from, plan);
  plan.dataset = Handle<Dataset>::open(own(from, "dataset"));
  plan.names = strings(from, "names");
  plan.epochs = integer(from, "epochs");
  plan.shuffle = boolean(from, "shuffle");
  plan.drop_last = boolean(from, "dropLast");
  plan.workers = integer(from, "workers");
  plan.groups = to_groups(array(from, "groups"));
  if (own(from, "scheduler").IsObject()) plan.scheduler = choice(from, "scheduler");
  plan.loss = to_loss(object(from, "loss"));
  plan.numerics = {string(from, "mode") == "fast", string(from, "precision") == "bf16",
                   boolean(from, "contractLinear")};
  plan.seed = static_cast<uint64_t>(integer(from, "seed"));
  plan.niceness = integer<int32_t>(from, "niceness");
  plan.log_every = integer(from, "logEvery");
  plan.snapshot_every = integer(from, "snapshotEvery");
  plan.accumulate = integer(from, "accumulate");
  plan.limits = {number(from, "maxGradientNorm"), number(from, "maxGradientValue")};
  plan.max_steps = integer(from, "maxSteps");
  plan.max_seconds = number(from, "maxSeconds");
  if (own(from, "average").IsObject()) plan.average = choice(from, "average");
  if (own(from, "validation").IsObject()) plan.validation = to_validation(object(from, "validation"), plan);
  const Napi::Value start = own(from, "start");
  if (start.IsObject()) plan.start = to_start(start.As<Napi::Object>());
  return plan;
}

Napi::Value to_js(Napi::Env env, const TrainOutcome& outcome) {
  Napi::Object result = Napi::Object::New(env);
  result["state"] = Handle<StateDict>::make(env, outcome.state, bytes_of(*outcome.state));
  if (outcome.last) result["last"] = Handle<StateDict>::make(env, outcome.last, bytes_of(*outcome.last));
  result["steps"] = outcome.steps;
  result["seconds"] = outcome.seconds;
  result["notCaptured"] = outcome.not_captured;
  Napi::Array contracted = Napi::Array::New(env, outcome.contracted.size());
  for (uint32_t i = 0; i < contracted.Length(); ++i) contracted[i] = outcome.contracted[i];
  result["contracted"] = contracted;
  return result;
}

Napi::Value start_training(const Napi::CallbackInfo& call) {
  TrainPlan plan = to_train_plan(call[0].As<Napi::Object>());
  // On the CPU the loop for devices is one that tests ask for.
  const Napi::Value loop = own(call[0].As<Napi::Object>(), "loop");
  const bool for_devices = loop.IsString() && loop.As<Napi::String>().Utf8Value() == "device";
  const bool many = (!plan.device.is_cpu() || for_devices) && is_plain(plan);
  const auto run = many ? train_on_device : train;
  auto work = [plan = std::move(plan), run](const Report& report, const Cancelled& cancelled) {
    return [outcome = run(plan, report, cancelled)](Napi::Env env) { return to_js(env, outcome); };
  };
  return Job::start(call.Env(), call[1], JobLength::kLong, std::move(work));
}

Napi::Value make_verdicts(const Napi::CallbackInfo& call) {
  auto shared = std::make_shared<const SharedVerdicts>(SharedVerdicts{std::make_shared<Verdicts>()});
  return Handle<SharedVerdicts>::make(call.Env(), std::move(shared), 0);
}

Napi::Value give_verdict(const Napi::CallbackInfo& call) {
  const Napi::Object from = call[1].As<Napi::Object>();
  Verdict verdict{boolean(from, "stops"), boolean(from, "keeps"), std::nullopt};
  if (own(from, "monitored").IsNumber()) verdict.monitored = number(from, "monitored");
  Handle<SharedVerdicts>::open(call[0])->verdicts->give(verdict);
  return call.Env().Undefined();
}

Napi::Value start_evaluation(const Napi::CallbackInfo& call) {
  RunPlan plan;
  read_run_plan(call[0].As<Napi::Object>(), plan);
  plan.dataset = Handle<Dataset>::open(own(call[0].As<Napi::Object>(), "dataset"));
  plan.loss = to_loss(object(call[0].As<Napi::Object>(), "loss"));
  plan.sums = choices(call[0].As<Napi::Object>(), "sums");
  auto work = [plan = std::move(plan)](const Report&, const Cancelled& cancelled) {
    return [evaluation = evaluate(plan, cancelled)](Napi::Env env) -> Napi::Value { return to_js(env, evaluation); };
  };
  return Job::start(call.Env(), call.Env().Undefined(), JobLength::kLong, std::move(work));
}

Napi::Value start_prediction(const Napi::CallbackInfo& call) {
  const Napi::Object from = call[0].As<Napi::Object>();
  RunPlan plan;
  read_run_plan(from, plan);
  plan.output = integer<uint32_t>(from, "output");
  check(plan.output < plan.program->outputs.size(), "ERR_INVALID_OPTION", "Expected an output of the program");
  NamedInputs inputs = to_inputs(array(from, "inputs"));
  const int64_t samples = inputs.tensors.front().size(0);
  const JobLength length = samples <= plan.batch_size ? JobLength::kShort : JobLength::kLong;
  auto work = [plan = std::move(plan), inputs = std::move(inputs)](const Report&, const Cancelled& cancelled) mutable {
    plan.dataset = std::make_shared<const Dataset>(dataset_from_arrays(
        std::move(inputs.names), std::move(inputs.tensors), at::Tensor(), {TargetKind::kNone, {}, 0}));
    Prediction prediction = predict(plan, cancelled);
    prediction.labels = prediction.labels.defined() ? prediction.labels.to(at::kInt) : at::empty({0}, at::kInt);
    return [prediction](Napi::Env env) -> Napi::Value {
      Napi::Object result = Napi::Object::New(env);
      result["logits"] = to_typed_array<Napi::Float32Array, float>(env, prediction.logits);
      result["shape"] = shape_to_js(env, prediction.logits.sizes());
      result["labels"] = to_typed_array<Napi::Int32Array, int32_t>(env, prediction.labels);
      return result;
    };
  };
  return Job::start(call.Env(), call.Env().Undefined(), length, std::move(work));
}

Napi::Value stop_jobs(const Napi::CallbackInfo& call) {
  Job::stop_all(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_jobs(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "train", start_training);
  export_function(env, exports, "makeVerdicts", make_verdicts);
  export_function(env, exports, "giveVerdict", give_verdict);
  export_function(env, exports, "evaluate", start_evaluation);
  export_function(env, exports, "predict", start_prediction);
  export_function(env, exports, "stopJobs", stop_jobs);
}

}  // namespace incremental
