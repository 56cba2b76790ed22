// Online learners as handles and jobs. One learner does one thing at a time, on a thread of its own:
// OpenMP keeps a team for each thread that computes.
#include "src/online/learner.h"

#include <utility>

#include "src/core/memory.h"
#include "src/datasets/dataset.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/job.h"
#include "src/napi/losses.h"
#include "src/napi/promise_worker.h"
#include "src/napi/transforms.h"

namespace incremental {
namespace {

// The content of a handle. Jobs share the learner only, so that its thread is never ended by itself.
struct OwnedLearner {
  std::shared_ptr<Learner> learner;
  std::shared_ptr<JobThread> thread;
};

// Memory stays between updates too.
struct LeasedLearner {
  MemoryLease lease;
  Learner learner;

  explicit LeasedLearner(const LearnerPlan& plan) : learner(plan) {}
};

ReplayOptions to_replay(const Napi::Object& from) {
  return {string(from, "policy") == "classBalanced" ? ReplayPolicy::kClassBalanced : ReplayPolicy::kReservoir,
          integer(from, "capacity"), integer(from, "perUpdate")};
}

LearnerPlan to_learner_plan(const Napi::Object& from) {
  LearnerPlan plan;
  plan.program = Handle<Program>::open(own(from, "program"));
  plan.state = Handle<StateDict>::open(own(from, "state"));
  plan.names = strings(from, "names");
  plan.transforms = to_transforms(array(from, "transforms"));
  plan.scoring = to_transforms(array(from, "scoring"));
  plan.inputs = to_input_forms(array(from, "inputs"));
  plan.order = integers(from, "order");
  plan.target = to_target_form(object(from, "target"), integer(from, "classes"));
  plan.groups = to_groups(array(from, "groups"));
  plan.loss = to_loss(object(from, "loss"));
  plan.max_gradient_norm = number(from, "maxGradientNorm");
  if (own(from, "average").IsObject()) plan.average = choice(from, "average");
  plan.numerics = {string(from, "mode") == "fast", string(from, "precision") == "bf16",
                   boolean(from, "contractLinear")};
  plan.replay = to_replay(object(from, "replay"));
  plan.seed = static_cast<uint64_t>(integer(from, "seed"));
  plan.threads = integer<int32_t>(from, "threads");
  plan.niceness = integer<int32_t>(from, "niceness");
  const Napi::Value start = own(from, "start");
  if (!start.IsObject()) return plan;
  plan.random = to_tensor(own(start.As<Napi::Object>(), "random"));
  plan.slots = to_slots(array(start.As<Napi::Object>(), "slots"));
  plan.replayed = to_tensors(array(start.As<Napi::Object>(), "replay"));
  plan.averages = to_tensors(array(start.As<Napi::Object>(), "average"));
  plan.averaged = integer(start.As<Napi::Object>(), "averaged");
  return plan;
}

Napi::Value make_learner(const Napi::CallbackInfo& call) {
  using Made = std::shared_ptr<LeasedLearner>;
  auto make = [plan = to_learner_plan(call[0].As<Napi::Object>())] { return std::make_shared<LeasedLearner>(plan); };
  return PromiseWorker<Made>::start(call.Env(), std::move(make), [](Napi::Env env, Made& made) {
    auto owned = std::make_shared<const OwnedLearner>(
        OwnedLearner{std::shared_ptr<Learner>(made, &made->learner), std::make_shared<JobThread>(JobLength::kLong)});
    return Handle<OwnedLearner>::make(env, std::move(owned), 0);
  });
}

Napi::Value to_js(Napi::Env env, const Update& update) {
  Napi::Object result = Napi::Object::New(env);
  result["refused"] = update.refused;
  result["needsCompany"] = update.needs_company;
  result["offenders"] = Napi::Array::New(env, update.offenders.size());
  Napi::Array offenders = result.Get("offenders").As<Napi::Array>();
  for (uint32_t i = 0; i < offenders.Length(); ++i) offenders.Set(i, static_cast<double>(update.offenders[i]));
  result["loss"] = update.loss;
  result["logits"] = to_typed_array<Napi::Float32Array, float>(env, update.logits);
  if (update.losses.defined()) {
    result["losses"] = to_typed_array<Napi::Float32Array, float>(env, update.losses.contiguous());
  }
  return result;
}

// The arguments of an update, until its thread makes tensors of them.
struct Given {
  std::vector<Elements> inputs;
  Elements targets;
};

Batch to_batch(Given& given, const LearnerPlan& plan) {
  Batch samples;
  for (size_t i = 0; i < given.inputs.size(); ++i) {
    samples.inputs.push_back(to_samples(std::move(given.inputs[i]), plan.inputs[i].shape));
  }
  samples.targets = checked_targets(std::move(given.targets).to_tensor(), plan.target, samples.samples());
  return samples;
}

Napi::Value learner_update(const Napi::CallbackInfo& call) {
  const auto owned = Handle<OwnedLearner>::open(call[0]);
  const Napi::Object plan = call[1].As<Napi::Object>();
  const LearnerPlan& made = owned->learner->plan();
  const Napi::Array inputs = array(plan, "inputs");
  check(inputs.Length() == made.inputs.size(), "ERR_INVALID_OPTION", "Expected values of ", made.inputs.size(),
        " inputs but received ", inputs.Length());
  auto given = std::make_shared<Given>();
  for (uint32_t i = 0; i < inputs.Length(); ++i) given->inputs.push_back(Elements::of_samples(inputs[i]));
  given->targets = Elements::of_targets(own(plan, "targets"));
  UpdatePlan update{integer(plan, "rules"), nullptr, integer(plan, "replayed"), boolean(plan, "keep"),
                    number(plan, "rate")};
  const Napi::Value served = own(plan, "served");
  if (!served.IsUndefined()) update.served = Handle<StateDict>::open(served);
  auto work = [learner = owned->learner, given = std::move(given), update = std::move(update)](const Report&,
                                                                                               const Cancelled&) {
    const Batch samples = to_batch(*given, learner->plan());
    return [result = learner->update(update, samples)](Napi::Env env) { return to_js(env, result); };
  };
  return Job::start(call.Env(), owned->thread, std::move(work));
}

Napi::Value learner_state(const Napi::CallbackInfo& call) {
  const auto owned = Handle<OwnedLearner>::open(call[0]);
  auto work = [learner = owned->learner](const Report&, const Cancelled&) {
    return [state = learner->state()](Napi::Env env) -> Napi::Value {
      Napi::Object result = Napi::Object::New(env);
      result["model"] = Handle<StateDict>::make(env, state.model, bytes_of(*state.model));
      result["rest"] = Handle<StateDict>::make(env, state.rest, bytes_of(*state.rest));
      result["replay"] = Handle<StateDict>::make(env, state.replay, bytes_of(*state.replay));
      if (state.average) result["average"] = Handle<StateDict>::make(env, state.average, bytes_of(*state.average));
      return result;
    };
  };
  return Job::start(call.Env(), owned->thread, std::move(work));
}

Napi::Value learner_weights(const Napi::CallbackInfo& call) {
  const auto owned = Handle<OwnedLearner>::open(call[0]);
  auto work = [learner = owned->learner](const Report&, const Cancelled&) {
    return
        [model = learner->weights()](Napi::Env env) { return Handle<StateDict>::make(env, model, bytes_of(*model)); };
  };
  return Job::start(call.Env(), owned->thread, std::move(work));
}

Napi::Value learner_replace_weights(const Napi::CallbackInfo& call) {
  const auto owned = Handle<OwnedLearner>::open(call[0]);
  auto work = [learner = owned->learner, state = Handle<StateDict>::open(call[1])](const Report&, const Cancelled&) {
    learner->replace_weights(state);
    return [](Napi::Env env) { return env.Undefined(); };
  };
  return Job::start(call.Env(), owned->thread, std::move(work));
}

Napi::Value learner_clear_replay(const Napi::CallbackInfo& call) {
  const auto owned = Handle<OwnedLearner>::open(call[0]);
  auto work = [learner = owned->learner](const Report&, const Cancelled&) {
    learner->clear_replay();
    return [](Napi::Env env) { return env.Undefined(); };
  };
  return Job::start(call.Env(), owned->thread, std::move(work));
}

// Waits for its current operation.
Napi::Value dispose_learner(const Napi::CallbackInfo& call) {
  Handle<OwnedLearner>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_learner(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "makeLearner", make_learner);
  export_function(env, exports, "learnerUpdate", learner_update);
  export_function(env, exports, "learnerState", learner_state);
  export_function(env, exports, "learnerWeights", learner_weights);
  export_function(env, exports, "learnerReplaceWeights", learner_replace_weights);
  export_function(env, exports, "learnerClearReplay", learner_clear_replay);
  export_function(env, exports, "disposeLearner", dispose_learner);
}

}  // namespace incremental
