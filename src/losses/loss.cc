#include "src/losses/loss.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "src/core/error.h"
#include "src/losses/targets.h"

namespace incremental {
namespace {

// Sources of inputs that are no outputs of the model.
constexpr int64_t kTarget = -1, kSamples = -2;

constexpr const char* kClasses = "classes";

at::Tensor tensor_of(const LossPlan::Constant& constant, const at::Tensor& like) {
  const at::Tensor values = at::tensor(constant.data, at::kDouble).to(at::kFloat).to(like.scalar_type());
  return (constant.axes.empty() ? values.squeeze(0) : values).to(like.device());
}

}  // namespace

Loss::Loss(std::shared_ptr<const LossPlan> plan, TargetForm target, bool is_lenient)
    : plan_(std::move(plan)), target_(std::move(target)), is_lenient_(is_lenient) {
  const Objection objection = objection_to(*plan_, target_);
  check(objection.text.empty(), objection.code, objection.text, objection.advice);
  const auto found = std::find_if(plan_->targets.begin(), plan_->targets.end(),
                                  [&](const LossPlan::Target& one) { return one.kind == target_.kind; });
  if (found != plan_->targets.end()) taken_ = &*found;
}

at::Tensor Loss::operator()(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples) {
  return run(whole_, plan_->whole, fitted(outputs, samples), targets, samples);
}

at::Tensor Loss::each(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples) {
  check(plan_->each.has_value(), "ERR_INVALID_OPTION", plan_->kind, " has no losses of single samples");
  at::Tensor losses = run(each_, *plan_->each, fitted(outputs, samples), targets, samples);
  check(losses.dim() > 0 && losses.size(0) == samples, "ERR_SHAPE", "Expected ", plan_->kind,
        " to compute losses of shape [samples, …] for ", samples, " samples but it computed ", losses.sizes());
  return losses;
}

at::Tensor Loss::per_sample(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples) {
  const at::Tensor rows = each(outputs, targets, samples).to(at::kFloat).reshape({samples, -1});
  if (plan_->is_sum_per_sample) return rows.sum(1);
  if (target_.kind != TargetKind::kTokens) return rows.mean(1);
  return rows.sum(1) / counted(targets).reshape({samples, -1}).sum(1).clamp_min(1);
}

double Loss::divisor(const at::Tensor& targets, int64_t samples) {
  if (plan_->is_sum || !plan_->divisor || !target_.holds_indices()) return static_cast<double>(samples);
  // Constants of the type that losses have.
  return run(divisor_, *plan_->divisor, {at::empty({0}, targets.options().dtype(at::kFloat))}, targets, samples)
      .item<double>();
}

at::Tensor Loss::prediction(const std::vector<at::Tensor>& outputs) const {
  const LossPlan::Output& wanted = plan_->outputs.front();
  const at::Tensor& output = outputs.at(wanted.index);
  return wanted.axes.back() == kClasses && output.dim() > 2 ? output.movedim(-1, 1) : output;
}

bool Loss::has_classes() const {
  Axes axes = plan_->outputs.front().axes;
  const auto classes = std::find(axes.begin(), axes.end(), kClasses);
  if (taken_ == nullptr || classes == axes.end()) return false;
  if (target_.holds_indices()) axes.erase(classes);
  return axes == taken_->axes;
}

at::Tensor Loss::counted(const at::Tensor& targets) const {
  return targets.ne(plan_->ignored_index.value_or(kIgnoredToken));
}

// The outputs that the plan takes, in its order.
std::vector<at::Tensor> Loss::fitted(const std::vector<at::Tensor>& outputs, int64_t samples) const {
  AxisSizes sizes(samples);
  if (taken_ != nullptr) sizes.fit(taken_->axes, batch_shape(samples, target_.shape));
  std::vector<at::Tensor> fitted;
  fitted.reserve(plan_->outputs.size());
  for (const LossPlan::Output& wanted : plan_->outputs) {
    check(wanted.index >= 0 && wanted.index < static_cast<int64_t>(outputs.size()), "ERR_INVALID_OPTION",
          "Expected a model with more than ", wanted.index, " outputs but it has ", outputs.size());
    check(outputs[wanted.index].defined(), "ERR_INVALID_OPTION", "The model computes its output ", wanted.index,
          " in training alone; give ", plan_->kind, " one that it has in evaluation too");
    const at::Tensor output = squeezed(wanted, outputs[wanted.index], samples);
    const bool named = plan_->outputs.size() > 1;
    check(sizes.fit(wanted.axes, output.sizes()), "ERR_SHAPE", "Expected the model to return ", sizes.text(wanted.axes),
          named ? " for \"" + wanted.name + "\" of " + plan_->kind : "", " for a batch of ", samples,
          " but it returned ", output.sizes(), advice_on(*plan_, target_, output));
    fitted.push_back(checked_values(wanted, output));
  }
  for (const LossPlan::Constant& constant : plan_->constants) {
    if (constant.axes.empty()) continue;
    const auto count = static_cast<int64_t>(constant.data.size());
    check(sizes.fit(constant.axes, count), "ERR_INVALID_OPTION", "Expected ", sizes.text(constant.axes),
          " numbers for \"", constant.name, "\" of ", plan_->kind, ", one for each of the model's ",
          constant.axes.front(), ", but received ", count);
  }
  const std::optional<int64_t> classes = sizes.size_of(kClasses);
  check(!classes || *classes >= target_.classes, "ERR_SHAPE", "The data set has ", target_.classes,
        " classes but the model returns ", classes.value_or(0));
  return fitted;
}

// One number for each sample, as layers return them, [samples, 1], is taken as [samples], as targets of one number are.
// PyTorch would make a matrix of the two.
at::Tensor Loss::squeezed(const LossPlan::Output& wanted, const at::Tensor& output, int64_t samples) const {
  const bool is_column = output.dim() == 2 && output.size(0) == samples && output.size(1) == 1;
  if (!is_column || taken_ == nullptr || !target_.shape.empty() || taken_->axes != wanted.axes) return output;
  return output.squeeze(1);
}

at::Tensor Loss::checked_values(const LossPlan::Output& wanted, const at::Tensor& output) const {
  // Elsewhere the answer would have to be waited for.
  if (!wanted.is_not_negative || !output.is_cpu()) return output;
  const at::Tensor negative = output.detach().lt(0);
  if (!negative.any().item<bool>()) return output;
  check(is_lenient_, "ERR_INVALID_OPTION", "Expected the model to return no number below 0 for \"", wanted.name,
        "\" of ", plan_->kind, " but it returned ", output.detach().min().item<double>(),
        "; let that output end with softplus or exp");
  return at::where(negative, std::numeric_limits<double>::quiet_NaN(), output);
}

at::Tensor Loss::run(Prepared& prepared, const Program& program, const std::vector<at::Tensor>& outputs,
                     const at::Tensor& targets, int64_t samples) {
  const at::Tensor& like = outputs.front();
  if (!prepared.executor || prepared.dtype != like.scalar_type() || prepared.device != like.device()) {
    prepare(prepared, program, like);
  }
  std::vector<at::Tensor> inputs;
  inputs.reserve(prepared.sources.size());
  for (const int64_t source : prepared.sources) {
    if (source == kTarget) {
      inputs.push_back(targets);
    } else if (source == kSamples) {
      inputs.push_back(at::scalar_tensor(samples, at::kLong));
    } else {
      inputs.push_back(outputs[source]);
    }
  }
  return prepared.executor->run(std::move(inputs)).front();
}

void Loss::prepare(Prepared& prepared, const Program& program, const at::Tensor& like) const {
  std::vector<at::Tensor> constants;
  constants.reserve(program.buffers.size());
  for (const ProgramTensor& buffer : program.buffers) {
    const auto found = std::find_if(plan_->constants.begin(), plan_->constants.end(),
                                    [&](const LossPlan::Constant& one) { return one.name == buffer.name; });
    check(found != plan_->constants.end(), "ERR_INVALID_OPTION", "No constant named \"", buffer.name, "\" of ",
          plan_->kind);
    constants.push_back(tensor_of(*found, like));
  }
  prepared.sources.clear();
  prepared.sources.reserve(program.inputs.size());
  for (const ProgramInput& input : program.inputs) {
    const auto found = std::find_if(plan_->outputs.begin(), plan_->outputs.end(),
                                    [&](const LossPlan::Output& one) { return one.name == input.name; });
    const int64_t other = input.name == "target" ? kTarget : kSamples;
    prepared.sources.push_back(found == plan_->outputs.end() ? other : found - plan_->outputs.begin());
  }
  prepared.executor.emplace(program, std::move(constants), Mode::kTraining, at::Generator());
  prepared.dtype = like.scalar_type();
  prepared.device = like.device();
}

}  // namespace incremental
