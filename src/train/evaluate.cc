#include "src/train/evaluate.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "src/core/error.h"
#include "src/device/device.h"
#include "src/losses/loss.h"
#include "src/metrics/metrics.h"
#include "src/program/forward.h"
#include "src/train/run.h"
#include "src/train/weights.h"

namespace incremental {
namespace {

using Visit = std::function<void(const std::vector<at::Tensor>& outputs, const Batch& batch)>;

void for_each_batch(const RunPlan& plan, const Cancelled& cancelled, const Visit& visit) {
  RunScope scope(plan.threads);
  DeviceScope device(plan.device);
  at::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(0);
  Forward forward(exact_variants(*plan.program, plan.device),
                  tensors_for_evaluation(*plan.program, *plan.state, plan.device), Mode::kEvaluation,
                  make_generator(plan.device, 0));
  Batches batches(plan.dataset, pipeline_of(plan),
                  {plan.batch_size, /*epochs=*/1, /*shuffle=*/false, /*drop_last=*/false, /*first_epoch=*/0,
                   /*first_step=*/0, /*channels_last=*/false, takes_every_core(plan.threads)},
                  generator);
  batches.prepare();
  for (int64_t step = 0; step < batches.per_epoch(); ++step) {
    stop_if(cancelled);
    const Batch batch = on_device(batches.take(), plan.device);
    batches.prepare();
    visit(forward(batch.inputs), batch);
  }
}

void add_tokens(const at::Tensor& logits, const Batch& batch, const at::Tensor& counted, Evaluation& result) {
  const at::Tensor finite = counted.logical_and(at::isfinite(logits.amax(1)));
  result.predicted += counted.sum().item<int64_t>();
  result.correct += logits.argmax(1).eq(batch.targets).logical_and_(finite).sum().item<int64_t>();
}

void add_classes(const at::Tensor& logits, const Batch& batch, Evaluation& result) {
  const int64_t classes = logits.size(1);
  if (!result.confusion.defined()) {
    result.confusion = at::zeros({classes, classes}, logits.options().dtype(at::kLong));
    result.not_finite = at::zeros({classes}, result.confusion.options());
  }
  const at::Tensor cells = batch.targets * classes + logits.argmax(1);
  // Of a NaN, argmax would make a class like any other.
  const at::Tensor finite = at::isfinite(logits.amax(1)).to(at::kLong);
  result.confusion.view(-1).index_add_(0, cells, finite);
  result.not_finite.index_add_(0, batch.targets, 1 - finite);
}

}  // namespace

Evaluation evaluate(const RunPlan& plan, const Cancelled& cancelled) {
  const TargetForm& target = plan.dataset->target;
  const std::unique_ptr<Loss> loss = make_loss(plan.loss, *plan.dataset);
  Metrics metrics(plan.sums, target, plan.dataset->samples());
  Evaluation result;
  double divisor = 0;
  for_each_batch(plan, cancelled, [&](const std::vector<at::Tensor>& outputs, const Batch& batch) {
    const double value = (*loss)(outputs, batch.targets, batch.samples()).item<double>();
    const double share = loss->divisor(batch.targets, batch.samples());
    // The mean of none is NaN.
    if (share > 0) result.loss += loss->total(value, share);
    divisor += share;
    result.samples += batch.samples();
    if (!plan.sums.empty()) metrics.add(loss->prediction(outputs), batch.targets);
    if (!loss->has_classes()) return;
    const at::Tensor logits = loss->prediction(outputs);
    if (target.kind == TargetKind::kTokens) add_tokens(logits, batch, loss->counted(batch.targets), result);
    if (target.kind == TargetKind::kClass) add_classes(logits, batch, result);
  });
  {
    RunScope scope(plan.threads);
    result.sums = metrics.states();
  }
  result.loss /= divisor;
  if (!result.confusion.defined()) return result;
  result.confusion = result.confusion.cpu().to(at::kDouble);
  result.not_finite = result.not_finite.cpu().to(at::kDouble);
  result.predicted = result.samples;
  result.correct = static_cast<int64_t>(result.confusion.trace().item<double>());
  return result;
}

Prediction predict(const RunPlan& plan, const Cancelled& cancelled) {
  std::vector<at::Tensor> parts;
  for_each_batch(plan, cancelled, [&](const std::vector<at::Tensor>& outputs, const Batch& batch) {
    const at::Tensor& logits = outputs.at(plan.output);
    check(logits.defined(), "ERR_INVALID_OPTION", "The model computes its output ", plan.output, " in training alone");
    check(logits.dim() >= 1 && logits.size(0) == batch.samples(), "ERR_SHAPE", "Expected the model to return [",
          batch.samples(), ", …] for a batch of ", batch.samples(), " but it returned ", logits.sizes());
    parts.push_back(logits.cpu());
  });
  at::Tensor logits = at::cat(parts).to(at::kFloat).contiguous();
  at::Tensor labels = logits.dim() >= 2 ? logits.argmax(1) : at::Tensor();
  return {std::move(logits), std::move(labels)};
}

}  // namespace incremental
