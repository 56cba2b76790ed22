#include "src/online/learner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <utility>

#include "src/core/error.h"
#include "src/kernels/team.h"
#include "src/train/progress.h"
#include "src/train/run.h"

namespace incremental {
namespace {

std::vector<const std::byte*> pointers_to(const at::Tensor& samples) {
  const auto* data = static_cast<const std::byte*>(samples.const_data_ptr());
  const auto count = static_cast<size_t>(samples.size(0));
  const size_t bytes = samples.nbytes() / count;
  std::vector<const std::byte*> pointers(count);
  for (size_t i = 0; i < count; ++i) pointers[i] = data + i * bytes;
  return pointers;
}

}  // namespace

Learner::Learner(const LearnerPlan& plan)
    : plan_(plan),
      generator_(at::detail::createCPUGenerator(plan.seed)),
      pipeline_(plan.transforms, plan.shape, plan.dtype),
      scoring_(plan.scoring, plan.shape, plan.dtype),
      replay_(plan.replay, plan.shape, plan.dtype, plan.classes),
      loss_(make_loss(plan.loss)) {
  check(scoring_.draws() == 0, "ERR_INVALID_OPTION", "Expected no random transforms for scoring");
  restore(generator_, plan_.random);
  if (plan_.replayed) {
    std::lock_guard lock(generator_.mutex());
    replay_.restore(*plan_.replayed, *at::check_generator<at::CPUGeneratorImpl>(generator_));
  }
  bind(plan_.state, std::move(plan_.momentum));
  plan_.state = nullptr;
  plan_.random = at::Tensor();
  plan_.replayed.reset();
}

void Learner::bind(const std::shared_ptr<const StateDict>& model, std::vector<at::Tensor> momentum) {
  Variants variants = variants_for(*plan_.program, *model, pipeline_.output_shape(), plan_.numerics);
  auto weights = std::make_unique<Weights>(variants.small_batch, *model);
  weights->require_grad();
  auto optimizer = make_optimizer(plan_.optimizer, weights->parameters());
  optimizer->restore(weights->to_kept(std::move(momentum)));
  auto step = std::make_unique<Step>(
      Forward(variants, weights->all(), Mode::kTraining, generator_, plan_.numerics.bf16), make_loss(plan_.loss),
      std::move(optimizer), weights->parameters(),
      [this](const at::Tensor& logits, const at::Tensor& labels) { check_logits(logits, labels.size(0)); });
  // Nothing can fail from here on: a rollback that finds no memory changes nothing.
  variants_ = std::move(variants);
  weights_ = std::move(weights);
  step_ = std::move(step);
  steps_.forget();
}

void Learner::replace_weights(const std::shared_ptr<const StateDict>& state) { bind(state, {}); }

void Learner::check_logits(const at::Tensor& logits, int64_t samples) const {
  check(logits.dim() == 2 && logits.size(1) == plan_.classes, "ERR_SHAPE", "Expected the model to return [", samples,
        ", ", plan_.classes, "] but it returned ", logits.sizes());
}

std::string Learner::compute_gradients(const Samples& batch, Update& update) {
  step_->gradients(batch.inputs, batch.labels, [&](const at::Tensor& loss) {
    update.loss = loss.item<double>();
    return std::isfinite(update.loss);
  });
  if (!std::isfinite(update.loss)) return "the loss is not finite";
  update.gradient_norm = step_->limit_gradients(plan_.max_gradient_norm);
  return std::isfinite(update.gradient_norm) ? "" : "a gradient is not finite";
}

void Learner::undo(const std::vector<at::Tensor>& buffers) {
  at::NoGradGuard no_grad;
  drop_gradients(weights_->parameters());
  for (size_t i = 0; i < buffers.size(); ++i) weights_->buffers()[i].copy_(buffers[i]);
}

std::vector<int64_t> Learner::draw_replayed(int64_t count) {
  std::lock_guard lock(generator_.mutex());
  return replay_.draw(count, *at::check_generator<at::CPUGeneratorImpl>(generator_));
}

void Learner::keep_for_replay(const Samples& samples) {
  std::lock_guard lock(generator_.mutex());
  auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
  const std::vector<const std::byte*> from = pointers_to(samples.inputs);
  const int64_t* labels = samples.labels.const_data_ptr<int64_t>();
  for (size_t i = 0; i < from.size(); ++i) replay_.add(from[i], labels[i], generator);
}

at::Tensor Learner::score(const at::Tensor& inputs, const std::shared_ptr<const StateDict>& served) {
  at::NoGradGuard no_grad;
  if (served != served_) {
    Variants variants = variants_for(*plan_.program, *served, scoring_.output_shape(), plan_.numerics);
    std::vector<at::Tensor> tensors = tensors_of(variants.small_batch, *served, c10::kCPU);
    served_forward_ = std::make_unique<Forward>(std::move(variants), std::move(tensors), Mode::kEvaluation, generator_);
    served_ = served;
  }
  at::Tensor logits = (*served_forward_)(transform(scoring_, pointers_to(inputs), {}));
  check_logits(logits, inputs.size(0));
  return logits.to(at::kFloat).contiguous();
}

Samples Learner::assemble(const Samples& samples, const std::vector<int64_t>& slots) {
  std::vector<const std::byte*> from = pointers_to(samples.inputs);
  const auto fresh = static_cast<int64_t>(from.size());
  at::Tensor labels = at::empty({fresh + static_cast<int64_t>(slots.size())}, at::kLong);
  labels.narrow(0, 0, fresh).copy_(samples.labels);
  auto* to = labels.mutable_data_ptr<int64_t>() + fresh;
  for (const int64_t slot : slots) {
    from.push_back(replay_.sample(slot));
    *to++ = replay_.label(slot);
  }
  std::vector<double> drawn(from.size() * pipeline_.draws());
  std::lock_guard lock(generator_.mutex());
  auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
  for (size_t i = 0; i < from.size(); ++i) pipeline_.draw(generator, drawn.data() + i * pipeline_.draws());
  return {transform(pipeline_, from, drawn), labels};
}

at::Tensor Learner::transform(const Pipeline& pipeline, const std::vector<const std::byte*>& from,
                              const std::vector<double>& drawn) const {
  const auto count = static_cast<int64_t>(from.size());
  std::vector<int64_t> shape = pipeline.output_shape();
  const int64_t size = c10::multiply_integers(shape);
  shape.insert(shape.begin(), count);
  const bool channels_last = plan_.numerics.fast && shape.size() == 4;
  at::Tensor result = at::empty(
      shape, at::TensorOptions(at::kFloat)
                 .memory_format(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
  float* to = result.mutable_data_ptr<float>();
  const int64_t parts = std::min<int64_t>(count, at::get_num_threads());
  on_team(parts, [&](int64_t part) {
    Pipeline::Workspace workspace = pipeline.make_workspace();
    for (int64_t i = count * part / parts; i < count * (part + 1) / parts; ++i) {
      pipeline.apply(from[i], drawn.data() + i * pipeline.draws(), workspace, to + i * size, channels_last);
    }
  });
  return result;
}

LearnerState Learner::state() const {
  at::NoGradGuard no_grad;
  auto rest = std::make_shared<StateDict>(StateDict{{"random", generator_.get_state()}});
  add_momentum(*rest, *weights_, step_->optimizer().state());
  return {weights(), std::move(rest), std::make_shared<const StateDict>(replay_.state())};
}

}  // namespace incremental
