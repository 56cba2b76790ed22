#include "src/train/evaluate.h"

#include <functional>
#include <utility>
#include <vector>

#include "src/device/device.h"
#include "src/program/forward.h"
#include "src/train/run.h"
#include "src/train/weights.h"

namespace incremental {
namespace {

using Visit = std::function<void(const at::Tensor& logits, const Batch& batch)>;

void for_each_batch(const RunPlan& plan, const Cancelled& cancelled, const Visit& visit) {
  RunScope scope(plan.threads);
  DeviceScope device(plan.device);
  at::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(0);
  Forward forward(exact_variants(*plan.program, plan.device), tensors_of(*plan.program, *plan.state, plan.device),
                  Mode::kEvaluation, make_generator(plan.device, 0));
  Batches batches(plan.dataset, pipeline_of(plan),
                  {plan.batch_size, /*epochs=*/1, /*shuffle=*/false, /*drop_last=*/false, /*first_epoch=*/0,
                   /*first_step=*/0, /*channels_last=*/false, takes_every_core(plan.threads)},
                  generator);
  batches.prepare();
  for (int64_t step = 0; step < batches.per_epoch(); ++step) {
    stop_if(cancelled);
    Batch batch = batches.take();
    batches.prepare();
    batch = {batch.inputs.to(plan.device), batch.labels.to(plan.device)};
    at::Tensor logits = forward(batch.inputs);
    if (step == 0) check_logits(logits, batch.labels.size(0), *plan.dataset);
    visit(logits, batch);
  }
}

}  // namespace

Evaluation evaluate(const RunPlan& plan, const Cancelled& cancelled) {
  double loss_sum = 0;
  int64_t samples = 0;
  at::Tensor confusion, not_finite;
  for_each_batch(plan, cancelled, [&](const at::Tensor& logits, const Batch& batch) {
    const int64_t classes = logits.size(1);
    if (!confusion.defined()) {
      confusion = at::zeros({classes, classes}, logits.options().dtype(at::kLong));
      not_finite = at::zeros({classes}, confusion.options());
    }
    loss_sum += at::cross_entropy_loss(logits, batch.labels).item<double>() * static_cast<double>(logits.size(0));
    samples += logits.size(0);
    const at::Tensor cells = batch.labels * classes + logits.argmax(1);
    // Of a NaN, argmax would make a class like any other.
    const at::Tensor finite = at::isfinite(logits.amax(1)).to(at::kLong);
    confusion.view(-1).index_add_(0, cells, finite);
    not_finite.index_add_(0, batch.labels, 1 - finite);
  });
  return {loss_sum / static_cast<double>(samples), confusion.cpu(), not_finite.cpu(), samples};
}

Prediction predict(const RunPlan& plan, const Cancelled& cancelled) {
  std::vector<at::Tensor> parts;
  for_each_batch(plan, cancelled, [&](const at::Tensor& logits, const Batch&) { parts.push_back(logits.cpu()); });
  at::Tensor logits = at::cat(parts).to(at::kFloat).contiguous();
  at::Tensor labels = logits.argmax(1);
  return {std::move(logits), std::move(labels)};
}

}  // namespace incremental
