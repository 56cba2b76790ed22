#include "src/online/learner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <utility>

#include "src/core/error.h"
#include "src/kernels/team.h"
#include "src/train/progress.h"
#include "src/train/run.h"

namespace incremental {
namespace {

// For each sample, the elements of each input.
std::vector<std::vector<const void*>> pointers_to(const std::vector<at::Tensor>& inputs) {
  const auto count = static_cast<size_t>(inputs.front().size(0));
  std::vector<std::vector<const void*>> pointers(count, std::vector<const void*>(inputs.size()));
  for (size_t k = 0; k < inputs.size(); ++k) {
    const auto* data = static_cast<const std::byte*>(inputs[k].const_data_ptr());
    const size_t bytes = inputs[k].nbytes() / std::max<size_t>(1, count);
    for (size_t i = 0; i < count; ++i) pointers[i][k] = data + i * bytes;
  }
  return pointers;
}

}  // namespace

Learner::Learner(const LearnerPlan& plan)
    : plan_(plan),
      generator_(at::detail::createCPUGenerator(plan.seed)),
      pipeline_(plan.inputs, plan.transforms, plan.order, types_of(*plan.program)),
      scoring_(plan.inputs, plan.scoring, plan.order, types_of(*plan.program)),
      replay_(plan.replay, plan.inputs, plan.target),
      loss_(std::make_unique<Loss>(plan.loss, plan.target, /*is_lenient=*/true)) {
  check(scoring_.draws() == 0, "ERR_INVALID_OPTION", "Expected no random transforms for scoring");
  restore(generator_, plan_.random);
  if (plan_.replayed) {
    std::lock_guard lock(generator_.mutex());
    replay_.restore(*plan_.replayed, *at::check_generator<at::CPUGeneratorImpl>(generator_));
  }
  bind(plan_.state, std::move(plan_.slots));
  if (average_ && plan_.averaged > 0) average_->restore(weights_->to_kept(plan_.averages), plan_.averaged);
  plan_.averages.clear();
  plan_.state = nullptr;
  plan_.random = at::Tensor();
  plan_.replayed.reset();
}

void Learner::bind(const std::shared_ptr<const StateDict>& model, std::vector<Slots> slots) {
  Variants variants = variants_for(*plan_.program, *model, pipeline_.outputs(), plan_.numerics);
  auto weights = std::make_unique<Weights>(variants.small_batch, *model);
  ParameterGroups::require_grad(plan_.groups, weights->parameters());
  ParameterGroups optimizer(plan_.groups, weights->parameters(), kernels_of(plan_.numerics), weights->shapes());
  optimizer.restore(weights->to_kept(std::move(slots)));
  auto step =
      std::make_unique<Step>(Forward(variants, weights->all(), Mode::kTraining, generator_, plan_.numerics.bf16),
                             std::make_unique<Loss>(plan_.loss, plan_.target, /*is_lenient=*/true),
                             std::move(optimizer), weights->parameters());
  std::unique_ptr<Average> average = make_average(plan_.average);
  // Nothing can fail from here on: a rollback that finds no memory changes nothing.
  variants_ = std::move(variants);
  weights_ = std::move(weights);
  step_ = std::move(step);
  average_ = std::move(average);
  live_forward_ = nullptr;
  rate_ = 1;
  steps_.forget();
}

void Learner::replace_weights(const std::shared_ptr<const StateDict>& state) { bind(state, {}); }

std::string Learner::compute_gradients(const Batch& batch, Update& update) {
  step_->gradients(batch, [&](const at::Tensor& loss) {
    update.loss = loss.item<double>();
    return std::isfinite(update.loss);
  });
  if (!std::isfinite(update.loss)) return "the loss is not finite";
  update.gradient_norm = step_->limit_gradients(plan_.max_gradient_norm);
  return std::isfinite(update.gradient_norm) ? "" : "a gradient is not finite";
}

void Learner::undo(const KeptBuffers& buffers) {
  drop_gradients(weights_->parameters());
  buffers.put_back();
}

std::vector<int64_t> Learner::draw_replayed(int64_t count) {
  std::lock_guard lock(generator_.mutex());
  return replay_.draw(count, *at::check_generator<at::CPUGeneratorImpl>(generator_));
}

void Learner::keep_for_replay(const Batch& samples) {
  std::lock_guard lock(generator_.mutex());
  auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
  const std::vector<std::vector<const void*>> from = pointers_to(samples.inputs);
  const std::vector<std::vector<const void*>> targets = pointers_to({samples.targets});
  for (size_t i = 0; i < from.size(); ++i) replay_.add(from[i], targets[i].front(), generator);
}

void Learner::set_rate(double rate) {
  if (rate == rate_) return;
  ParameterGroups& optimizer = step_->optimizer();
  for (size_t group = 0; group < optimizer.size(); ++group) {
    Choice choice = optimizer.options(group);
    choice.options["learningRate"] = plan_.groups[group].optimizer.number("learningRate") * rate;
    optimizer.set_options(group, std::move(choice));
  }
  rate_ = rate;
}

const std::vector<at::Tensor>& Learner::averaged() const {
  return average_ && average_->count() > 0 ? average_->weights() : weights_->parameters();
}

void Learner::add_to_average() {
  if (!average_) return;
  if (average_->count() == 0) live_forward_ = nullptr;  // it runs the weights themselves
  average_->after_step(weights_->parameters());
}

std::shared_ptr<const StateDict> Learner::weights() const { return weights_->copy(plan_.names, averaged()); }

KeptBuffers Learner::kept_in_evaluation(const std::vector<at::Tensor>& buffers) const {
  return plan_.program->writes_in_evaluation ? KeptBuffers(buffers) : KeptBuffers();
}

Learner::Scorer Learner::scorer_of(const std::shared_ptr<const StateDict>& served) {
  if (served == nullptr) {
    if (!live_forward_) {
      std::vector<at::Tensor> tensors = averaged();
      tensors.insert(tensors.end(), weights_->buffers().begin(), weights_->buffers().end());
      live_forward_ = std::make_unique<Forward>(variants_, std::move(tensors), Mode::kEvaluation, generator_);
    }
    return {*live_forward_, weights_->buffers()};
  }
  if (served != served_) {
    Variants variants = variants_for(*plan_.program, *served, scoring_.outputs(), plan_.numerics);
    std::vector<at::Tensor> tensors = tensors_for_evaluation(variants.small_batch, *served, c10::kCPU);
    served_buffers_.assign(tensors.begin() + static_cast<int64_t>(plan_.program->parameters.size()), tensors.end());
    served_forward_ = std::make_unique<Forward>(std::move(variants), std::move(tensors), Mode::kEvaluation, generator_);
    served_ = served;
  }
  return {*served_forward_, served_buffers_};
}

void Learner::score(const Batch& samples, const std::shared_ptr<const StateDict>& served, Update& update) {
  at::NoGradGuard no_grad;
  const Scorer scorer = scorer_of(served);
  const KeptBuffers buffers = kept_in_evaluation(scorer.buffers);
  const std::vector<at::Tensor> outputs = scorer.forward(transform(scoring_, pointers_to(samples.inputs), {}));
  buffers.put_back();
  update.logits = loss_->prediction(outputs).to(at::kFloat).contiguous();
  if (plan_.target.kind == TargetKind::kClass && loss_->is_log_likelihood()) return;
  update.losses = loss_->per_sample(outputs, samples.targets, samples.samples());
}

Batch Learner::assemble(const Batch& samples, const std::vector<int64_t>& slots) {
  std::vector<std::vector<const void*>> from = pointers_to(samples.inputs);
  const int64_t fresh = samples.samples();
  at::Tensor targets =
      at::empty(batch_shape(fresh + static_cast<int64_t>(slots.size()), plan_.target.shape), plan_.target.dtype());
  targets.narrow(0, 0, fresh).copy_(samples.targets);
  auto* to = static_cast<std::byte*>(targets.mutable_data_ptr());
  const size_t bytes = from.empty() && slots.empty() ? 0 : targets.nbytes() / targets.size(0);
  to += fresh * bytes;
  for (const int64_t slot : slots) {
    from.push_back(replay_.inputs(slot));
    std::memcpy(to, replay_.target(slot), bytes);
    to += bytes;
  }
  std::vector<double> drawn(from.size() * pipeline_.draws());
  std::lock_guard lock(generator_.mutex());
  auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
  for (size_t i = 0; i < from.size(); ++i) pipeline_.draw(generator, drawn.data() + i * pipeline_.draws());
  return {transform(pipeline_, from, drawn), targets};
}

std::vector<at::Tensor> Learner::transform(const SamplePipeline& pipeline,
                                           const std::vector<std::vector<const void*>>& from,
                                           const std::vector<double>& drawn) const {
  const auto count = static_cast<int64_t>(from.size());
  const bool channels_last = plan_.numerics.fast && plan_.program->may_be_rewritten;
  std::vector<at::Tensor> batch = pipeline.make_batch(count, channels_last);
  const std::vector<void*> to = memory_of(batch);
  int64_t elements = 0;
  for (const at::Tensor& input : batch) elements += input.numel();
  // Of a few samples, one: JavaScript still has a core at this moment.
  const int64_t parts = std::min(count, parts_for(elements));
  on_team(parts, [&](int64_t part) {
    SamplePipeline::Workspaces workspaces = pipeline.make_workspaces();
    for (int64_t i = count * part / parts; i < count * (part + 1) / parts; ++i) {
      pipeline.apply(from[i].data(), drawn.data() + i * pipeline.draws(), workspaces, to, i, channels_last);
    }
  });
  return batch;
}

LearnerState Learner::state() const {
  at::NoGradGuard no_grad;
  auto rest = std::make_shared<StateDict>(StateDict{{"random", generator_.get_state()}});
  add_slots(*rest, *weights_, step_->optimizer().state());
  auto average = average_ ? averaged_model(*weights(), average_->count()) : nullptr;
  return {weights_->copy(plan_.names), std::move(rest), std::make_shared<const StateDict>(replay_.state()),
          std::move(average)};
}

}  // namespace incremental
