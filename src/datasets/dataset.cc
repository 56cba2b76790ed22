#include "src/datasets/dataset.h"

#include <cmath>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

void check_index(const TargetForm& form, int64_t sample, int64_t value) {
  if (value >= 0 && value < form.classes) return;
  if (form.kind == TargetKind::kTokens && value == kIgnoredToken) return;
  const bool is_class = form.kind == TargetKind::kClass;
  check(false, "ERR_DATA_FORMAT", "Expected ", is_class ? "labels" : "tokens", " from 0 to ", form.classes - 1,
        is_class ? "" : c10::str(", or ", kIgnoredToken), " but ", is_class ? "labels[" : "a token of sample ", sample,
        is_class ? "]" : "", " is ", value);
}

void check_number(const TargetForm& form, int64_t sample, float value) {
  if (form.kind == TargetKind::kClasses) {
    check(value == 0 || value == 1, "ERR_DATA_FORMAT", "Expected 0 or 1 for each class but the target of sample ",
          sample, " holds ", value);
  }
  check(std::isfinite(value), "ERR_DATA_FORMAT", "Expected finite targets but that of sample ", sample, " holds ",
        value);
}

}  // namespace

std::vector<InputForm> Dataset::forms() const {
  std::vector<InputForm> forms;
  for (size_t i = 0; i < inputs.size(); ++i) {
    forms.push_back({names[i], inputs[i].scalar_type(), inputs[i].sizes().slice(1).vec()});
  }
  return forms;
}

int64_t Dataset::bytes() const {
  size_t bytes = targets.defined() ? targets.nbytes() : 0;
  for (const at::Tensor& input : inputs) bytes += input.nbytes();
  return static_cast<int64_t>(bytes);
}

at::Tensor checked_targets(const at::Tensor& targets, const TargetForm& form, int64_t samples) {
  if (form.kind == TargetKind::kNone) return {};
  const at::Tensor values = targets.contiguous();
  const std::vector<int64_t> shape = batch_shape(samples, form.shape);
  const int64_t size = c10::multiply_integers(form.shape);
  check(values.numel() == samples * size, "ERR_DATA_FORMAT", "Expected one ",
        form.kind == TargetKind::kClass ? "label" : "target", " for each of ", samples, " samples but received ",
        size > 0 ? values.numel() / size : 0);
  const bool holds_indices = form.holds_indices();
  check(values.scalar_type() == (holds_indices ? at::kInt : at::kFloat), "ERR_INVALID_OPTION", "Expected ",
        holds_indices ? "int32" : "float32", " targets of this kind");
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (holds_indices) {
      check_index(form, i / size, values.const_data_ptr<int32_t>()[i]);
    } else {
      check_number(form, i / size, values.const_data_ptr<float>()[i]);
    }
  }
  return values.to(form.dtype()).view(shape);
}

Dataset dataset_from_arrays(std::vector<std::string> names, std::vector<at::Tensor> inputs, const at::Tensor& targets,
                            TargetForm form) {
  check(!inputs.empty() && names.size() == inputs.size(), "ERR_INVALID_OPTION", "Expected at least one input");
  const int64_t samples = inputs.front().size(0);
  for (size_t i = 0; i < inputs.size(); ++i) {
    check(inputs[i].size(0) == samples, "ERR_DATA_FORMAT", "Expected ", samples, " samples of the input \"", names[i],
          "\" but received ", inputs[i].size(0));
  }
  at::Tensor checked = checked_targets(targets, form, samples);
  return {std::move(names), std::move(inputs), std::move(checked), std::move(form)};
}

Dataset subset_of(const Dataset& dataset, int64_t start, int64_t end) {
  const int64_t samples = dataset.samples();
  check(start >= 0 && start <= end && end <= samples, "ERR_INVALID_OPTION", "Expected a subset within samples 0 to ",
        samples, " but received start ", start, " and end ", end);
  const auto part = [&](const at::Tensor& of) { return of.defined() ? of.narrow(0, start, end - start) : of; };
  Dataset subset{dataset.names, {}, part(dataset.targets), dataset.target};
  for (const at::Tensor& input : dataset.inputs) subset.inputs.push_back(part(input));
  return subset;
}

}  // namespace incremental
